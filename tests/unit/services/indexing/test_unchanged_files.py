"""F13: a file is unchanged if size, modification time, change time and inode are the same."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from PIL import Image

from image_search_service.db.models import ImageAsset
from image_search_service.db.queries import photos
from image_search_service.library.opening import Library
from image_search_service.services.indexing import reader
from image_search_service.services.indexing.indexer import IndexService
from image_search_service.services.indexing.report import IndexReport
from tests.support.pictures import exif_bytes, picture


def index(opened: Library, root: Path) -> IndexReport:
    return IndexService(opened.stores).index([root])


def size_of(opened: Library, path: Path) -> tuple[int | None, int | None]:
    with opened.database.read() as session:
        photo = session.get_one(ImageAsset, photos.known_files(session, [path])[path].asset_id)
        return photo.width, photo.height


def test_f13_orientation_changed_with_size_and_time_kept(opened: Library, tmp_path: Path) -> None:
    """A photo that a program turned, and whose size and time it put back, is read again."""
    photo = tmp_path / "photos" / "photo.jpg"
    photo.parent.mkdir()
    picture().save(photo, exif=exif_bytes(orientation=1))
    index(opened, photo.parent)
    before, content = photo.stat(), photo.read_bytes()
    picture().save(photo, exif=exif_bytes(orientation=6))
    os.utime(photo, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert (photo.stat().st_size, photo.read_bytes() != content) == (before.st_size, True)
    assert (index(opened, photo.parent).photos_new, size_of(opened, photo)) == (1, (48, 64))
    assert index(opened, photo.parent).photos_unchanged == 1


def test_f13_another_photo_of_the_same_size_and_time(opened: Library, tmp_path: Path) -> None:
    """A file that was put in the place of another, of equal size and time, is noticed by its inode."""
    folder = tmp_path / "photos"
    folder.mkdir()
    picture().save(folder / "photo.png", compress_level=0)
    index(opened, folder)
    before = (folder / "photo.png").stat()
    picture().transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(tmp_path / "other.png", compress_level=0)
    os.utime(tmp_path / "other.png", ns=(before.st_atime_ns, before.st_mtime_ns))
    (tmp_path / "other.png").rename(folder / "photo.png")
    assert (folder / "photo.png").stat().st_size == before.st_size
    assert index(opened, folder).photos_new == 1


def test_f13_other_inodes_alone_cost_no_reading(
    opened: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where only inode and change time differ, as on network drives, the content is compared, not decoded."""
    folder = tmp_path / "photos"
    folder.mkdir()
    picture().save(folder / "photo.png")
    index(opened, folder)
    shutil.copy2(folder / "photo.png", tmp_path / "copy.png")
    (tmp_path / "copy.png").rename(folder / "photo.png")
    monkeypatch.setattr(reader, "decoded_photo", lambda *_, **__: pytest.fail("it was decoded again"))
    for _ in range(2):
        report = index(opened, folder)
        assert (report.photos_unchanged, report.photos_moved, report.photos_new) == (1, 0, 0)
