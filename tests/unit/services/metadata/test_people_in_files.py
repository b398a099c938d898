"""People whom files name without a place, and new names wherever the former ones stood."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import select

from image_search_service.core.records.photos import PersonWithoutFace
from image_search_service.db.models import ImageAsset
from image_search_service.db.session import Database
from image_search_service.services.decisions.service import ReviewService
from image_search_service.services.metadata.names import MetadataNamesService
from image_search_service.services.people.faces import FaceCatalogue
from tests.support.world import World
from tests.unit.services.metadata.named_photos import HEIGHT, LEFT, RIGHT, WIDTH, Photo, names, read, share
from tests.unit.services.metadata.xmp_files import digikam

KEYWORDS = (
    b'<d:TagsList xmlns:d="http://www.digikam.org/ns/1.0/"><rdf:Seq><rdf:li>People/Anna</rdf:li>'
    b"<rdf:li>People/Opa</rdf:li><rdf:li>Places/Anna</rdf:li></rdf:Seq></d:TagsList>"
    b'<l:hierarchicalSubject xmlns:l="http://ns.adobe.com/lightroom/1.0/"><rdf:Bag><rdf:li>People|Anna</rdf:li>'
    b"</rdf:Bag></l:hierarchicalSubject>"
    b'<i:PersonInImage xmlns:i="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"><rdf:Bag><rdf:li>Anna</rdf:li>'
    b"<rdf:li>Oma</rdf:li></rdf:Bag></i:PersonInImage>"
)


def sidecar_with_keywords(path: Path, *people: str) -> Path:
    """As digiKam writes it: regions, and the same people as keywords, and some who have no region."""
    sidecar = path.with_name(f"{path.name}.xmp")
    regions = [(name, share(box)) for name, box in zip(people, (LEFT, RIGHT), strict=False)]
    packet = digikam(regions, (WIDTH, HEIGHT))
    sidecar.write_bytes(packet.replace(b"<dc:title>", KEYWORDS + b"<dc:title>"))
    return sidecar


def without_face(database: Database) -> list[PersonWithoutFace]:
    with database.read() as session:
        asset_id = session.scalars(select(ImageAsset.id)).one()
    return FaceCatalogue(database).without_face(asset_id)


def test_people_without_a_place_are_listed(database: Database, photo: Photo) -> None:
    """Who is named in a file without a region is a person in the photo, and listed as such."""
    path, (left, _) = photo()
    oma = ReviewService(database, "test").create_person("Oma").person_id
    sidecar_with_keywords(path, "Anna")
    report = read(database)
    assert (names(database), report.without_place) == ({left: "Anna"}, 2)
    assert without_face(database) == [PersonWithoutFace(oma, "Oma"), PersonWithoutFace(None, "Opa")]
    ReviewService(database, "test").rename_person(oma, "Grandma")
    assert [person.name for person in without_face(database)] == ["Grandma", "Opa"]
    read(database)
    assert [person.name for person in without_face(database)] == ["Grandma", "Opa"]
    path.with_name("photo.jpg.xmp").unlink()
    read(database)
    assert without_face(database) == []


def test_a_photo_without_faces(tmp_path: Path, database: Database, photo: Callable[..., object]) -> None:
    """Somebody who turns their back is named, too."""
    photo()
    path = tmp_path / "back.jpg"
    (tmp_path / "photo.jpg").rename(path)
    with database.write() as session:
        asset = World(session).photo(str(path))
        asset_id = asset.id
    sidecar_with_keywords(path)
    read(database)
    named = FaceCatalogue(database).without_face(asset_id)
    assert [person.name for person in named] == ["Anna", "Oma", "Opa"]


def test_a_new_name_is_written_wherever_the_former_one_stood(database: Database, photo: Photo) -> None:
    """A person who was renamed is renamed in regions, keywords and lists of persons; nobody else is."""
    path, (left, _) = photo()
    oma = ReviewService(database, "test").create_person("Oma").person_id
    sidecar = sidecar_with_keywords(path, "Anna")
    read(database)
    review = ReviewService(database, "test")
    before = sidecar.read_text()
    review.split([left], "Anna Meier")
    review.rename_person(oma, "Grandma")
    service = MetadataNamesService(database, "test", workers=1)
    assert service.write(dry_run=True).written == 1
    assert sidecar.read_text() == before
    assert service.write().written == 1
    written = sidecar.read_text()
    assert [written.count(text) for text in ("People/Anna Meier<", "People|Anna Meier<", ">Anna Meier<")] == [
        1,
        1,
        2,
    ]
    assert [written.count(text) for text in (">Grandma<", "Oma", "People/Opa", "Places/Anna<")] == [
        1,
        0,
        1,
        1,
    ]
    assert service.write().unchanged == 1
    read(database)
    assert [person.name for person in without_face(database)] == ["Grandma", "Opa"]


def test_another_of_the_same_name_keeps_it(database: Database, photo: Photo) -> None:
    """A name that somebody else in the picture still has is not renamed in keywords."""
    path, (left, _) = photo()
    sidecar = sidecar_with_keywords(path, "Anna", "Anna")
    ReviewService(database, "test").split([left], "Anna Meier")
    MetadataNamesService(database, "test", workers=1).write()
    written = sidecar.read_text()
    assert [written.count(text) for text in ("People/Anna<", ">Anna Meier<", ">Anna<")] == [1, 1, 2]
