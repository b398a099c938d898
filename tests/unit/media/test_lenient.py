"""P4 and F14: readers do not refuse what every viewer shows, and show it as viewers do."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from image_search_service.core.errors import MediaError
from image_search_service.core.types import Pixels
from image_search_service.media.decode import decode_photo
from image_search_service.media.sidecars import read_embedded
from tests.support.pictures import exif_bytes

LIMIT = 1_000_000


def photo(width: int = 160, height: int = 120) -> Image.Image:
    """Noise in colours, dark on the left: what is filled up would show."""
    noise = np.random.default_rng(1).integers(0, 120, (height, width, 3), dtype=np.uint8)
    noise[:, width // 2 :] += 100
    return Image.fromarray(noise)


def encoded(format_: str, **options: object) -> bytes:
    target = io.BytesIO()
    photo().save(target, format_, **options)
    return target.getvalue()


def decoded(path: Path, content: bytes) -> Pixels:
    path.write_bytes(content)
    return decode_photo(path, max_pixels=LIMIT).pixels


def assert_is_photo(pixels: Pixels) -> None:
    assert pixels.shape == (120, 160, 3)
    assert 50 < pixels[:, :70].mean() < 70
    assert 145 < pixels[:, 90:].mean() < 175


@pytest.mark.parametrize("missing", [1, 2, 3, 20])
@pytest.mark.parametrize("name", ["JPEG", "progressive", "WEBP", "TIFF", "HEIF", "PNG", "GIF"])
def test_p4_last_bytes_are_missing(tmp_path: Path, name: str, missing: int) -> None:
    """A file that lacks its last bytes is shown; its metadata is read, too."""
    options = {"progressive": True} if name == "progressive" else {}
    content = encoded("JPEG" if name == "progressive" else name, **options)
    assert_is_photo(decoded(tmp_path / "photo", content[:-missing]))
    assert read_embedded(tmp_path / "photo").orientation == 1


@pytest.mark.parametrize("kept", [0.3, 0.5, 0.8])
def test_p4_half_a_photo_is_refused(tmp_path: Path, kept: float) -> None:
    """A JPEG of which more than a tenth is missing is truncated, and is not filled up with grey."""
    content = encoded("JPEG")
    with pytest.raises(MediaError, match="truncated"):
        decoded(tmp_path / "photo", content[: int(kept * len(content))])


@pytest.mark.parametrize("kept", [0.05, 0.6])
@pytest.mark.parametrize("name", ["JPEG", "PNG", "GIF", "WEBP", "TIFF", "HEIF", "AVIF"])
def test_p4_what_is_cut_off_is_called_truncated(tmp_path: Path, name: str, kept: float) -> None:
    """A file of any format of which much is missing is refused as truncated, not as damaged."""
    content = encoded(name)
    with pytest.raises(MediaError, match="truncated"):
        decoded(tmp_path / "photo", content[: int(kept * len(content))])


@pytest.mark.parametrize("behind", [b"junk" * 50, b"\0" * 5_000, b"\xff" * 13], ids=["text", "zeros", "ones"])
@pytest.mark.parametrize("name", ["JPEG", "PNG", "GIF", "WEBP", "TIFF"])
def test_p4_something_follows_the_photo(tmp_path: Path, name: str, behind: bytes) -> None:
    """What a download or a rescued disk left behind a photo's end hides neither it nor its metadata."""
    assert_is_photo(decoded(tmp_path / "photo", encoded(name) + behind))
    assert read_embedded(tmp_path / "photo").orientation == 1


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "RGBA", "LA", "1"])
def test_p4_a_png_without_its_last_rows(tmp_path: Path, mode: str) -> None:
    """The rows of a PNG that are there are shown, those that are missing are black."""
    target = io.BytesIO()
    photo().convert(mode).save(target, "PNG")
    whole = decoded(tmp_path / "photo", target.getvalue())
    cut = decoded(tmp_path / "photo", target.getvalue()[: int(0.94 * len(target.getvalue()))])
    rows = int(0.9 * len(whole))
    assert np.array_equal(cut[:rows], whole[:rows])
    assert not np.array_equal(cut, whole)


@pytest.mark.parametrize("interlace", [0, 1])
def test_p4_a_gif_without_its_last_rows(tmp_path: Path, interlace: int) -> None:
    """The rows of a GIF that are there are shown."""
    content = encoded("GIF", interlace=interlace)
    whole = decoded(tmp_path / "photo", content)
    cut = decoded(tmp_path / "photo", content[: int(0.94 * len(content))])
    same = (cut == whole).all(axis=(1, 2))
    assert 0.9 < same.mean() < 1


@pytest.mark.parametrize("format_", ["AVIF", "HEIF", "GIF", "PNG"])
def test_p4_what_is_cut_off_within_its_pixels_is_called_truncated(tmp_path: Path, format_: str) -> None:
    """Half a photo of any format is refused for what it is."""
    content = encoded(format_)
    with pytest.raises(MediaError, match="truncated"):
        decoded(tmp_path / "photo", content[: len(content) // 2])


def test_p4_a_truncated_progressive_photo_is_coarse(tmp_path: Path) -> None:
    """A progressive JPEG without its last scans is whole, if less sharp, and shown as such."""
    content = encoded("JPEG", progressive=True)
    assert_is_photo(decoded(tmp_path / "photo", content[: int(0.7 * len(content))]))


@pytest.mark.parametrize("megabytes", [2, 20])
def test_p4_long_texts(tmp_path: Path, megabytes: int) -> None:
    """A PNG with a long text is read, however long it is."""
    text = PngImagePlugin.PngInfo()
    text.add_itxt("history", "x" * (megabytes * 2**20), zip=True)
    assert_is_photo(decoded(tmp_path / "photo", encoded("PNG", pnginfo=text)))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", [1, 6])
def test_p4_grey_with_alpha_of_sixteen_bits(tmp_path: Path, order: str, orientation: int) -> None:
    """A TIFF of 16-bit grey and alpha is read upright, in either byte order."""
    path = tmp_path / "photo.tif"
    path.write_bytes(grey_alpha_tiff(order, orientation))
    pixels = decode_photo(path, max_pixels=LIMIT)
    assert (pixels.width, pixels.height) == ((20, 30) if orientation == 6 else (30, 20))
    assert abs(float(pixels.pixels.mean()) - 200) < 2
    assert read_embedded(path).orientation == orientation
    with pytest.raises(MediaError, match="limit"):
        decode_photo(path, max_pixels=100)


def grey_alpha_tiff(order: str, orientation: int, width: int = 30, height: int = 20) -> bytes:
    pixels = np.dstack([np.full((height, width), 200 * 257), np.full((height, width), 65535)])
    data = pixels.astype(f"{order}u2").tobytes()
    tags = [
        (256, 3, 1, width), (257, 3, 1, height), (258, 3, 2, None), (259, 3, 1, 1), (262, 3, 1, 1),
        (273, 4, 1, 200), (274, 3, 1, orientation), (277, 3, 1, 2), (278, 3, 1, height),
        (279, 4, 1, len(data)), (338, 3, 1, 2),
    ]  # fmt: skip
    entries = b"".join(
        struct.pack(f"{order}HHI", tag, kind, count)
        + (
            struct.pack(f"{order}HH", 16, 16)
            if value is None
            else struct.pack(
                f"{order}HH" if kind == 3 else f"{order}I", *([value, 0] if kind == 3 else [value])
            )
        )
        for tag, kind, count, value in tags
    )
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}IH", 8, len(tags))
    return (head + entries + bytes(4)).ljust(200, b"\0") + data


@pytest.mark.parametrize("kind", [np.uint16, np.float32, np.float64])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_p4_tiff_of_every_depth(tmp_path: Path, kind: type, channels: int) -> None:
    """A TIFF shows the same at each depth and number of channels."""
    values = np.asarray(photo().convert({1: "L", 3: "RGB", 4: "RGB"}[channels]))
    scaled = values.astype(np.float64) / 255 if kind is not np.uint16 else values.astype(np.uint16) * 257
    stored = scaled if channels == 1 else scaled[:, :, ::-1]
    if channels == 4:
        stored = np.dstack([stored, np.full(stored.shape[:2], 65535 if kind is np.uint16 else 1)])
    assert cv2.imwrite(str(tmp_path / "photo.tif"), stored.astype(kind))
    pixels = decode_photo(tmp_path / "photo.tif", max_pixels=LIMIT).pixels
    assert pixels.shape == (120, 160, 3)
    if channels != 1 or kind is np.uint16:  # grey numbers are stretched
        assert abs(float(pixels.mean()) - float(values.mean())) < 2


@pytest.mark.parametrize("compression", [None, "group4", "packbits", "tiff_lzw"])
def test_p4_one_bit_tiff(tmp_path: Path, compression: str | None) -> None:
    """A scanned page of black and white is read."""
    photo().convert("1").save(tmp_path / "photo.tif", compression=compression)
    assert decode_photo(tmp_path / "photo.tif", max_pixels=LIMIT).pixels.shape == (120, 160, 3)


@pytest.mark.parametrize("mode", ["CMYK", "LAB", "YCbCr", "P", "LA"])
def test_p4_tiff_of_every_colour_space(tmp_path: Path, mode: str) -> None:
    """Colours of other spaces come out as they were."""
    photo().convert(mode).save(tmp_path / "photo.tif")
    assert_is_photo(decode_photo(tmp_path / "photo.tif", max_pixels=LIMIT).pixels)


@pytest.mark.parametrize("name", ["photo.mpo", "photo.JFIF", "photo.jpe", "photo.HEIC", "photo.PNG"])
def test_p4_the_content_decides(tmp_path: Path, name: str) -> None:
    """A JPEG is one under any name of a photo, in capitals or not."""
    assert_is_photo(decoded(tmp_path / name, encoded("JPEG") + bytes(5_000)))


def test_p4_damage_within_stays_damage(tmp_path: Path) -> None:
    """What is mended at its end may not hide damage before it."""
    content = bytearray(encoded("PNG"))
    at = content.find(b"IDAT") + 40
    content[at : at + 200] = bytes(200)
    with pytest.raises(MediaError, match="The file is"):
        decoded(tmp_path / "photo", bytes(content))


def without_turning(content: bytes) -> bytes:
    """A HEIC without the property that turns its picture."""
    return content.replace(b"irot", b"free")


@pytest.mark.parametrize("orientation", range(1, 9))
def test_f14_orientation_of_a_heic_that_is_not_turned(tmp_path: Path, orientation: int) -> None:
    """Of a HEIC that says nothing of turning in its properties, EXIF's orientation means nothing: regions are
    in the picture that is shown."""
    target = io.BytesIO()
    photo().save(target, "HEIF", exif=exif_bytes(orientation=orientation))
    content = target.getvalue()
    plain = tmp_path / "plain.heic"
    plain.write_bytes(without_turning(content).replace(b"imir", b"free"))
    shown = decode_photo(plain, max_pixels=LIMIT)
    with Image.open(plain) as stored:
        assert (shown.width, shown.height, shown.orientation) == (*stored.size, 1)
    assert read_embedded(plain).orientation == 1
    turned = tmp_path / "turned.heic"
    turned.write_bytes(content)
    assert read_embedded(turned).orientation == orientation
