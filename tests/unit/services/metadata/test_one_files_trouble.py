"""P5: an operating system's error about one file is that file's; it is named, and the others are done."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from image_search_service.core import files
from image_search_service.db.models import NameInFile
from image_search_service.db.session import Database
from image_search_service.media import sidecars
from image_search_service.media.folder_names import SUFFIX
from image_search_service.services.decisions.service import ReviewService
from image_search_service.services.metadata.names import MetadataNamesService
from tests.unit.services.metadata.named_photos import HEIGHT, LEFT, WIDTH, Photo, names, read, said, share
from tests.unit.services.metadata.xmp_files import digikam

LONGEST = 255
"""Bytes of a file's name, on most file systems."""


def named(photo: Photo, name: str, person: str) -> Path:
    """A photo whose metadata names its left face."""
    return photo(name, packet=said("digikam", 1, left=person))[0]


@pytest.mark.parametrize("length", range(248, LONGEST + 1))
def test_p5_long_names_are_read(database: Database, photo: Photo, length: int) -> None:
    """Names in a photo are read however long its own name is; a sidecar of a longer name is none."""
    named(photo, "a.jpg", "Ada")
    named(photo, "ä" * ((length - 5) // 2) + "_" * ((length - 5) % 2) + "x.jpg", "Berta")
    report = read(database)
    assert (report.unreadable, report.examples) == (0, [])
    assert {"Ada", "Berta"} <= set(names(database).values())


@pytest.mark.parametrize("length", range(248, LONGEST + 1))
def test_p5_names_for_a_sidecar_that_cannot_be(database: Database, photo: Photo, length: int) -> None:
    """A photo whose sidecar would have too long a name is named; all others are written."""
    for name in ("a.jpg", f"{'b' * (length - 4)}.jpg", "c.jpg"):
        ReviewService(database, "test").split([photo(name)[1][0]], f"Ada {name[:1]}")
    report = MetadataNamesService(database, "test", workers=2).write()
    fits = length + len(SUFFIX) <= LONGEST
    assert (report.files, report.written, report.unreadable) == (3, 2 + fits, 1 - fits)
    assert all("File name too long" in line and "bbb" in line for line in report.examples)


def test_p5_sidecars_that_are_none(database: Database, photo: Photo, tmp_path: Path) -> None:
    """A sidecar that is a circle of links, or a folder, costs its own photo only."""
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        ReviewService(database, "test").split([photo(name)[1][0]], name[:1])
    (tmp_path / "a.jpg.xmp").symlink_to("a.jpg.xmp")
    (tmp_path / "b.jpg.xmp").mkdir()
    for report in (read(database), MetadataNamesService(database, "test", workers=2).write()):
        assert report.unreadable > 0
        assert all("c.jpg" not in line for line in report.examples)
    assert (tmp_path / "c.jpg.xmp").is_file()


@pytest.mark.parametrize("code", [errno.EIO, errno.EACCES, errno.ESTALE, errno.ENOTCONN])
def test_p5_a_sidecar_that_cannot_be_looked_at(
    database: Database, photo: Photo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """Where the system cannot say whether there is a sidecar, nothing is written, and the photo is named."""
    for name in ("a.jpg", "b.jpg"):
        ReviewService(database, "test").split([photo(name)[1][0]], name[:1])
    (tmp_path / "a.jpg.xmp").write_bytes(digikam([], (100, 100)))
    original = files.is_file

    def is_file(path: Path) -> bool:
        if path.name.startswith("a"):
            raise OSError(code, os.strerror(code))
        return original(path)

    monkeypatch.setattr(sidecars, "is_file", is_file)
    written = MetadataNamesService(database, "test", workers=2).write()
    assert (written.written, written.unreadable, "a.jpg" in written.examples[0]) == (1, 1, True)
    assert read(database).unreadable == 1


def test_p5_names_of_many_bytes_are_written(database: Database, photo: Photo) -> None:
    """A name's length is counted in bytes: one of few characters may be long."""
    path, faces = photo("字" * 80 + ".jpg")
    ReviewService(database, "test").split(faces[:1], "Ada")
    assert MetadataNamesService(database, "test", workers=2).write().written == 1
    assert b"Ada" in path.with_name(f"{path.name}.xmp").read_bytes()


@pytest.mark.parametrize("code", [errno.EIO, errno.EACCES, errno.ESTALE])
def test_p5_a_place_that_cannot_be_looked_at(
    database: Database, photo: Photo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """Where the system cannot say whether a folder has names of Picasa, or whether a former sidecar is still
    there, the others are read and written."""
    for name in ("a.jpg", "b.jpg"):
        packet = digikam([(name[:1], share(LEFT))], (WIDTH, HEIGHT))
        photo(name)[0].with_name(f"{name}.xmp").write_bytes(packet)
    read(database)
    with database.write() as session:
        gone = tmp_path / "away" / "photo.jpg.xmp"
        session.execute(update(NameInFile).where(NameInFile.name == "a").values(path=gone))
    (tmp_path / "a.jpg.xmp").unlink()
    original = os.stat

    def look(path: str | Path, **options: Any) -> os.stat_result:
        if str(path).endswith((".picasa.ini", "away/photo.jpg.xmp")):
            raise OSError(code, os.strerror(code))
        return original(path, **options)

    monkeypatch.setattr(os, "stat", look)
    monkeypatch.setattr(os, "lstat", look)
    assert "b" in names(database).values()
    report = read(database)
    assert (report.photos, report.unreadable) == (2, 1)
    written = MetadataNamesService(database, "test", workers=2).write()
    assert (written.files, written.unreadable) == (2, 0)
