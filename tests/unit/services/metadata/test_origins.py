"""Where names come from, and what follows when their file is changed by another program."""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path

import pytest
from sqlalchemy import select

from image_search_service.core.types import Box
from image_search_service.db.models import FaceInstance
from image_search_service.db.session import Database
from image_search_service.media.sidecars import EXTENSION
from image_search_service.services.decisions.naming import Namesake
from image_search_service.services.decisions.replay import RebuildService
from image_search_service.services.decisions.service import ReviewService
from tests.conftest import SHARED
from tests.support.world import World
from tests.unit.services.metadata.named_photos import (
    HEIGHT,
    LEFT,
    RIGHT,
    WIDTH,
    Photo,
    names,
    read,
    share,
    sidecar_with,
    write,
)
from tests.unit.services.metadata.xmp_files import digikam

EXTENDED = SHARED / "cases" / "inputs" / "extended_xmp_regions.jpg"


def origins(database: Database) -> dict[uuid.UUID, str | None]:
    """Of each face with a name."""
    with database.read() as session:
        rows = session.execute(
            select(FaceInstance.id, FaceInstance.name_origin).where(FaceInstance.person_id.is_not(None))
        )
        return {row[0]: row[1] for row in rows}


def test_f5_a_name_follows_its_sidecar(database: Database, photo: Photo) -> None:
    """F5: a sidecar that is corrected elsewhere corrects the library; nobody has said otherwise here."""
    path, (left, _) = photo()
    sidecar_with(path, "Anna")
    read(database)
    assert (names(database), origins(database)) == ({left: "Anna"}, {left: "metadata"})
    sidecar = sidecar_with(path, "Berta")
    report = read(database)
    assert (report.kept, report.corrected, names(database)) == (0, 1, {left: "Berta"})
    before = sidecar.read_bytes()
    assert write(database).unchanged == 1
    assert sidecar.read_bytes() == before
    assert read(database).decisions == []
    assert RebuildService(database).check().wrong == 0


def test_f5_writing_does_not_put_back_what_was_corrected(database: Database, photo: Photo) -> None:
    """F5: ``metadata write`` leaves a correction that was not read yet, says so, and reading takes it."""
    path, (left, _) = photo()
    sidecar_with(path, "Anna")
    read(database)
    before = sidecar_with(path, "Berta").read_bytes()
    report = write(database)
    assert (report.corrected, report.written) == (1, 0)
    assert "Berta" in report.examples[0]
    assert path.with_name("photo.jpg.xmp").read_bytes() == before
    read(database)
    assert names(database) == {left: "Berta"}


def test_f5_undoing_a_correction(database: Database, photo: Photo) -> None:
    """A correction is undone as other decisions are: the former name is back, and the next run lets it be."""
    path, (left, _) = photo()
    sidecar_with(path, "Anna")
    read(database)
    sidecar_with(path, "Berta")
    (decision,) = read(database).decisions
    ReviewService(database, "test").undo(decision)
    assert (names(database), origins(database)) == ({left: "Anna"}, {left: "metadata"})
    read(database)
    assert names(database) == {left: "Anna"}


def test_f5_what_was_said_here_wins(database: Database, photo: Photo) -> None:
    """Somebody's word in this library stands against a later correction, which is not written over either."""
    path, (left, _) = photo()
    review = ReviewService(database, "test")
    review.split([left], "Anna")
    sidecar = path.with_name("photo.jpg.xmp")
    assert write(database).written == 1
    sidecar_with(path, "Berta")
    report = read(database)
    assert (report.kept, report.named, names(database)) == (1, 0, {left: "Anna"})
    for _ in range(2):
        written = write(database)
        assert (written.corrected, written.written) == (1, 0)
        assert "Berta" in sidecar.read_text()
        read(database)
    assert write(database, overrule=True).written == 1
    assert [name in sidecar.read_text() for name in ("Anna", "Berta")] == [True, False]
    assert (read(database).kept, write(database).corrected) == (0, 0)


def test_a_later_word_here_is_written(database: Database, photo: Photo) -> None:
    """What somebody says here after a correction was read is written over it."""
    path, (left, _) = photo()
    sidecar_with(path, "Anna")
    read(database)
    sidecar = sidecar_with(path, "Berta")
    read(database)
    ReviewService(database, "test").split([left], "Carla")
    assert (write(database).written, "Carla" in sidecar.read_text()) == (1, True)
    assert origins(database) == {left: "here"}


def test_a_name_that_was_confirmed_here_is_said_here(database: Database, photo: Photo) -> None:
    """Saying here what was read makes it this library's word: it follows the file no more."""
    path, (left, _) = photo()
    sidecar_with(path, "Anna")
    read(database)
    made = ReviewService(database, "test").split([left], "Anna", who=Namesake.SAME)
    assert made.decision is not None
    assert origins(database) == {left: "here"}
    sidecar_with(path, "Berta")
    assert (read(database).kept, names(database)) == (1, {left: "Anna"})
    ReviewService(database, "test").undo(made.decision)
    assert origins(database) == {left: "metadata"}


def test_nobody_has_said_otherwise_of_a_person_who_was_renamed(database: Database, photo: Photo) -> None:
    """A person who was renamed or merged here is the one whom the file calls by the former name."""
    path, (left, right) = photo()
    sidecar_with(path, "Anna", "Grace")
    read(database)
    review = ReviewService(database, "test")
    with database.read() as session:
        anna = session.scalars(select(FaceInstance.person_id).where(FaceInstance.id == left)).one()
        grace = session.scalars(select(FaceInstance.person_id).where(FaceInstance.id == right)).one()
    assert anna is not None
    assert grace is not None
    review.rename_person(anna, "Anna Meier")
    report = read(database)
    assert (report.kept, report.named, names(database)) == (0, 0, {left: "Anna Meier", right: "Grace"})
    review.merge_persons([grace], into=anna)
    assert origins(database) == {left: "metadata", right: "metadata"}
    assert (read(database).kept, write(database).written) == (0, 1)
    assert path.with_name("photo.jpg.xmp").read_text().count("Anna Meier") == 2
    sidecar_with(path, "Anna Meier", "Carla")
    read(database)
    assert names(database) == {left: "Anna Meier", right: "Carla"}


def test_a_name_that_was_taken_away_elsewhere(database: Database, photo: Photo) -> None:
    """A name that its file has no more is taken away, with a report and an undo, and not written back."""
    path, (left, right) = photo()
    sidecar_with(path, "Anna", "Grace")
    read(database)
    sidecar = sidecar_with(path, "", "Grace")
    sidecar.write_bytes(digikam([("Grace", share(RIGHT))], (WIDTH, HEIGHT)))
    before = sidecar.read_bytes()
    assert (write(database).corrected, sidecar.read_bytes()) == (1, before)
    report = read(database)
    assert (report.withdrawn, report.named, names(database)) == (1, 0, {right: "Grace"})
    assert "Anna" in "".join(report.examples)
    assert (write(database).corrected, sidecar.read_bytes()) == (0, before)
    ReviewService(database, "test").undo(report.decisions[0])
    assert names(database)[left] == "Anna"
    assert (read(database).withdrawn, names(database)[left]) == (0, "Anna")


def test_a_file_without_any_region_takes_no_name_away(database: Database, photo: Photo) -> None:
    """A program that does not know regions leaves none: names stay here, and are not forced upon the file."""
    path, (left, _) = photo()
    sidecar_with(path, "Anna")
    read(database)
    sidecar = sidecar_with(path)
    before = sidecar.read_bytes()
    assert (read(database).withdrawn, names(database)) == (0, {left: "Anna"})
    assert (write(database).corrected, sidecar.read_bytes()) == (1, before)


def extended(jpeg: bytes, main: bytes, extension: bytes, digest: bytes) -> bytes:
    """A JPEG with a packet and extended XMP."""
    parts = b""
    for head, body in ((b"http://ns.adobe.com/xap/1.0/\0", main), (b"", extension)):
        place = b"" if head else EXTENSION + digest + len(body).to_bytes(4, "big") + bytes(4)
        segment = head + place + body
        parts += b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big") + segment
    return jpeg[:2] + parts + jpeg[2:]


def test_f8_a_sidecar_has_all_of_the_photos_xmp(database: Database, photo: Photo) -> None:
    """F8: a sidecar that is begun from a photo has its extended XMP too, and no reference to it any more."""
    path, (left, right) = photo()
    main = digikam([("Anna", share(LEFT))], (WIDTH, HEIGHT)).replace(
        b"<dc:title>",
        b'<n:HasExtendedXMP xmlns:n="http://ns.adobe.com/xmp/note/">'
        + b"A" * 32
        + b"</n:HasExtendedXMP><dc:title>",
    )
    extension = digikam([("Opa", share(RIGHT))], (WIDTH, HEIGHT)).replace(b"A day out", b"Gartenfest")
    path.write_bytes(extended(path.read_bytes(), main, extension, b"A" * 32))
    read(database)
    assert names(database) == {left: "Anna", right: "Opa"}
    ReviewService(database, "test").split([left], "Berta")
    assert write(database).written == 1
    written = path.with_name("photo.jpg.xmp").read_bytes()
    assert [name in written for name in (b"Gartenfest", b"A day out", b"Opa", b"Berta")] == [True] * 4
    assert [name in written for name in (b"Anna", b"HasExtendedXMP")] == [False] * 2
    assert write(database).unchanged == 1


def test_f8_extended_xmp_of_another_program_is_not_taken(database: Database, photo: Photo) -> None:
    """Extended XMP whose digest the packet does not name was left by a program that did not know it."""
    path, _ = photo()
    main = digikam([], (WIDTH, HEIGHT)).replace(
        b"<dc:title>",
        b'<n:HasExtendedXMP xmlns:n="http://ns.adobe.com/xmp/note/">'
        + b"A" * 32
        + b"</n:HasExtendedXMP><dc:title>",
    )
    extension = digikam([("Opa", share(RIGHT))], (WIDTH, HEIGHT))
    path.write_bytes(extended(path.read_bytes(), main, extension, b"B" * 32))
    read(database)
    assert names(database) == {}


@pytest.mark.skipif(not EXTENDED.is_file(), reason=f"there is no {EXTENDED}")
def test_f8_a_photo_whose_regions_are_in_extended_xmp(tmp_path: Path, database: Database) -> None:
    """F8: the sidecar of the photo that exiftool wrote has its title and both names."""
    path = Path(shutil.copy(EXTENDED, tmp_path / "photo.jpg"))
    path.chmod(0o600)
    boxes = [Box(50, 45, 50, 60), Box(2, 20, 20, 30)]
    with database.write() as session:
        asset = World(session).photo(str(path), boxes)
        asset.width = asset.height = 150
    read(database)
    assert "Anna" in names(database).values()
    face = next(face for face, name in names(database).items() if name == "Anna")
    ReviewService(database, "test").split([face], "Anna Meier")
    assert write(database).written == 1
    written = path.with_name("photo.jpg.xmp").read_text()
    assert [name in written for name in ("Gartenfest", "Anna Meier", "Opa")] == [True] * 3
