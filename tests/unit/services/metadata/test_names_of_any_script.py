"""Names of any script in metadata, and sidecars whatever the case and ending of their photo's neighbours."""

from __future__ import annotations

from pathlib import Path

import pytest

from image_search_service.db.session import Database
from image_search_service.services.decisions.service import ReviewService
from image_search_service.services.metadata.names import MetadataNamesService
from tests.unit.services.metadata.named_photos import (
    HEIGHT,
    LEFT,
    WIDTH,
    Photo,
    digest,
    names,
    read,
    said,
    share,
)
from tests.unit.services.metadata.xmp_files import digikam

ALI_REZA = "علی\u200cرضا"


@pytest.mark.parametrize("name", [ALI_REZA, "ශ්\u200dරී", "कृष्\u200dण", "👩\u200d🚀", "Weiß"])
def test_f7_a_name_of_any_script_is_taken(database: Database, photo: Photo, name: str) -> None:
    """F7: a name with joiners is taken from a sidecar, by ``create``, and is one person in both."""
    created = ReviewService(database, "test").create_person(name)
    path, (left, _) = photo()
    path.with_name("photo.jpg.xmp").write_bytes(digikam([(name, share(LEFT))], (WIDTH, HEIGHT)))
    report = read(database)
    assert (created.name, names(database), report.dropped) == (name, {left: name}, 0)


def test_f7_a_name_that_is_dropped_is_counted_and_named(database: Database, photo: Photo) -> None:
    """F7: what cannot be a name is counted on reading, with the file that it is in."""
    path, _ = photo()
    sidecar = path.with_name("photo.jpg.xmp")
    sidecar.write_bytes(digikam([("\u200b\u2067", share(LEFT))], (WIDTH, HEIGHT)))
    report = read(database)
    assert (report.dropped, report.named) == (1, 0)
    assert str(sidecar) in report.examples[0]
    assert "\\u200b" in report.examples[0]


@pytest.mark.parametrize("other", ["photo.NRW", "photo.Cr2", "PHOTO.rw2", "photo.mov", "Photo.JPG", "photo"])
def test_f12_any_other_file_shares_the_sidecar(
    tmp_path: Path, database: Database, photo: Photo, other: str
) -> None:
    """F12: names do not go into a sidecar that may be another file's, whatever that file is."""
    path, (left, _) = photo()
    (tmp_path / other).write_bytes(b"raw")
    shared = tmp_path / "photo.xmp"
    shared.write_bytes(digikam([], (WIDTH, HEIGHT)))
    before = digest(shared)
    ReviewService(database, "test").split([left], "Ada")
    MetadataNamesService(database, "test", workers=1).write()
    assert digest(shared) == before
    assert "Ada" in path.with_name("photo.jpg.xmp").read_text()


@pytest.mark.parametrize("name", ["photo.JPG.xmp", "PHOTO.jpg.Xmp", "PHOTO.XMP", "photo.xmp"])
def test_f12_a_sidecar_is_found_in_any_case(
    tmp_path: Path, database: Database, photo: Photo, name: str
) -> None:
    """F12: file systems and programs change the case of names; the sidecar is read, and written to."""
    _, (left, right) = photo()
    sidecar = tmp_path / name
    sidecar.write_bytes(said("digikam", 1))
    read(database)
    assert names(database) == {left: "Ada", right: "Grace"}
    ReviewService(database, "test").split([left], "Emmy")
    assert MetadataNamesService(database, "test", workers=1).write().written == 1
    assert [one.name for one in tmp_path.glob("*.[xX][mM][pP]")] == [name]
    assert "Emmy" in sidecar.read_text()


def test_the_sidecar_of_a_photo_in_other_case(tmp_path: Path, database: Database, photo: Photo) -> None:
    """Of two photos whose names differ in case, each has the sidecar of its own name."""
    _, (left, _) = photo("photo.jpg")
    _, other = photo("photo.JPG")
    if len(list(tmp_path.glob("photo.*"))) < 2:
        pytest.skip("this file system does not tell case apart")
    (tmp_path / "photo.JPG.xmp").write_bytes(said("digikam", 1))
    read(database)
    assert names(database) == dict(zip(other, ("Ada", "Grace"), strict=True))
    ReviewService(database, "test").split([left], "Emmy")
    MetadataNamesService(database, "test", workers=1).write()
    assert "Emmy" in (tmp_path / "photo.jpg.xmp").read_text()
    assert "Emmy" not in (tmp_path / "photo.JPG.xmp").read_text()
