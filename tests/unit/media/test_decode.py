"""``media.decode``: from files to upright pixels."""

from __future__ import annotations

import struct
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from image_search_service.core.errors import MediaError
from image_search_service.media.decode import decode_photo, reduced
from tests.support.pictures import EXIF_SUFFIXES, STORED_AS, SUFFIXES, exif_bytes, picture, save

LIMIT = 1_000_000


def decoded(path: Path) -> np.ndarray:
    return decode_photo(path, max_pixels=LIMIT).pixels


def is_red(pixel: np.ndarray) -> bool:
    return bool(pixel[0] > 200 and pixel[1] < 60 and pixel[2] < 60)


def is_blue(pixel: np.ndarray) -> bool:
    return bool(pixel[2] > 200 and pixel[0] < 60 and pixel[1] < 60)


@pytest.mark.parametrize(
    ("suffix", "name"),
    list(zip(SUFFIXES, ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "HEIF", "AVIF"), strict=True)),
)
def test_every_format_gives_rgb_pixels(tmp_path: Path, suffix: str, name: str) -> None:
    """A photo of each format comes out as contiguous RGB of its own size, under its format's name."""
    photo = decode_photo(save(picture(), tmp_path / f"photo.{suffix}"), max_pixels=LIMIT)

    assert (photo.format, photo.width, photo.height, photo.orientation) == (name, 64, 48, 1)
    assert photo.pixels.shape == (48, 64, 3)
    assert photo.pixels.dtype == np.uint8
    assert photo.pixels.flags.c_contiguous
    assert is_red(photo.pixels[4, 4])
    assert is_blue(photo.pixels[4, -4])


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("suffix", EXIF_SUFFIXES)
def test_all_eight_orientations_are_brought_upright(tmp_path: Path, suffix: str, orientation: int) -> None:
    """However the camera was held, the corners of the decoded photo are where they were in the world."""
    method = STORED_AS[orientation]
    stored = picture() if method is None else picture().transpose(method)
    path = save(stored, tmp_path / f"photo.{suffix}", exif=exif_bytes(orientation=orientation))

    photo = decode_photo(path, max_pixels=LIMIT)

    assert (photo.width, photo.height) == (64, 48)
    assert is_red(photo.pixels[4, 4])
    assert is_blue(photo.pixels[4, -4])
    assert photo.pixels.flags.c_contiguous


def test_the_content_decides_and_not_the_name(tmp_path: Path) -> None:
    """A PNG that is called a JPEG is read as the PNG that it is."""
    path = tmp_path / "photo.jpg"
    picture().save(path, "PNG")
    assert decode_photo(path, max_pixels=LIMIT).format == "PNG"


def test_a_photo_with_several_pictures_is_a_jpeg(tmp_path: Path) -> None:
    """The multi-picture files of some cameras and phones are JPEG files, and their first picture counts."""
    path = tmp_path / "photo.jpg"
    picture().save(path, "MPO", save_all=True, append_images=[Image.new("RGB", (64, 48))])
    photo = decode_photo(path, max_pixels=LIMIT)
    assert photo.format == "JPEG"
    assert is_red(photo.pixels[4, 4])


def test_the_first_frame_of_an_animation_counts(tmp_path: Path) -> None:
    """An animated GIF is its first frame."""
    path = tmp_path / "photo.gif"
    picture().save(path, save_all=True, append_images=[Image.new("RGB", (64, 48), "black")])
    assert is_red(decoded(path)[4, 4])


@pytest.mark.parametrize(
    ("mode", "suffix"),
    [("L", "jpg"), ("L", "png"), ("1", "png"), ("1", "tif"), ("P", "png"), ("P", "gif"), ("LA", "png"),
     ("RGBA", "png"), ("RGBA", "webp"), ("RGBA", "heic"), ("RGBA", "avif"), ("CMYK", "jpg"), ("CMYK", "tif"),
     ("YCbCr", "tif"), ("PA", "tif")],
)  # fmt: skip
def test_every_mode_shows_what_was_photographed(tmp_path: Path, mode: str, suffix: str) -> None:
    """Grey, black and white, palettes, transparency and print colours become RGB of the same look."""
    gradient = Image.linear_gradient("L").resize((64, 48)).convert("RGB")
    pixels = decoded(save(gradient.convert(mode), tmp_path / f"photo.{suffix}"))

    assert pixels.shape == (48, 64, 3)
    assert pixels[:8].mean() < 60
    assert pixels[-8:].mean() > 195


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_sixteen_bits_become_eight(tmp_path: Path, suffix: str) -> None:
    """A 16-bit scan keeps its greys: its middle value is the middle of 8 bits."""
    values = np.full((48, 64), 32768, dtype=np.uint16)
    values[:, :10], values[:, -10:] = 0, 65535
    pixels = decoded(save(Image.fromarray(values), tmp_path / f"photo.{suffix}"))
    assert (pixels[5, 5, 0], pixels[5, 30, 0], pixels[5, -5, 0]) == (0, 128, 255)


@pytest.mark.parametrize("kind", [np.int32, np.float32])
def test_values_of_unknown_range_are_stretched(tmp_path: Path, kind: type) -> None:
    """Grey values that no format bounds go from black to white, and one value alone is black."""
    values: NDArray[Any] = np.linspace(-5, 900, 64).astype(kind)[np.newaxis].repeat(48, axis=0)
    pixels = decoded(save(Image.fromarray(values), tmp_path / "photo.tif"))
    assert (pixels.min(), pixels.max()) == (0, 255)
    same = decoded(save(Image.fromarray(np.full_like(values, 7)), tmp_path / "same.tif"))
    assert same.max() == 0


def test_transparent_is_white(tmp_path: Path) -> None:
    """What is transparent is white, whatever colour hides there; what is half transparent is lightened."""
    image = Image.new("RGBA", (3, 1))
    for x, color in enumerate([(255, 0, 0, 255), (0, 0, 0, 0), (0, 0, 0, 128)]):
        image.putpixel((x, 0), color)
    pixels = decoded(save(image, tmp_path / "photo.png"))[0]
    assert pixels[0].tolist() == [255, 0, 0]
    assert pixels[1].tolist() == [255, 255, 255]
    assert 120 < pixels[2].mean() < 135


@pytest.mark.parametrize("suffix", EXIF_SUFFIXES)
def test_the_date_is_read(tmp_path: Path, suffix: str) -> None:
    """The moment of exposure is read from every format that has EXIF."""
    exif = exif_bytes(DateTime="2021:01:01 00:00:00", DateTimeOriginal="2020:02:03 04:05:06")
    path = save(picture(), tmp_path / f"photo.{suffix}", exif=exif)
    assert decode_photo(path, max_pixels=LIMIT).taken_at == datetime.fromisoformat("2020-02-03 04:05:06")


@pytest.mark.parametrize(
    "junk", [b"", b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM" + b"\x99" * 60]
)
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp"])
def test_bad_exif_does_not_fail_a_photo(tmp_path: Path, suffix: str, junk: bytes) -> None:
    """Broken EXIF costs the date and the orientation, not the photo."""
    photo = decode_photo(save(picture(), tmp_path / f"photo.{suffix}", exif=junk), max_pixels=LIMIT)
    assert (photo.width, photo.taken_at, photo.orientation) == (64, None, 1)


def test_an_orientation_that_does_not_exist_is_none(tmp_path: Path) -> None:
    """A ninth orientation leaves the photo as it is."""
    photo = decode_photo(
        save(picture(), tmp_path / "photo.jpg", exif=exif_bytes(orientation=9)), max_pixels=LIMIT
    )
    assert (photo.width, photo.orientation) == (64, 1)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_too_many_pixels_are_refused(tmp_path: Path, suffix: str) -> None:
    """One pixel above the limit is refused with both numbers; the limit itself is not."""
    path = save(picture(), tmp_path / f"photo.{suffix}")
    assert decode_photo(path, max_pixels=64 * 48).width == 64
    with pytest.raises(MediaError, match=r"64 × 48 = 3,072 pixels; the limit is 3,071"):
        decode_photo(path, max_pixels=64 * 48 - 1)


def bomb(side: int) -> bytes:
    """A PNG file of a few bytes that says it has ``side`` × ``side`` pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [16_000, 100_000])
def test_a_decompression_bomb_is_refused_by_its_header(tmp_path: Path, side: int) -> None:
    """A tiny file that says it is enormous is refused, however enormous, before it is decoded."""
    path = tmp_path / "bomb.png"
    path.write_bytes(bomb(side))
    with pytest.raises(MediaError, match=r"pixels; the limit is|too large"):
        decode_photo(path, max_pixels=LIMIT)


def test_the_limit_of_one_call_is_not_that_of_another(tmp_path: Path) -> None:
    """Many threads with different limits each get their own: the limit is not the process's."""
    path = save(picture(), tmp_path / "photo.png")
    start = threading.Barrier(4)

    def attempt(limit: int) -> bool:
        start.wait()
        try:
            return decode_photo(path, max_pixels=limit).width == 64
        except MediaError:
            return False

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(attempt, [100, 400_000_000, 3_071, 3_072])) == [False, True, False, True]


def test_reduced_keeps_the_picture(tmp_path: Path) -> None:
    """A reduced copy has the wanted longer side, its factor, and the same corners."""
    pixels = np.asarray(picture(1600, 1200))
    small, factor = reduced(pixels, 500)
    assert small.shape == (375, 500, 3)
    assert factor == pytest.approx(500 / 1600)
    assert is_red(small[20, 20])
    assert is_blue(small[20, -20])


@pytest.mark.parametrize("size", [(64, 48), (500, 500)])
def test_reduced_never_enlarges(size: tuple[int, int]) -> None:
    """A photo that is small enough is given back as it is."""
    pixels = np.asarray(picture(*size))
    small, factor = reduced(pixels, 500)
    assert small is pixels
    assert factor == 1.0


@pytest.mark.parametrize("shape", [(1, 5000, 3), (5000, 1, 3), (2, 999, 3)])
def test_reduced_of_a_line_is_a_line(shape: tuple[int, int, int]) -> None:
    """However thin a photo is, something of it remains."""
    small, factor = reduced(np.zeros(shape, np.uint8), 100)
    assert max(small.shape) == 100
    assert min(small.shape[:2]) == 1
    assert 0 < factor < 1
