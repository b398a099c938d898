"""Regions written here are read by exiftool, and those that it writes are read here."""

from __future__ import annotations

import shutil

import pytest

from image_search_service.core.types import Box
from image_search_service.db.session import Database
from image_search_service.media.orientation import to_stored
from image_search_service.services.decisions.service import ReviewService
from image_search_service.services.metadata.names import MetadataNamesService
from tests.unit.services.metadata.exiftool import NEEDS_EXIFTOOL, exiftool, read_regions, write_regions
from tests.unit.services.metadata.named_photos import LEFT, RIGHT, Photo, names, read, share, stored_size

SUFFIXES = ["jpg", "png", "heic", "tif", "webp"]
ORIENTATIONS = [
    pytest.param(number, marks=() if number == 6 else pytest.mark.depth) for number in range(1, 9)
]
WITHIN = 0.003


def stored_boxes(orientation: int) -> dict[str, Box]:
    """Of the two faces, in shares of the stored picture."""
    return {name: to_stored(share(box), orientation) for name, box in (("Ada", LEFT), ("Grace", RIGHT))}


@NEEDS_EXIFTOOL
@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_what_exiftool_writes_is_read_here(
    database: Database, photo: Photo, suffix: str, orientation: int
) -> None:
    """In every kind of file, under every orientation, names go to the faces at exiftool's regions."""
    path, (left, right) = photo(f"photo.{suffix}", orientation=orientation)
    assert exiftool("-n", "-s3", "-IFD0:Orientation", path).strip() == str(orientation)
    write_regions(path, stored_boxes(orientation), stored_size(orientation))
    read(database)
    assert names(database) == {left: "Ada", right: "Grace"}


@NEEDS_EXIFTOOL
@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_exiftool_reads_what_is_written_here(
    database: Database, photo: Photo, suffix: str, orientation: int
) -> None:
    """What is written into a sidecar is, copied into the photo by exiftool, at the faces' places there."""
    path, (left, right) = photo(f"photo.{suffix}", orientation=orientation)
    review = ReviewService(database, "test")
    review.split([left], "Ada")
    review.split([right], "Grace")
    assert MetadataNamesService(database, "test", workers=1).write().written == 1
    copy = path.with_name(f"copy.{suffix}")
    shutil.copy(path, copy)
    exiftool("-overwrite_original", "-tagsFromFile", f"{path}.xmp", "-RegionInfo", copy)
    written = read_regions(copy)
    for name, box in stored_boxes(orientation).items():
        expected = (*box.center, box.width, box.height)
        assert (*written[name].center, written[name].width, written[name].height) == pytest.approx(
            expected, abs=WITHIN
        )
