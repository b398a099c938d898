"""Files that are no photos, or no longer: each ends in MediaError with a reason, and with nothing else."""

from __future__ import annotations

import errno
from functools import cache
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from image_search_service.core.errors import MediaError
from image_search_service.media.decode import decode_photo
from image_search_service.media.errors import explain
from image_search_service.media.hashing import content_hash
from tests.support.pictures import SUFFIXES, exif_bytes, picture, save

LIMIT = 100_000


@cache
def sample(suffix: str) -> bytes:
    """A small photo's bytes with noise in it, so that damage hits pixels as well as headers."""
    image = picture(32, 24)
    image.paste(Image.frombytes("RGB", (16, 12), bytes(n * 83 % 251 for n in range(576))), (8, 6))
    buffer = BytesIO()
    exif = exif_bytes(orientation=6, DateTimeOriginal="2020:01:01 00:00:00", DateTime="2020:01:01 00:00:00")
    options = {} if suffix == "gif" else {"exif": exif}
    image.save(buffer, _FORMATS[suffix], **options)
    return buffer.getvalue()


_FORMATS = dict(zip(SUFFIXES, ("JPEG", "PNG", "WEBP", "TIFF", "GIF", "HEIF", "AVIF"), strict=True))


def reason_of(path: Path) -> str:
    with pytest.raises(MediaError) as caught:
        decode_photo(path, max_pixels=LIMIT)
    return caught.value.message


def test_an_empty_file(tmp_path: Path) -> None:
    """An empty file is said to be empty."""
    path = tmp_path / "photo.jpg"
    path.touch()
    assert reason_of(path) == "The file is empty."


@pytest.mark.parametrize(
    "content", [b"\0", b"hello, I am a text\n" * 9, b"%PDF-1.7", b"%!PS-Adobe-3.0 EPSF-3.0\n"]
)
def test_no_photo(tmp_path: Path, content: bytes) -> None:
    """A file of another kind under a photo's name is said to be no photo, and given to no other program."""
    path = tmp_path / "photo.jpg"
    path.write_bytes(content)
    assert "not a photo" in reason_of(path)


def test_vanished_and_a_folder(tmp_path: Path) -> None:
    """A file that is gone, or is a folder, is said to be so."""
    assert reason_of(tmp_path / "gone.jpg") == "The file has vanished."
    assert reason_of(tmp_path) == "This is a folder, not a file."
    with pytest.raises(MediaError, match="vanished"):
        content_hash(tmp_path / "gone.jpg")


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "gif", "webp", "heic", "avif"])
def test_a_truncated_file_is_not_half_a_photo(tmp_path: Path, suffix: str) -> None:
    """Half a file is refused, not filled up with grey."""
    save(Image.effect_noise((200, 200), 90).convert("RGB"), tmp_path / f"whole.{suffix}")
    content = (tmp_path / f"whole.{suffix}").read_bytes()
    path = tmp_path / f"half.{suffix}"
    path.write_bytes(content[: len(content) // 2])
    assert reason_of(path).startswith(
        ("The file is truncated", "The file is damaged", "The file is not a photo")
    )


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (PermissionError(errno.EACCES, "no"), "The file may not be read: permission denied."),
        (OSError(errno.EIO, "Input/output error"), "The file cannot be read: Input/output error."),
        (
            OSError("image file is truncated (3 bytes not processed)"),
            "The file is truncated: its end is missing.",
        ),
        (OSError("broken data stream when reading image file"), "The file is damaged."),
        (SyntaxError("broken PNG file"), "The file is damaged."),
        (MemoryError(), "There is not enough memory to decode the photo."),
        (Image.DecompressionBombError("…"), "The photo is too large."),
        (ZeroDivisionError(), "The file is damaged."),
    ],
)
def test_reasons(error: Exception, reason: str) -> None:
    """Each cause has its sentence, without the vendor's words."""
    assert explain(error) == reason


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_cut_of_a_file(tmp_path: Path, suffix: str) -> None:
    """A file that ends anywhere is a photo or a MediaError."""
    content = sample(suffix)
    path = tmp_path / f"photo.{suffix}"
    for end in range(1, len(content), max(1, len(content) // 60)):
        path.write_bytes(content[:end])
        decode_or_refuse(path)


def decode_or_refuse(path: Path) -> None:
    try:
        photo = decode_photo(path, max_pixels=LIMIT)
    except MediaError:
        return
    assert photo.pixels.shape == (photo.height, photo.width, 3)


@pytest.mark.parametrize("suffix", SUFFIXES)
@settings(max_examples=60)
@given(data=st.data())
def test_bytes_changed_anywhere(tmp_path: Path, suffix: str, data: st.DataObject) -> None:
    """A file with any bytes changed, cut out or put in is a photo or a MediaError, and no warning."""
    content = bytearray(sample(suffix))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=4))
    path = tmp_path / f"photo.{suffix}"
    path.write_bytes(bytes(content))
    decode_or_refuse(path)
