"""Names into sidecars."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image

from image_search_service.core.errors import MediaError
from image_search_service.core.types import Box
from image_search_service.db.models import FaceInstance
from image_search_service.db.session import Database
from image_search_service.media.regions import Frame, readings
from image_search_service.media.sidecars import write_sidecar
from image_search_service.media.xmp import packet_bytes, parse_packet
from image_search_service.services.decisions.service import ReviewService
from image_search_service.services.metadata.names import MetadataNamesService
from tests.support.round_trips import round_trips
from tests.support.world import World, migrated_database
from tests.unit.services.metadata.named_photos import (
    HEIGHT,
    LEFT,
    RIGHT,
    WIDTH,
    Photo,
    digest,
    names,
    read,
    said,
    share,
)
from tests.unit.services.metadata.xmp_files import digikam, windows


def test_statements_of_writing_do_not_grow(database: Database, photo: Photo) -> None:
    """Writing costs as many statements for many photos of a page as for few, names taken back among them."""
    review = ReviewService(database, "test")
    counts = []
    for number in (2, 20):
        faces = [face for each in range(number) for face in photo(f"{number}-{each}.jpg")[1]]
        review.split(faces[: len(faces) // 2], f"Ada {number}")
        review.undo(review.split(faces[len(faces) // 2 :], f"Grace {number}").decision or 0)
        with round_trips(database.engine) as trips:
            MetadataNamesService(database, "test", workers=1).write()
        counts.append(trips.statements)
    assert counts[0] == counts[1]


@pytest.mark.parametrize("orientation", range(1, 9))
def test_written_names_are_read_elsewhere(
    tmp_path: Path, database: Database, photo: Photo, orientation: int
) -> None:
    """Names that were written to sidecars are read in another library, and the photo is as it was."""
    path, (left, right) = photo(orientation=orientation)
    ReviewService(database, "test").split([left], "Ada")
    ReviewService(database, "test").split([right], "Grace")
    before = digest(path)
    service = MetadataNamesService(database, "test", workers=2)
    assert service.write(dry_run=True).written == 1
    assert sorted(one.name for one in tmp_path.glob("*.xmp")) == []
    assert service.write().written == 1
    assert service.write().unchanged == 1
    assert digest(path) == before
    (tmp_path / "other").mkdir()
    other = migrated_database(tmp_path / "other")
    with other.write() as session:
        asset = World(session).photo(str(path), [LEFT, RIGHT])
        asset.width, asset.height = WIDTH, HEIGHT
    read(other)
    assert sorted(names(other).values()) == ["Ada", "Grace"]
    other.close()


def test_a_sidecar_that_is_there_keeps_the_rest(database: Database, photo: Photo) -> None:
    """A region that says otherwise is replaced, one of somebody unknown here stays, and so does the rest."""
    path, (left, right) = photo()
    far = ("Somebody", Box(0.45, 0.8, 0.05, 0.05))
    regions = [("Wrong", share(LEFT)), ("Grace", share(RIGHT)), far]
    sidecar = path.with_name("photo.jpg.xmp")
    sidecar.write_bytes(digikam(regions, (WIDTH, HEIGHT)))
    review = ReviewService(database, "test")
    review.split([left], "Ada")
    review.split([right], "Grace")
    MetadataNamesService(database, "test", workers=1).write()
    written = sidecar.read_text()
    assert "A day out" in written
    assert "Wrong" not in written
    assert [written.count(f">{name}<") for name in ("Ada", "Grace", "Somebody")] == [1, 1, 1]
    review.unassign_faces([right])
    MetadataNamesService(database, "test", workers=1).write()
    assert "Grace" not in sidecar.read_text()
    assert "Somebody" in sidecar.read_text()


def with_microsofts(regions: list[tuple[str, Box]]) -> bytes:
    """As digiKam writes: the MWG's and Microsoft's."""
    root = parse_packet(digikam(regions, (WIDTH, HEIGHT)))
    root[0].extend(parse_packet(windows(regions, (WIDTH, HEIGHT)))[0])
    return packet_bytes(root)


def test_both_kinds_of_regions_say_the_same(database: Database, photo: Photo) -> None:
    """What a human said here is written into Microsoft's regions too, and taken from them."""
    path, (left, right) = photo()
    sidecar = path.with_name("photo.jpg.xmp")
    sidecar.write_bytes(with_microsofts([("Wrong", share(LEFT)), ("Grace", share(RIGHT))]))
    review = ReviewService(database, "test")
    review.split([left], "Ada")
    review.split([right], "Grace")
    review.unassign_faces([right])
    service = MetadataNamesService(database, "test", workers=1)
    report = service.write()
    assert report.changes == [f"{sidecar}: Wrong becomes Ada, Grace is removed"]
    written = sidecar.read_text()
    assert [written.count(name) for name in ("Wrong", "Grace", "Ada")] == [0, 0, 2]
    before = digest(sidecar)
    assert service.write().unchanged == 1
    assert digest(sidecar) == before


def test_names_follow_what_is_said_later(database: Database, photo: Photo) -> None:
    """A new name, a merge, an undo, and that it is no face, reach the sidecar at the next writing."""
    path, (left, right) = photo()
    review = ReviewService(database, "test")
    service = MetadataNamesService(database, "test", workers=1)
    sidecar = path.with_name("photo.jpg.xmp")
    ada, grace = review.split([left], "Ada"), review.split([right], "Grace")
    service.write()
    review.rename_person(ada.person_id, "Countess")
    service.write()
    assert "Ada" not in sidecar.read_text()
    merged = review.merge_persons([ada.person_id], into=grace.person_id)
    service.write()
    assert sidecar.read_text().count(">Grace<") == 2
    for decision in (merged.id, grace.decision):
        assert decision is not None
        review.undo(decision)
    service.write()
    assert [sidecar.read_text().count(f">{name}<") for name in ("Countess", "Grace")] == [1, 0]
    review.not_a_face([left])
    service.write()
    assert ">Countess<" not in sidecar.read_text()


def test_undone_names_of_other_programs_stay_theirs(database: Database, photo: Photo) -> None:
    """Names that were read and undone are not taken from the sidecar that they came from."""
    path, _ = photo()
    sidecar = path.with_name("photo.jpg.xmp")
    sidecar.write_bytes(said("digikam", 1))
    (decision,) = read(database).decisions
    ReviewService(database, "test").undo(decision)
    before = digest(sidecar)
    assert MetadataNamesService(database, "test", workers=1).write().written == 0
    assert digest(sidecar) == before


def test_hidden_people_are_not_written(tmp_path: Path, database: Database, photo: Photo) -> None:
    """The name of a hidden person is not told to other programs."""
    _, (left, _) = photo()
    review = ReviewService(database, "test")
    ada = review.split([left], "Ada")
    review.set_hidden(ada.person_id, hidden=True)
    assert MetadataNamesService(database, "test", workers=1).write().files == 0
    assert list(tmp_path.glob("*.xmp")) == []


def test_another_programs_changes_are_not_written_over(tmp_path: Path) -> None:
    """A sidecar that changed after it was read stays as it is now, and so does one that came to be."""
    sidecar = tmp_path / "photo.jpg.xmp"
    sidecar.write_bytes(b"theirs")
    for former in (b"before", None):
        with pytest.raises(MediaError, match="meanwhile"):
            write_sidecar(sidecar, b"ours", former)
    assert [one.read_bytes() for one in tmp_path.iterdir()] == [b"theirs"]


def test_a_place_that_cannot_be_written_to(tmp_path: Path) -> None:
    """The reason says that it is the sidecar that cannot be written."""
    (tmp_path / "file").touch()
    with pytest.raises(MediaError, match="cannot be written"):
        write_sidecar(tmp_path / "file" / "photo.jpg.xmp", b"ours", None)


def test_what_the_machine_guessed_is_not_written(tmp_path: Path, database: Database, photo: Photo) -> None:
    """Only what a human said goes into sidecars."""
    _, (left, _) = photo()
    ada = ReviewService(database, "test").create_person("Ada").person_id
    with database.write() as session:
        face = session.get_one(FaceInstance, left)
        face.person_id, face.assigned_by = ada, "machine"
    report = MetadataNamesService(database, "test", workers=1).write()
    assert report.files == 0
    assert list(tmp_path.glob("*.xmp")) == []


def test_a_shared_sidecar_is_left_alone(tmp_path: Path, database: Database, photo: Photo) -> None:
    """``photo.xmp`` of a raw file is not written to on behalf of the JPEG next to it."""
    path, (left, _) = photo()
    (tmp_path / "photo.CR2").write_bytes(b"raw")
    shared = tmp_path / "photo.xmp"
    shared.write_bytes(digikam([], (WIDTH, HEIGHT)))
    before = digest(shared)
    ReviewService(database, "test").split([left], "Ada")
    MetadataNamesService(database, "test", workers=1).write()
    assert digest(shared) == before
    assert "Ada" in path.with_name("photo.jpg.xmp").read_text()


def test_what_cannot_be_written(tmp_path: Path, database: Database, photo: Photo) -> None:
    """A damaged sidecar, and a link to another place, are left as they are and told of."""
    path, (left, _) = photo()
    linked, (other, _) = photo("linked.jpg")
    ReviewService(database, "test").split([left, other], "Ada")
    damaged = path.with_name("photo.jpg.xmp")
    damaged.write_bytes(b"<x>")
    target = tmp_path / "elsewhere.txt"
    target.write_bytes(digikam([], (WIDTH, HEIGHT)))
    linked.with_name("linked.jpg.xmp").symlink_to(target)
    before = digest(target)
    report = MetadataNamesService(database, "test", workers=1).write()
    assert (report.written, report.unreadable) == (0, 2)
    assert damaged.read_bytes() == b"<x>"
    assert digest(target) == before


def test_a_photo_that_moved(tmp_path: Path, database: Database, photo: Photo) -> None:
    """A sidecar moves with its photo: it names no path."""
    path, (left, _) = photo()
    ReviewService(database, "test").split([left], "Ada")
    MetadataNamesService(database, "test", workers=1).write()
    moved = tmp_path / "moved"
    moved.mkdir()
    for each in (path, path.with_name("photo.jpg.xmp")):
        shutil.move(each, moved / each.name)
    assert str(tmp_path) not in (moved / "photo.jpg.xmp").read_text()
    with Image.open(moved / "photo.jpg") as image:
        assert "xmp" not in image.info


def test_a_new_sidecar_leaves_regions_of_another_shape_out(database: Database, photo: Photo) -> None:
    """A photo that was cut keeps regions of the whole: the sidecar has the library's name, in this picture's
    size, and reading it names nobody else."""
    path, (left, _) = photo(packet=digikam([("Middle", share(RIGHT))], (3 * WIDTH, HEIGHT)))
    ReviewService(database, "test").split([left], "Ada")
    service = MetadataNamesService(database, "test", workers=2)
    assert service.write().written == 1
    root = parse_packet(path.with_name(f"{path.name}.xmp").read_bytes())
    (reading,) = readings(root, Frame(WIDTH, HEIGHT, 1))
    assert [region.name for region in reading.faces] == ["Ada"]
    assert service.write().unchanged == 1


def test_a_sidecar_with_regions_of_another_shape_is_not_changed(database: Database, photo: Photo) -> None:
    """Another program's work stays as it is, and it is said why."""
    path, (left, _) = photo()
    sidecar = path.with_name(f"{path.name}.xmp")
    sidecar.write_bytes(digikam([("Middle", share(RIGHT))], (3 * WIDTH, HEIGHT)))
    before = sidecar.read_bytes()
    ReviewService(database, "test").split([left], "Ada")
    report = MetadataNamesService(database, "test", workers=2).write()
    assert (report.written, report.unreadable, sidecar.read_bytes()) == (0, 1, before)
    assert f"{3 * WIDTH} × {HEIGHT}" in report.examples[0]
