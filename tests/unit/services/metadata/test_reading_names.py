"""Names out of photos' metadata."""

from __future__ import annotations

import pytest

from image_search_service.core.types import Box
from image_search_service.db.models import FaceInstance
from image_search_service.db.session import Database
from image_search_service.media.orientation import to_stored
from image_search_service.media.regions import Frame, readings
from image_search_service.media.sidecars import EXTENSION
from image_search_service.media.xmp import parse_packet
from image_search_service.services.decisions.naming import Namesake
from image_search_service.services.decisions.service import ReviewService
from image_search_service.services.metadata.names import MetadataNamesService
from tests.support.round_trips import round_trips
from tests.support.world import World
from tests.unit.services.metadata.named_photos import (
    HEIGHT,
    LEFT,
    RIGHT,
    WIDTH,
    Photo,
    names,
    read,
    said,
    share,
    stored_size,
)
from tests.unit.services.metadata.xmp_files import WRITERS, digikam, lightroom


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


def test_s12_a_name_that_two_people_have(database: Database, photo: Photo) -> None:
    """A name that several people have says not who is meant: it is counted, and nobody is named; a face of
    one of them is as the file says."""
    _, (left, right) = photo(packet=said("digikam", 1))
    _, (other_left, _) = photo("other.jpg", packet=said("digikam", 1))
    review = ReviewService(database, "test")
    review.create_person("Ada")
    review.split([other_left], "Ada", who=Namesake.ANOTHER)
    report = read(database)
    assert (report.shared, report.kept) == (1, 0)
    assert [example.partition(": ")[2] for example in report.examples] == ["several people are called Ada."]
    assert left not in names(database)
    assert names(database)[right] == "Grace"


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


@pytest.mark.parametrize("program", ["digikam", "lightroom"])
def test_regions_kept_by_a_program_that_cut_the_picture(
    database: Database, photo: Photo, program: str
) -> None:
    """They were made for a picture three times as wide: nobody is named by them, and it is said why."""
    regions = [("Middle", share(LEFT)), ("Right", share(RIGHT))]
    path, _ = photo(packet=WRITERS[program](regions, (3 * WIDTH, HEIGHT)))
    report = read(database)
    assert names(database) == {}
    assert (report.outdated, report.named, report.unmatched, report.unreadable) == (2, 0, 0, 0)
    why = f"made for a picture of {3 * WIDTH} × {HEIGHT} pixels; this one has {WIDTH} × {HEIGHT}."
    assert report.examples == [f"{path}: Its regions were {why}"]


def test_regions_of_a_picture_that_was_resized(database: Database, photo: Photo) -> None:
    """They are in shares of the picture, and stay right; sizes are rounded."""
    packet = digikam([("Ada", share(LEFT))], (WIDTH * 3 + 1, HEIGHT * 3))
    _, (left, _) = photo(packet=packet)
    assert read(database).named == 1
    assert names(database) == {left: "Ada"}


@pytest.mark.parametrize("orientation", [3, 6, 8])
@pytest.mark.parametrize("is_measured", ["in the raw's stored picture", "in the upright picture"])
def test_f11_a_raws_sidecar_beside_an_upright_jpeg(
    database: Database, photo: Photo, orientation: int, is_measured: str
) -> None:
    """F11: a sidecar that names another orientation than the photo's is read both ways; faces decide."""
    path, (left, right) = photo()
    turned = orientation if is_measured == "in the raw's stored picture" else 1
    regions = [(name, to_stored(share(box), turned)) for name, box in (("Ada", LEFT), ("Grace", RIGHT))]
    packet = digikam(regions, (0, 0)).replace(
        b"<dc:title>",
        b'<t:Orientation xmlns:t="http://ns.adobe.com/tiff/1.0/">%d</t:Orientation><dc:title>' % orientation,
    )
    path.with_name("photo.NEF").write_bytes(b"raw")
    path.with_name("photo.xmp").write_bytes(packet)
    read(database)
    assert names(database) == {left: "Ada", right: "Grace"}


def test_f11_a_raws_sidecar_with_its_size(database: Database, photo: Photo) -> None:
    """F11: the size of the raw's stored picture is not another shape than that of the upright JPEG."""
    path, (left, right) = photo()
    packet = said("digikam", 6).replace(
        b"<dc:title>", b'<t:Orientation xmlns:t="http://ns.adobe.com/tiff/1.0/">6</t:Orientation><dc:title>'
    )
    path.with_name("photo.xmp").write_bytes(packet)
    report = read(database)
    assert (names(database), report.outdated) == ({left: "Ada", right: "Grace"}, 0)


def test_f11_why_a_region_is_unmatched_is_said(database: Database, photo: Photo) -> None:
    """F11: a region that meets no face is named, with what was tried."""
    path, _ = photo()
    packet = digikam([("Ada", Box(0.45, 0.85, 0.05, 0.05))], (0, 0)).replace(
        b"<dc:title>", b'<t:Orientation xmlns:t="http://ns.adobe.com/tiff/1.0/">6</t:Orientation><dc:title>'
    )
    path.with_name("photo.xmp").write_bytes(packet)
    report = read(database)
    assert (report.unmatched, len(report.examples)) == (1, 1)
    assert "no face is at the place of Ada, whichever way its regions are turned" in report.examples[0]


def rect64(box: Box) -> str:
    edges = (box.x, box.y, box.x + box.width, box.y + box.height)
    return "rect64(" + "".join(f"{round(edge * 0xFFFF):04x}" for edge in edges).lstrip("0") + ")"


@pytest.mark.parametrize("orientation", [1, 3, 6])
@pytest.mark.parametrize("is_measured", ["as it is shown", "as it is stored"])
def test_picasas_names(database: Database, photo: Photo, orientation: int, is_measured: str) -> None:
    """Picasa's names go to the faces at their places, and follow its file; a sidecar comes before it."""
    path, (left, right) = photo(orientation=orientation)
    turned = orientation if is_measured == "as it is stored" else 1
    boxes = [rect64(to_stored(share(box), turned)) for box in (LEFT, RIGHT)]
    ini = path.with_name(".picasa.ini")
    text = f"[photo.jpg]\nfaces={boxes[0]},a1;{boxes[1]},b2\n[Contacts2]\na1=Ada;;\nb2=Grace;;\n"
    ini.write_text(text)
    read(database)
    assert names(database) == {left: "Ada", right: "Grace"}
    ini.write_text(text.replace("Grace", "Emmy"))
    assert read(database).corrected == 1
    assert names(database) == {left: "Ada", right: "Emmy"}
    path.with_name("photo.jpg.xmp").write_bytes(said("digikam", orientation, "Ada", "Mary"))
    read(database)
    assert names(database)[left] == "Ada"
