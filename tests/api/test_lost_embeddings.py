"""A library of which Qdrant lost embeddings: what compares faces says so, and names the repair."""

from __future__ import annotations

import pytest

from image_search_service.core.errors import LostEmbeddingsError
from image_search_service.queue.face_jobs import JOBS
from image_search_service.services.jobs.service import JobKind
from tests.support.served import Served, add_faces, add_person, directions
from tests.support.world import World

COMPARING = [
    "/faces/{face}/suggestions",
    "/faces/{face}/explanation",
    "/faces/clusters/{cluster}/persons",
    "/persons/{person}/faces?order=odd",
    "/review/next",
]


@pytest.fixture
def ids(api: Served) -> dict[str, str]:
    """A person, a group and a face, of which Qdrant has lost one embedding of six."""
    with api.library.database.write() as session:
        world = World(session)
        person = add_person(world, "Ada")
        named = add_faces(api.library, world, directions(3), person_id=person.id)
        others = add_faces(api.library, world, directions(3))
        cluster = world.cluster(others)
        found = {"person": str(person.id), "face": str(named[0].id), "cluster": str(cluster.id)}
    api.library.faces.delete_faces([named[2].qdrant_point_id])
    return found


@pytest.mark.parametrize("route", COMPARING)
def test_a_route_that_compares_faces_is_no_empty_list(api: Served, ids: dict[str, str], route: str) -> None:
    """It answers 503 with the command that mends it."""
    answer = api.client.get(f"/api/v1{route.format(**ids)}")
    assert answer.status_code == 503
    problem = answer.json()
    assert problem["type"] == "urn:image-search:lost-embeddings"
    assert "5 of 6 faces" in problem["detail"]
    assert "doctor --repair" in problem["hint"]


@pytest.mark.parametrize(
    "route", ["/persons/{person}", "/persons/{person}/faces", "/faces/clusters/{cluster}"]
)
def test_what_sql_says_is_answered(api: Served, ids: dict[str, str], route: str) -> None:
    """Lists of people, groups and photos need no embedding."""
    assert api.client.get(f"/api/v1{route.format(**ids)}").status_code == 200


SEARCH = {"person_ids": [], "limit": 5, "min_confidence": None}


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        (JobKind.ASSIGN_FACES, {}),
        (JobKind.CLUSTER_DUAL, {"method": "graph", "min_cluster_size": 2}),
        (JobKind.CLUSTER_FACES, {"method": "graph", "min_cluster_size": 2}),
        (JobKind.COMPUTE_CENTROIDS, {"person_ids": [], "force": True}),
        (JobKind.FIND_MORE_SUGGESTIONS, SEARCH),
        (
            JobKind.FIND_MORE_MULTI_PROTOTYPE_SUGGESTIONS,
            {"person_ids": [], "limit": 5, "min_confidence": None},
        ),
        (JobKind.FIND_MORE_CENTROID_SUGGESTIONS, SEARCH),
    ],
)
@pytest.mark.usefixtures("ids")
def test_a_job_that_compares_faces_does_not_begin(
    api: Served, kind: JobKind, parameters: dict[str, object]
) -> None:
    """It fails with the same words, and changes nothing."""
    with pytest.raises(LostEmbeddingsError, match="5 of 6 faces"):
        JOBS[kind](api.library.stores, lambda *_: None, **parameters)
