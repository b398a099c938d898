"""What is shown of a library, on SQLite and on PostgreSQL: pages follow each other without gap or repeat."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from image_search_service.core.errors import NotFoundError
from image_search_service.core.records.decisions import DecisionFilter
from image_search_service.core.records.faces import ClusterFilter, FaceState
from image_search_service.core.records.lists import ListPage
from image_search_service.core.records.people import FaceOrder, PersonOrder
from image_search_service.core.records.photos import UNDATED, PhotoFilter, PhotoOrder
from image_search_service.db.models import FaceInstance, FaceSuggestion
from image_search_service.db.queries import library
from image_search_service.db.session import Database
from image_search_service.recognition.engines.synthetic import SyntheticEngine
from image_search_service.services.decisions.history import HistoryService
from image_search_service.services.decisions.service import ReviewService
from image_search_service.services.people.clusters import ClusterCatalogue
from image_search_service.services.people.faces import FaceCatalogue
from image_search_service.services.people.persons import PersonCatalogue
from image_search_service.services.photos.photos import PhotoCatalogue
from image_search_service.services.photos.summary import SummaryService
from image_search_service.services.suggestions.catalogue import SuggestionCatalogue
from tests.support.databases import DATABASES, open_database
from tests.support.served import add_person
from tests.support.world import World

DAYS = (3, None, 1, 2, None, 2)
SIZES = (4, 2, 2, 7)


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A library with clusters of some sizes, two persons, and suggestions for one of them."""
    with open_database(request.param, tmp_path) as database:
        with database.write() as session:
            library.bind_engine(session, SyntheticEngine.identity, {})
            world = World(session)
            for size in SIZES:
                world.cluster([world.face(world.photo(f"/{uuid.uuid4()}")) for _ in range(size)])
            ada, _ = add_person(world, "Ada"), add_person(world, "Zoë")
            for day in DAYS:
                taken = None if day is None else datetime(2020, 1, 1) + timedelta(days=day)  # noqa: DTZ001
                world.face(world.photo(f"/{uuid.uuid4()}", taken_at=taken), person_id=ada.id)
            for number in range(5):
                face = world.face(world.photo(f"/{uuid.uuid4()}"))
                session.add(
                    FaceSuggestion(
                        face_instance_id=face.id, person_id=ada.id, state="pending",
                        confidence=number / 10, source="centroid", evidence=[],
                    )
                )  # fmt: skip
        yield database


def all_pages(page: Callable[[Any], ListPage[Any]], key: Callable[[Any], Any]) -> list[Any]:
    """Every item, a page of two at a time."""
    items: list[Any] = []
    after = None
    while True:
        found = page(after)
        items += found.items
        if len(found.items) < 2:
            assert found.total == len(items)
            return items
        after = key(items[-1])


def test_clusters(database: Database) -> None:
    """The largest first, each once, with its best faces."""
    clusters = ClusterCatalogue(database)
    found = all_pages(
        lambda after: clusters.page(ClusterFilter(after=after), 2), lambda item: (item.size, item.id)
    )
    assert [item.size for item in found] == [7, 4, 2, 2]
    assert [len(item.first_faces) for item in found] == [7, 4, 2, 2]
    assert len({item.id for item in found}) == len({item.version for item in found}) == 4
    faces = all_pages(
        lambda after: clusters.cluster(found[0].id, after, 2)[1], lambda face: (face.quality_score, face.id)
    )
    assert [face.id for face in faces] == list(found[0].first_faces)
    jumped = clusters.page(ClusterFilter(offset=3), 2)
    assert [item.id for item in jumped.items] == [found[3].id]


@pytest.mark.parametrize("order", PersonOrder)
def test_persons(database: Database, order: PersonOrder) -> None:
    """Everybody once, in each order, by cursor as by offset."""
    persons = PersonCatalogue(database)
    for name in ("Bo", "Cy", "Di"):
        with database.write() as session:
            add_person(World(session), name)
    found = all_pages(
        lambda after: persons.page(order, after, limit=2), lambda person: persons.place(person, order)
    )
    names = [person.name for person in found]
    jumped = [persons.page(order, limit=1, offset=place).items[0].name for place in range(5)]
    assert jumped == names
    newest = ["Di", "Cy", "Bo", "Zoë", "Ada"]
    assert names == (newest if order is PersonOrder.NEWEST else ["Ada", "Bo", "Cy", "Di", "Zoë"])


def test_a_person_and_their_photos(database: Database) -> None:
    """Photos by date, those without one last; years, faces and what waits are counted."""
    (ada, *_) = PersonCatalogue(database).page(limit=5).items
    assert (ada.faces, ada.photos, ada.pending_suggestions) == (6, 6, 5)
    assert (ada.first_year, ada.last_year) == (2020, 2020)
    photos = all_pages(
        lambda after: PhotoCatalogue(database).of_person(ada.id, after, 2),
        lambda item: (item.photo.taken_at or UNDATED, item.photo.id),
    )
    taken = [item.photo.taken_at for item in photos]
    assert [moment and moment.day - 1 for moment in taken] == [1, 2, 2, 3, None, None]
    assert [len(item.face_ids) for item in photos] == [1] * 6


def test_faces_of_a_person(database: Database) -> None:
    """By date or by quality, from any place of the list."""
    persons = PersonCatalogue(database)
    (ada, *_) = persons.page(limit=5).items
    for order in (FaceOrder.DATE, FaceOrder.QUALITY):
        every = persons.faces(ada.id, order, 0, 10).items
        assert len({item.face.id for item in every}) == 6
        assert list(persons.faces(ada.id, order, 4, 10).items) == list(every[4:])
    days = [
        item.face.taken_at and item.face.taken_at.day - 1
        for item in persons.faces(ada.id, FaceOrder.DATE, 0, 9).items
    ]
    assert days == [1, 2, 2, 3, None, None]


def test_all_photos(database: Database) -> None:
    """By date in both directions, from any place; months say where they begin."""
    photos, everything = PhotoCatalogue(database), PhotoFilter()
    for order in PhotoOrder:
        every = photos.page(everything, order, 0, 100)
        assert every.total == len({item.photo.id for item in every.items}) == 26
        taken = [item.photo.taken_at for item in every.items if item.photo.taken_at]
        assert taken == sorted(taken, reverse=order is PhotoOrder.NEWEST_FIRST)
        assert [item.photo.taken_at for item in every.items[4:]] == [None] * 22
        assert list(photos.page(everything, order, 3, 4).items) == list(every.items[3:7])
        months = photos.months(everything, order)
        assert [(one.month, one.photos, one.offset) for one in months] == [("2020-01", 4, 0), (None, 22, 4)]


def test_photos_of_some(database: Database) -> None:
    """By who is in them, who is not, whether a face is unknown, and by folder; each count fits its page."""
    (ada, *_) = PersonCatalogue(database).page(limit=5).items
    with database.write() as session:
        world = World(session)
        grace = add_person(world, "Grace")
        for number, persons in enumerate([(ada.id, grace.id), (grace.id,), (ada.id, None)]):
            photo = world.photo(f"/album/{number % 2}/{number}.jpg")
            for position, person in enumerate(persons):
                world.face(photo, position, person_id=person)
    wanted = {
        PhotoFilter(with_persons=(ada.id,)): 8,
        PhotoFilter(with_persons=(ada.id, grace.id)): 1,
        PhotoFilter(with_persons=(grace.id,), without=(ada.id,)): 1,
        PhotoFilter(with_persons=(ada.id,), unknown=True): 1,
        PhotoFilter(folder=Path("/album")): 3,
        PhotoFilter(folder=Path("/album/0")): 2,
        PhotoFilter(folder=Path("/alb")): 0,
    }
    photos = PhotoCatalogue(database)
    for where, number in wanted.items():
        found = photos.page(where, PhotoOrder.OLDEST_FIRST, 0, 50)
        assert (found.total, len(found.items)) == (number, number), where
        assert sum(month.photos for month in photos.months(where, PhotoOrder.OLDEST_FIRST)) == number
    folders = {folder.path: folder.photos for folder in photos.folders()}
    assert folders == {Path("/"): 26, Path("/album/0"): 2, Path("/album/1"): 1}


def test_who_is_seen_with_whom(database: Database) -> None:
    """Those in most photos with a person first, each photo counted once."""
    persons = PersonCatalogue(database)
    (ada, *_) = persons.page(limit=5).items
    with database.write() as session:
        world = World(session)
        grace, joan = add_person(world, "Grace"), add_person(world, "Joan")
        for number, others in enumerate([(grace.id, grace.id), (grace.id, joan.id), (grace.id,)]):
            photo = world.photo(f"/with/{number}.jpg")
            for position, person in enumerate([ada.id, *others]):
                world.face(photo, position, person_id=person)
        expected = [(grace.id, "Grace", 3), (joan.id, "Joan", 1)]
    assert [(one.person_id, one.name, one.photos) for one in persons.companions(ada.id)] == expected


def test_faces_of_nobody(database: Database) -> None:
    """Those alone, and those that are none; nothing is set aside."""
    faces = FaceCatalogue(database)
    with database.write() as session:
        World(session).face(World(session).photo("/none.jpg"), is_face=False)
    found = {state: faces.in_state(state, 0, 50) for state in FaceState}
    assert {state: (each.total, len(each.items)) for state, each in found.items()} == {
        FaceState.ALONE: (5, 5), FaceState.ASIDE: (0, 0), FaceState.NOT_A_FACE: (1, 1),
    }  # fmt: skip
    assert list(faces.in_state(FaceState.ALONE, 3, 9).items) == list(found[FaceState.ALONE].items[3:])


def test_replaced_photos_are_left_out(database: Database) -> None:
    """Of a photo that an edited one has replaced nothing is listed or counted."""
    before = SummaryService(database).summary()
    (ada, *_) = PersonCatalogue(database).page(limit=5).items
    with database.write() as session:
        world = World(session)
        for person in (ada.id, None):
            world.face(world.photo(f"/old{person}.jpg", replaced=True), person_id=person)
    assert SummaryService(database).summary() == before
    assert PersonCatalogue(database).person(ada.id) == ada
    assert PersonCatalogue(database).names()[0].faces == ada.faces
    assert FaceCatalogue(database).in_state(FaceState.ALONE, 0, 9).total == before.alone_faces


def test_the_library_in_numbers(database: Database) -> None:
    """Each thing is counted where it is."""
    found = SummaryService(database).summary()
    assert (found.photos, found.photos_failed, found.faces, found.named_faces) == (26, 0, 26, 6)
    assert (found.alone_faces, found.persons, found.clusters, found.waiting_suggestions) == (5, 2, 4, 5)
    assert (found.engine, found.last_decision, list(found.roots)) == (SyntheticEngine.identity.name, 0, [])


def test_suggestions(database: Database) -> None:
    """By person, the best of each."""
    suggestions = SuggestionCatalogue(database, lambda: SyntheticEngine.thresholds)
    found = suggestions.groups(None, 2, 3)
    assert found.total == suggestions.persons_waiting() == 1
    (group,) = found.items
    assert group.version.startswith("5-")
    assert (group.name, group.pending) == ("Ada", 5)
    assert [suggestion.confidence for suggestion in group.suggestions] == [0.4, 0.3, 0.2]
    (count,) = suggestions.counts()
    assert (count.state, count.source, count.suggestions, count.persons) == ("pending", "centroid", 5, 1)
    theirs, version = suggestions.of_person(group.person_id, 1, 2)
    assert (theirs.total, version) == (5, group.version)
    assert [item.suggestion.confidence for item in theirs.items] == [0.3, 0.2]


def test_decisions_about_a_person_or_by_somebody(database: Database) -> None:
    """Whose a face was stands in a change's value and in the details; both are found, and the author."""
    ada, zoe = PersonCatalogue(database).ids(None)
    with database.read() as session:
        faces = list(
            session.scalars(select(FaceInstance.id).where(FaceInstance.person_id.is_(None)).limit(2))
        )
    ReviewService(database, "ben").assign_faces(faces[:1], ada)
    ReviewService(database, "Zoë").assign_faces(faces, zoe)
    history = HistoryService(database)

    def found(subject: uuid.UUID | None = None, actor: str | None = None) -> list[str]:
        which = DecisionFilter(subject, actor)
        events = history.page(which=which)
        assert len(events) == history.count(which)
        return [event.decision.actor for event in events]

    assert (found(ada), found(zoe), found(faces[1])) == (["Zoë", "ben"], ["Zoë"], ["Zoë"])
    assert (found(ada, "ben"), found(zoe, "ben"), found(actor="Zoë")) == (["ben"], [], ["Zoë"])
    assert set(history.page()[0].first_faces) == set(faces)


def test_persons_that_there_are(database: Database) -> None:
    """All persons, or those asked for; the unknown ones are named."""
    persons = PersonCatalogue(database)
    everybody = persons.ids(None)
    assert len(everybody) == 2
    assert persons.ids(everybody[:1]) == everybody[:1]
    nobody = uuid.uuid4()
    with pytest.raises(NotFoundError, match=str(nobody)):
        persons.ids([everybody[0], nobody])
