"""A route costs the same number of SQL statements and requests to Qdrant for ten faces as for a thousand."""

from __future__ import annotations

import pytest

from image_search_service.db.models import FaceSuggestion
from tests.support.round_trips import round_trips
from tests.support.served import Served, add_person
from tests.support.world import World

SIZES = (10, 100, 1_000)


def fill(api: Served, faces: int) -> dict[str, str]:
    """Ids of a person with so many photos, and a photo and a cluster of so many faces, each suggested."""
    with api.library.database.write() as session:
        world = World(session)
        person, suggested = add_person(world, f"Ada {faces}"), add_person(world, f"Grace {faces}")
        crowd = world.photo(f"/photos/crowd{faces}.jpg")
        members = [world.face(crowd, position) for position in range(faces)]
        cluster = world.cluster(members)
        for number in range(faces):
            world.face(world.photo(f"/photos/{faces}/{number}.jpg"), person_id=person.id)
        session.add_all(
            FaceSuggestion(
                face_instance_id=face.id,
                person_id=suggested.id,
                state="pending",
                confidence=0.5,
                source="prototype",
                evidence=[],
            )
            for face in members
        )
        return {
            "asset": str(crowd.id), "cluster": str(cluster.id), "person": str(person.id),
            "face": str(members[0].id),
        }  # fmt: skip


ROUTES = [
    "/faces/{face}",
    "/assets/{asset}/faces",
    "/faces/clusters",
    "/faces/clusters/{cluster}",
    "/persons",
    "/persons/{person}",
    "/persons/{person}/photos",
    "/suggestions",
    "/suggestions/stats",
    "/jobs",
]
"""Those that only read SQL."""


@pytest.fixture
def filled(api: Served) -> dict[int, dict[str, str]]:
    return {faces: fill(api, faces) for faces in SIZES}


def test_reading_costs_the_same_for_any_number_of_faces(
    api: Served, filled: dict[int, dict[str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    """Each route's statements are as many for a thousand faces as for ten, and it asks Qdrant nothing."""
    table = [("route", *SIZES)]
    for route in ROUTES:
        costs = []
        for ids in filled.values():
            with round_trips(api.library.database.engine) as trips:
                api.get(route.format(**ids), **({"limit": 200} if "{face}" not in route else {}))
            costs.append(trips.statements)
            assert trips.requests == 0
        table.append((route, *costs))
    with capsys.disabled():
        print("\nSQL statements a route, by faces")
        for row in table:
            print(f"{row[0]:28}" + "".join(f"{cost:>7}" for cost in row[1:]))
    assert all(len(set(row[1:])) == 1 for row in table[1:])
