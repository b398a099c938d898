"""Names from photos' metadata, and into sidecars."""

from __future__ import annotations

import hashlib
import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, PngImagePlugin
from sqlalchemy import select

from image_search_service.core.errors import MediaError
from image_search_service.core.types import Box
from image_search_service.db.models import FaceInstance, PersonRow
from image_search_service.db.session import Database
from image_search_service.media.orientation import to_stored
from image_search_service.media.regions import Frame, packet_bytes, parse_packet, readings
from image_search_service.media.sidecars import EXTENSION, write_sidecar
from image_search_service.services.decisions.service import ReviewService
from image_search_service.services.metadata.names import MetadataNamesService, ReadReport
from tests.support.pictures import STORED_AS, exif_bytes, picture
from tests.support.round_trips import round_trips
from tests.support.world import World, migrated_database
from tests.support.xmp import WRITERS, digikam, lightroom, windows

WIDTH, HEIGHT = 120, 80
LEFT, RIGHT = Box(10, 10, 30, 40), Box(70, 20, 30, 30)
"""In pixels of the upright photo."""


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    (tmp_path / "library").mkdir()
    made = migrated_database(tmp_path / "library")
    yield made
    made.close()


def in_file(suffix: str, packet: bytes) -> dict[str, Any]:
    """How Pillow is told to write XMP into a file of this kind."""
    if suffix == ".png":
        text = PngImagePlugin.PngInfo()
        text.add_itxt("XML:com.adobe.xmp", packet.decode())
        return {"pnginfo": text}
    return {"tiffinfo": {700: packet}} if suffix == ".tif" else {"xmp": packet}


@pytest.fixture
def photo(tmp_path: Path, database: Database) -> Callable[..., tuple[Path, list[uuid.UUID]]]:
    """A photo with a face left and one right, stored under some orientation; and its faces.

    A HEIC is decoded upright, whatever orientation is written in it.
    """

    def add(
        name: str = "photo.jpg", orientation: int = 1, packet: bytes | None = None
    ) -> tuple[Path, list[uuid.UUID]]:
        path = tmp_path / name
        stored = None if path.suffix == ".heic" else STORED_AS[orientation]
        image = picture(WIDTH, HEIGHT)
        image = image if stored is None else image.transpose(stored)
        extra = {} if packet is None else in_file(path.suffix, packet)
        image.save(path, exif=exif_bytes(orientation=orientation), **extra)
        with database.write() as session:
            world = World(session)
            asset = world.photo(str(path), [LEFT, RIGHT])
            asset.width, asset.height = WIDTH, HEIGHT
            faces = list(
                session.scalars(
                    select(FaceInstance.id)
                    .where(FaceInstance.asset_id == asset.id)
                    .order_by(FaceInstance.position)
                )
            )
        return path, faces

    return add


def share(box: Box) -> Box:
    return Box(box.x / WIDTH, box.y / HEIGHT, box.width / WIDTH, box.height / HEIGHT)


def stored_size(orientation: int) -> tuple[int, int]:
    return (HEIGHT, WIDTH) if orientation >= 5 else (WIDTH, HEIGHT)


def said(program: str, orientation: int, left: str = "Ada", right: str = "Grace") -> bytes:
    """What a program writes of the two faces."""
    regions = [(left, to_stored(share(LEFT), orientation)), (right, to_stored(share(RIGHT), orientation))]
    return WRITERS[program](regions, stored_size(orientation))


def read(database: Database) -> ReadReport:
    return MetadataNamesService(database, "test", workers=2).read()


def names(database: Database) -> dict[uuid.UUID, str]:
    """Of each face that a human has named."""
    with database.read() as session:
        rows = session.execute(
            select(FaceInstance.id, PersonRow.name)
            .join(PersonRow, PersonRow.id == FaceInstance.person_id)
            .where(FaceInstance.assigned_by == "human")
        )
        return {row[0]: row[1] for row in rows}


Photo = Callable[..., tuple[Path, list[uuid.UUID]]]


@pytest.mark.parametrize("program", sorted(WRITERS))
@pytest.mark.parametrize("orientation", range(1, 9))
def test_names_are_put_on_the_right_faces(
    database: Database, photo: Photo, program: str, orientation: int
) -> None:
    """A name in a photo's XMP goes to the face at its place, whichever way the photo is stored."""
    _, (left, right) = photo(orientation=orientation, packet=said(program, orientation))
    report = read(database)
    assert names(database) == {left: "Ada", right: "Grace"}
    assert (report.regions, report.matched, report.named, len(report.decisions)) == (2, 2, 2, 1)
    assert read(database).decisions == []


@pytest.mark.parametrize("suffix", ["png", "webp", "tif", "heic"])
def test_every_kind_of_file(database: Database, photo: Photo, suffix: str) -> None:
    """XMP is found in all kinds of files that hold it."""
    _, (left, right) = photo(f"photo.{suffix}", packet=said("digikam", 1))
    read(database)
    assert names(database) == {left: "Ada", right: "Grace"}


def with_extension(jpeg: bytes, packet: bytes) -> bytes:
    """A JPEG with extended XMP in two segments, the second part first."""
    cut = len(packet) // 2
    segments = b""
    for offset, part in ((cut, packet[cut:]), (0, packet[:cut])):
        place = len(packet).to_bytes(4, "big") + offset.to_bytes(4, "big")
        body = EXTENSION + b"0" * 32 + place + part
        segments += b"\xff\xe1" + (len(body) + 2).to_bytes(2, "big") + body
    return jpeg[:2] + segments + jpeg[2:]


def test_extended_xmp(database: Database, photo: Photo) -> None:
    """Regions that had no room in a JPEG's first XMP segment are read from the others."""
    path, (left, right) = photo(orientation=6)
    path.write_bytes(with_extension(path.read_bytes(), said("digikam", 6)))
    read(database)
    assert names(database) == {left: "Ada", right: "Grace"}


@pytest.mark.parametrize("sidecar", ["photo.jpg.xmp", "photo.xmp", "photo.XMP"])
def test_a_sidecar_comes_first(database: Database, photo: Photo, sidecar: str) -> None:
    """What a sidecar says counts more than what the file itself says."""
    path, (left, right) = photo(orientation=6, packet=said("digikam", 6))
    path.with_name(sidecar).write_bytes(said("lightroom", 6, "Emmy", "Mary"))
    read(database)
    assert names(database) == {left: "Emmy", right: "Mary"}


def test_what_a_human_said_here_stands(database: Database, photo: Photo) -> None:
    """Faces that were named otherwise, rejected, or said to be none are not renamed by metadata."""
    _, (left, right) = photo(packet=said("digikam", 1))
    _, (other_left, other_right) = photo("other.jpg", packet=said("digikam", 1))
    review = ReviewService(database, "test")
    emmy = review.split([left], "Emmy")
    ada = review.split([other_left], "Ada").person_id
    review.unassign_faces([other_left])
    review.not_a_face([right])
    report = read(database)
    assert names(database) == {left: "Emmy", other_right: "Grace"}
    assert (report.kept, report.named) == (3, 1)
    assert ada != emmy.person_id


def test_it_can_be_undone(database: Database, photo: Photo) -> None:
    """Names from metadata are one decision; taken back, it is not made again by the next reading."""
    photo(packet=said("digikam", 1))
    (decision,) = read(database).decisions
    ReviewService(database, "test").undo(decision)
    assert names(database) == {}
    again = read(database)
    assert (again.kept, again.named, names(database)) == (2, 0, {})


@pytest.mark.parametrize("orientation", [5, 6, 7, 8])
@pytest.mark.parametrize("measured_in", ["stored", "upright"])
def test_the_upright_size(database: Database, photo: Photo, orientation: int, measured_in: str) -> None:
    """Where the size that a program wrote leaves open in which picture it measured, the faces tell."""
    turned = orientation if measured_in == "stored" else 1
    regions = [(name, to_stored(share(box), turned)) for name, box in (("Ada", LEFT), ("Grace", RIGHT))]
    _, (left, right) = photo(orientation=orientation, packet=digikam(regions, (WIDTH, HEIGHT)))
    read(database)
    assert names(database) == {left: "Ada", right: "Grace"}


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_phones_picture(database: Database, photo: Photo, orientation: int) -> None:
    """In a HEIC, which is decoded upright, regions are turned by the orientation that EXIF has."""
    path, (left, right) = photo("photo.heic", orientation=orientation, packet=said("digikam", orientation))
    read(database)
    assert names(database) == {left: "Ada", right: "Grace"}
    path.with_name("photo.heic.xmp").write_bytes(digikam([], stored_size(orientation)))
    MetadataNamesService(database, "test", workers=1).write()
    root = parse_packet(path.with_name("photo.heic.xmp").read_bytes())
    written = readings(root, Frame(*stored_size(orientation), 1))[0].named
    assert [one.name for one in written] == ["Ada", "Grace"]
    assert written[0].box.center == pytest.approx(to_stored(share(LEFT), orientation).center, abs=1e-5)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_lightroom_writes_the_upright_size(database: Database, photo: Photo, orientation: int) -> None:
    """Lightroom's names go to the right faces, with the upright size that it writes."""
    regions = [(name, to_stored(share(box), orientation)) for name, box in (("Ada", LEFT), ("Grace", RIGHT))]
    _, (left, right) = photo(orientation=orientation, packet=lightroom(regions, (WIDTH, HEIGHT)))
    read(database)
    assert names(database) == {left: "Ada", right: "Grace"}


def test_a_name_of_one_who_was_merged(database: Database, photo: Photo) -> None:
    """A name of somebody who was merged into another goes to whom they are now."""
    _, (left, right) = photo()
    review = ReviewService(database, "test")
    ada, lovelace = review.split([left], "Ada").person_id, review.split([right], "Ada Lovelace").person_id
    review.merge_persons([ada], into=lovelace)
    _, (other, _) = photo("other.jpg", packet=said("digikam", 1, "ada", ""))
    read(database)
    assert names(database)[other] == "Ada Lovelace"


def test_faces_said_to_be_different_are_not_joined(database: Database, photo: Photo) -> None:
    """Of two groups that were said to be different, metadata gives only one to a person."""
    _, (left, right) = photo(packet=said("digikam", 1, "Ada", "Ada"))
    with database.write() as session:
        world = World(session)
        groups = [world.cluster([session.get_one(FaceInstance, face)]).id for face in (left, right)]
    ReviewService(database, "test").mark_clusters_different(groups[0].hex, groups[1].hex)
    assert read(database).kept == 1
    assert list(names(database).values()) == ["Ada"]


def test_what_cannot_be_read(database: Database, photo: Photo) -> None:
    """A damaged sidecar and a vanished file are told of, and stop nothing."""
    path, faces = photo(packet=said("digikam", 1))
    path.with_name("photo.jpg.xmp").write_bytes(b"<not xmp")
    gone, _ = photo("gone.jpg")
    gone.unlink()
    report = read(database)
    assert sorted(names(database)) == sorted(faces)
    assert report.unreadable == 2
    assert any(example.startswith(f"{path}.xmp: ") and "damaged" in example for example in report.examples)


def test_statements_do_not_grow(database: Database, photo: Photo) -> None:
    """Reading costs as many statements for many photos of a page as for few."""
    counts = []
    for number in (2, 20):
        for each in range(number):
            photo(f"{number}-{each}.jpg", packet=said("digikam", 1, f"A{number}", f"B{number}"))
        with round_trips(database.engine) as trips:
            read(database)
        counts.append(trips.statements)
    assert counts[0] == counts[1]


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


def digest(path: Path) -> tuple[str, int]:
    return hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns


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
    review.undo(merged.id)
    review.undo(grace.decision)
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
