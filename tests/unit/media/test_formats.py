"""``media.formats``."""

from __future__ import annotations

import pytest

from image_search_service.media.formats import is_photo_name


@pytest.mark.parametrize(
    "name", ["a.jpg", "A.JPEG", "a.b.PnG", "été.webp", "x.tiff", "x.TIF", "x.gif", "IMG_1.HEIC", "x.heif",
             "x.hif", "x.avif", "\udcff.jpg", " .jpg"]
)  # fmt: skip
def test_photos(name: str) -> None:
    """A name that ends like a photo's is a photo's, in capitals or not."""
    assert is_photo_name(name)


@pytest.mark.parametrize(
    "name", ["a.txt", "jpg", ".jpg", "a.jpg.part", "a.mov", "a.", "", "a.jpg~", "Thumbs.db"]
)
def test_no_photos(name: str) -> None:
    """Any other name is not."""
    assert not is_photo_name(name)
