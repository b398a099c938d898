"""``media.derivatives``: thumbnails and crops, and how they get onto the disk."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, strategies as st
from PIL import Image

from image_search_service.core.errors import UnavailableError
from image_search_service.core.types import Box
from image_search_service.media.derivatives import (
    CROP_SIDE,
    THUMBNAIL_SIDE,
    crop_area,
    face_crop,
    thumbnail,
    write_atomically,
    write_crop,
    write_thumbnail,
)
from tests.support.pictures import picture


def opened(content: bytes) -> Image.Image:
    image = Image.open(BytesIO(content))
    assert image.format == "JPEG"
    return image.convert("RGB")


def test_a_thumbnail_is_small_and_looks_alike() -> None:
    """A thumbnail's longer side is the one that was agreed on, and its corners are the photo's."""
    image = opened(thumbnail(np.asarray(picture(1600, 1200))))
    assert image.size == (THUMBNAIL_SIDE, 240)
    red, green, blue = np.asarray(image)[20, 20]
    assert red > 200
    assert max(green, blue) < 60


def test_nothing_is_enlarged() -> None:
    """A small photo's thumbnail and a small face's crop keep their size."""
    pixels = np.asarray(picture(100, 80))
    assert opened(thumbnail(pixels)).size == (100, 80)
    assert opened(face_crop(pixels, Box(40, 30, 10, 10))).size == (16, 16)


def test_a_crop_is_a_square_with_margin() -> None:
    """A large face's crop is reduced; the face is in its middle, with margin around it."""
    pixels = np.full((2000, 2000, 3), 255, np.uint8)
    pixels[800:1200, 850:1150] = 0
    crop = np.asarray(opened(face_crop(pixels, Box(850, 800, 300, 400))))
    assert crop.shape == (CROP_SIDE, CROP_SIDE, 3)
    dark = np.argwhere(crop[:, :, 0] < 128)
    assert dark.min(axis=0) == pytest.approx([36, 51], abs=2)
    assert dark.max(axis=0) == pytest.approx([156, 141], abs=2)


def test_a_crop_at_the_edge_is_cut_off() -> None:
    """A face at the photo's edge is shown with what there is."""
    assert crop_area(Box(-20, 10, 100, 100), width=300, height=200) == (0, 0, 110, 140)


numbers = st.floats(-1e5, 1e5)
sizes = st.floats(0, 1e5)


@given(st.builds(Box, numbers, numbers, sizes, sizes), st.integers(1, 5000), st.integers(1, 5000))
def test_a_crop_is_never_empty(box: Box, width: int, height: int) -> None:
    """Wherever a box lies, even outside, its crop is a part of the photo and has pixels."""
    left, top, right, bottom = crop_area(box, width=width, height=height)
    assert 0 <= left < right <= width
    assert 0 <= top < bottom <= height


def test_files_are_written_with_their_folders(tmp_path: Path) -> None:
    """Thumbnail and crop appear whole in folders that did not exist, and nothing else does."""
    pixels = np.asarray(picture())
    write_thumbnail(pixels, tmp_path / "ab" / "cd" / "thumb.jpg")
    write_crop(pixels, Box(10, 10, 20, 20), tmp_path / "ef" / "crop.jpg")
    files = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file())
    assert files == ["ab/cd/thumb.jpg", "ef/crop.jpg"]
    assert opened((tmp_path / "ef" / "crop.jpg").read_bytes()).size == (32, 32)


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    """While several threads write the same file again and again, whoever reads sees one of the contents."""
    path = tmp_path / "photo.jpg"
    contents = [bytes([number]) * 100_000 for number in range(3)]
    write_atomically(path, contents[0])
    stop = threading.Event()

    def write(content: bytes) -> None:
        while not stop.is_set():
            write_atomically(path, content)

    with ThreadPoolExecutor(3) as pool:
        for content in contents:
            pool.submit(write, content)
        try:
            assert all(path.read_bytes() in contents for _ in range(300))
        finally:
            stop.set()
    assert [item.name for item in tmp_path.iterdir()] == ["photo.jpg"]


def test_a_disk_that_refuses_is_unavailable(tmp_path: Path) -> None:
    """Where nothing can be written, the error names the file and says what to do, and leaves nothing."""
    (tmp_path / "taken").touch()
    with pytest.raises(UnavailableError, match=r"taken.*photo.jpg cannot be written") as caught:
        write_atomically(tmp_path / "taken" / "photo.jpg", b"content")
    assert caught.value.hint
    (tmp_path / "folder").mkdir()
    with pytest.raises(UnavailableError):
        write_atomically(tmp_path / "folder", b"content")
    assert sorted(item.name for item in tmp_path.iterdir()) == ["folder", "taken"]
