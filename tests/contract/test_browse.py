"""What is shown of a library, on SQLite and on PostgreSQL: pages follow each other without gap or repeat."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from image_search_service.core.errors import NotFoundError
from image_search_service.db.models import FaceSuggestion
from image_search_service.db.queries.people.face_pages import UNDATED, ClusterFilter
from image_search_service.services.people.views import BrowseService, Found
from tests.support.databases import DATABASES, open_database
from tests.support.given_stores import given_stores
from tests.support.served import add_person
from tests.support.world import World

DAYS = (3, None, 1, 2, None, 2)
SIZES = (4, 2, 2, 7)


@pytest.fixture(params=DATABASES)
def browse(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BrowseService]:
    """A library with clusters of some sizes, two persons, and suggestions for one of them."""
    with open_database(request.param, tmp_path) as database:
        with database.write() as session:
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
        yield BrowseService(given_stores(database, folder=tmp_path))


def all_pages(page: Callable[[Any], Found[Any]], key: Callable[[Any], Any]) -> list[Any]:
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


def test_clusters(browse: BrowseService) -> None:
    """The largest first, each once."""
    found = all_pages(
        lambda after: browse.clusters(ClusterFilter(after=after), 2),
        lambda item: (item.cluster.size, item.cluster.id),
    )
    assert [item.cluster.size for item in found] == [7, 4, 2, 2]
    assert len({item.cluster.id for item in found}) == len({item.version for item in found}) == 4
    faces = all_pages(
        lambda after: browse.cluster(found[0].cluster.id, after, 2)[1],
        lambda shown: (shown.face.quality_score, shown.face.id),
    )
    assert len({shown.face.id for shown in faces}) == 7


def test_persons_and_their_photos(browse: BrowseService) -> None:
    """Persons by number of faces; photos by date, those without one last."""
    found = all_pages(lambda after: browse.persons(after, 2), lambda item: (item.faces, item.person.name_key))
    assert [(item.person.name, item.faces, item.pending_suggestions) for item in found] == [
        ("Ada", 6, 5), ("Zoë", 0, 0),
    ]  # fmt: skip
    ada = found[0].person.id
    photos = all_pages(
        lambda after: browse.photos_of_person(ada, after, 2),
        lambda item: (item.photo.asset.taken_at or UNDATED, item.photo.asset.id),
    )
    taken = [item.photo.asset.taken_at for item in photos]
    assert [moment and moment.day - 1 for moment in taken] == [1, 2, 2, 3, None, None]
    assert [len(item.face_ids) for item in photos] == [1] * 6


def test_suggestions(browse: BrowseService) -> None:
    """By person, the best of each."""
    found = browse.suggestions(None, 2, 3)
    assert found.total == browse.persons_with_suggestions() == 1
    (shown,) = found.items
    group = shown.group
    assert shown.version.startswith("5-")
    assert (group.person.name, group.pending) == ("Ada", 5)
    assert [suggestion.confidence for suggestion in group.suggestions] == [0.4, 0.3, 0.2]
    (count,) = browse.suggestion_counts()
    assert (count.state, count.source, count.suggestions, count.persons) == ("pending", "centroid", 5, 1)


def test_persons_that_there_are(browse: BrowseService) -> None:
    """All persons, or those asked for; the unknown ones are named."""
    everybody = browse.person_ids(None)
    assert len(everybody) == 2
    assert browse.person_ids(everybody[:1]) == everybody[:1]
    nobody = uuid.uuid4()
    with pytest.raises(NotFoundError, match=str(nobody)):
        browse.person_ids([everybody[0], nobody])
