"""Naming, listing and finding people, on SQLite."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from image_search_service.core.errors import InvalidInputError, NotFoundError
from image_search_service.core.names import clean_name
from image_search_service.core.types import Box
from image_search_service.db.queries import payloads
from image_search_service.db.session import Database
from image_search_service.services.decisions.naming import Namesake
from image_search_service.services.decisions.service import ReviewService
from image_search_service.services.people.lookup import PeopleService
from tests.support.world import World, migrated_database

LEFT, RIGHT = Box(10, 40, 20, 20), Box(60, 40, 20, 20)


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = migrated_database(tmp_path)
    yield made
    made.close()


def two_clusters(database: Database) -> tuple[str, str]:
    """Three photos: the larger cluster is in all of them, the smaller in two."""
    with database.write() as session:
        world = World(session)
        photos = [world.photo(f"/photos/{n}.jpg") for n in range(3)]
        large = world.cluster([world.face(photo, 0, LEFT) for photo in photos])
        small = world.cluster([world.face(photo, 1, RIGHT) for photo in photos[:2]])
        return large.id.hex, small.id.hex


def test_people_lists_clusters_largest_first_with_a_sample(database: Database) -> None:
    """Every cluster comes with its size, its confidence and a file that shows it."""
    large, small = two_clusters(database)
    found = PeopleService(database).people()
    assert [cluster.id.hex for cluster in found.clusters] == [large, small]
    assert [cluster.faces for cluster in found.clusters] == [3, 2]
    assert found.clusters[0].sample == Path("/photos/0.jpg")
    assert found.persons == []


def test_naming_a_cluster_makes_a_person_of_its_faces(database: Database) -> None:
    """The faces go to a new person, the cluster is no more, and Qdrant is due to be told."""
    large, small = two_clusters(database)
    named = ReviewService(database, "test").name_cluster(large[:8], "  Ada   Lovelace ")
    assert (named.name, named.faces, named.created) == ("Ada Lovelace", 3, True)
    found = PeopleService(database).people()
    assert [(person.name, person.faces, person.photos) for person in found.persons] == [
        ("Ada Lovelace", 3, 3)
    ]
    assert [cluster.id.hex for cluster in found.clusters] == [small]
    with database.read() as session:
        due = payloads.due_payloads(session, 10)
    assert [(face.person_id, face.cluster_id) for face in due] == [(named.person_id, None)] * 3


def test_a_second_cluster_of_the_same_name_goes_to_the_same_person(database: Database) -> None:
    """Names are compared without regard to case, width and surrounding space."""
    large, small = two_clusters(database)
    service = PeopleService(database)
    first = ReviewService(database, "test").name_cluster(large, "Zoë")
    second = ReviewService(database, "test").name_cluster(small, " ZOE\u0308 ", who=Namesake.SAME)
    assert second.person_id == first.person_id
    assert not second.created
    assert [(person.name, person.faces) for person in service.people().persons] == [("Zoë", 5)]


def test_photos_of_several_people_show_all_of_them(database: Database) -> None:
    """With two names only the photos that show both are found."""
    large, small = two_clusters(database)
    service = PeopleService(database)
    ReviewService(database, "test").name_cluster(large, "Ada")
    ReviewService(database, "test").name_cluster(small, "Grace")
    assert [photo.path for photo in service.photos(["Ada", "grace"])] != []
    assert {photo.path for photo in service.photos(["Ada", "grace"])} == {
        Path("/photos/0.jpg"),
        Path("/photos/1.jpg"),
    }
    assert len(service.photos(["Ada"])) == 3


def test_unknown_names_are_named(database: Database) -> None:
    """Photos of somebody who does not exist are an error that says who."""
    with pytest.raises(NotFoundError, match="Grace"):
        PeopleService(database).photos(["Grace"])


@pytest.mark.parametrize("text", ["", "12", "not-hex!", "0" * 33])
def test_what_is_no_id_is_wrong_use(database: Database, text: str) -> None:
    """An id is four or more hexadecimal characters."""
    with pytest.raises(InvalidInputError):
        ReviewService(database, "test").name_cluster(text, "Ada")


def test_absent_cluster_is_not_found(database: Database) -> None:
    """An id that no cluster starts with is an error, and no person is made."""
    two_clusters(database)
    with pytest.raises(NotFoundError):
        ReviewService(database, "test").name_cluster("0000000000", "Ada")
    assert PeopleService(database).people().persons == []


@pytest.mark.parametrize("name", ["", "   ", "\u200b\n", "\x00"])
def test_names_without_a_visible_character_are_refused(name: str) -> None:
    """A name has to be seen."""
    with pytest.raises(InvalidInputError):
        clean_name(name)
