"""Small pictures in files of every kind that a camera, a phone or a scanner writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pillow_heif
from PIL import ExifTags, Image, ImageDraw

SUFFIXES = ("jpg", "png", "webp", "tif", "gif", "heic", "avif")
EXIF_SUFFIXES = ("jpg", "png", "webp", "tif", "heic", "avif")

pillow_heif.register_heif_opener()

STORED_AS = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
"""How a camera held that way stores the picture, so that its orientation undoes it."""


def picture(width: int = 64, height: int = 48) -> Image.Image:
    """Grey, with a red corner top left and a blue one top right: its eight orientations all differ."""
    image = Image.new("RGB", (width, height), (128, 128, 128))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, width // 4, height // 4), fill=(255, 0, 0))
    draw.rectangle((width - width // 4, 0, width, height // 4), fill=(0, 0, 255))
    return image


def exif_bytes(*, orientation: int | None = None, **tags: str) -> bytes:
    """EXIF with an orientation and any of ``DateTime``, ``DateTimeOriginal``, … by name."""
    exif = Image.Exif()
    if orientation is not None:
        exif[ExifTags.Base.Orientation] = orientation
    for name, value in tags.items():
        tag = ExifTags.Base[name]
        place = exif if name == "DateTime" else exif.get_ifd(ExifTags.IFD.Exif)
        place[tag] = value
    return exif.tobytes()


def save(image: Image.Image, path: Path, **options: Any) -> Path:
    """Write ``image`` in the format that the file's name says."""
    image.save(path, **options)
    return path


def three_photos(folder: Path, names: tuple[str, str, str]) -> Path:
    """Three PNG files without a face, of three colours, below ``folder``, which is returned."""
    for name, color in zip(names, ("red", "green", "blue"), strict=True):
        path = folder / f"{name}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (300, 200), color).save(path)
    return folder
