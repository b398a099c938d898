"""A route costs the same number of SQL statements and requests to Qdrant for ten faces as for a thousand."""

from __future__ import annotations

import pytest

from image_search_service.api.pagination import MAX_LIMIT
from image_search_service.db.models import FaceSuggestion
from image_search_service.services.centroid_service import CentroidService
from tests.support.databases import depth
from tests.support.round_trips import round_trips
from tests.support.served import Served, add_faces, add_person, directions, store_embeddings
from tests.support.world import World

SIZES = [(10, 100), depth((10, 1_000))]


def fill(api: Served, faces: int) -> dict[str, str]:
    """Ids of a person with so many photos, and a photo and a cluster of so many faces, each suggested."""
    with api.library.database.write() as session:
        world = World(session)
        person, suggested = add_person(world, f"Ada {faces}"), add_person(world, f"Grace {faces}")
        crowd = world.photo(f"/photos/crowd{faces}.jpg")
        members = [world.face(crowd, position) for position in range(faces)]
        store_embeddings(api.library, members, directions(faces))
        cluster = world.cluster(members)
        shown = add_faces(api.library, world, directions(faces), person_id=person.id)
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
            "face": str(shown[0].id),
        }  # fmt: skip


ROUTES = [
    "/faces/{face}",
    "/faces/{face}/suggestions",
    "/faces/{face}/explanation",
    "/assets/{asset}/faces",
    "/faces/clusters",
    "/faces/clusters/{cluster}",
    "/faces/clusters/{cluster}/persons",
    "/persons",
    "/persons/{person}",
    "/persons/{person}/photos",
    "/persons/{person}/faces",
    "/persons/{person}/faces?order=odd",
    "/persons/{person}/with",
    "/persons/{person}/suggestions",
    "/persons/names",
    "/persons?order=waiting",
    "/library",
    "/assets",
    "/assets/months",
    "/assets/folders",
    "/photos/failed",
    "/faces?state=alone",
    "/persons/{person}/centroid",
    "/centroids/{person}",
    "/suggestions",
    "/suggestions/stats",
    "/decisions",
    "/jobs",
]


@pytest.fixture(params=SIZES)
def filled(api: Served, request: pytest.FixtureRequest) -> dict[int, dict[str, str]]:
    made = {faces: fill(api, faces) for faces in request.param}
    CentroidService(api.library.stores).compute_centroids()
    return made


def test_reading_costs_the_same_for_any_number_of_faces(
    api: Served, filled: dict[int, dict[str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    """A route's statements and requests to Qdrant are as many for many faces as for ten."""
    costs = {route: [cost(api, route.format(**ids)) for ids in filled.values()] for route in ROUTES}
    with capsys.disabled():
        print("\nSQL statements + requests to Qdrant a route, by faces")
        print(f"{'':30}" + "".join(f"{faces:>9,}" for faces in filled))
        for route, each in costs.items():
            print(f"{route:30}" + "".join(f"{sql:>5} + {qdrant}" for sql, qdrant in each))
    assert [route for route, each in costs.items() if len(set(each)) != 1] == []
    asking = {route for route, each in costs.items() if each[0][1]}
    assert asking == {
        "/centroids/{person}",
        "/faces/{face}/explanation",  # one count; the face explained has a person
        "/faces/clusters/{cluster}/persons",
        "/faces/{face}/suggestions",
        "/persons/{person}/faces?order=odd",
    }


POSTS: dict[str, dict[str, object]] = {
    "/faces/cluster": {},
    "/faces/cluster/dual": {},
    "/faces/assign": {},
    "/centroids": {"person_ids": ["{person}"]},
    "/suggestions/find-more/prototypes": {"person_ids": ["{person}"]},
    "/suggestions/find-more/multi_prototype": {"person_ids": ["{person}"]},
    "/suggestions/find-more/centroid": {"person_ids": ["{person}"]},
    "/suggestions/expire": {},
}
"""What begins a job. Decisions: ``tests/api/test_decisions.py``."""


def test_beginning_a_job_costs_the_same_for_any_number_of_faces(
    api: Served, filled: dict[int, dict[str, str]], capsys: pytest.CaptureFixture[str]
) -> None:
    """Asking for a job costs as many statements about a person with a thousand faces as with ten."""
    with capsys.disabled():
        print()
        for path, body in POSTS.items():
            costs = [post_cost(api, path, body, ids) for ids in filled.values()]
            print(f"{path:40}" + "".join(f"{sql:>5} + {qdrant}" for sql, qdrant in costs))
            assert len(set(costs)) == 1
            assert costs[0][1] == 0


def post_cost(api: Served, path: str, body: dict[str, object], ids: dict[str, str]) -> tuple[int, int]:
    """Statements and requests of one call; the jobs that wait already are cancelled before."""
    for job in api.get("/jobs", state="queued", limit=MAX_LIMIT)["items"]:
        api.post(f"/jobs/{job['id']}/cancel", status=200)
    given = {key: [ids["person"]] if isinstance(value, list) else value for key, value in body.items()}
    with round_trips(api.library.database.engine) as trips:
        api.post(path, given)
    return trips.statements, trips.requests


def cost(api: Served, path: str) -> tuple[int, int]:
    """Statements (with BEGIN) and requests of one call, as large a page as there can be."""
    url = f"/api/v1{path}{'&' if '?' in path else '?'}limit={MAX_LIMIT}"
    api.client.get(url)  # what is opened on first use is open
    with round_trips(api.library.database.engine) as trips:
        assert api.client.get(url).status_code == 200, url
    return trips.statements, trips.requests
