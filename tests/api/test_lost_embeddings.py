"""S1: a library of which Qdrant lost embeddings: what compares faces says so, and names the repair."""

from __future__ import annotations

import re
from pathlib import Path
from uuid import UUID

import pytest

from image_search_service.core.errors import LostEmbeddingsError
from image_search_service.db.models import FaceInstance
from image_search_service.db.queries import absent_folders
from image_search_service.queue.face_jobs import JOBS
from image_search_service.services.centroid_service import CentroidService
from image_search_service.services.indexing.pipeline import index_photos
from image_search_service.services.jobs.service import JobKind
from tests.support.round_trips import round_trips
from tests.support.served import Served, add_faces, add_person, directions, no_bar
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
def test_s1_a_route_that_compares_faces_is_no_empty_list(
    api: Served, ids: dict[str, str], route: str
) -> None:
    """S1: it answers 503 with the command that mends it."""
    answer = api.client.get(f"/api/v1{route.format(**ids)}")
    assert answer.status_code == 503
    problem = answer.json()
    assert problem["type"] == "urn:image-search:lost-embeddings"
    assert "5 of 6 faces" in problem["detail"]
    assert "doctor --repair" in problem["hint"]


ABOUT_THE_STORES = {"/ready", "/metrics"}
"""They say how things are, whatever is wrong."""


def test_s1_no_route_that_asks_qdrant_is_forgotten(api: Served, ids: dict[str, str]) -> None:
    """S1: of all that can be read, whatever asks Qdrant for anything says which command mends it: where an
    embedding is lost, and where a collection is."""
    CentroidService(api.library.stores).compute_centroids()
    asking = {}
    for route in readable_routes(api, ids):
        with round_trips() as trips:
            status = api.client.get(route).status_code
        if trips.requests:
            asking[route] = status
    assert len(asking) > len(COMPARING)
    assert {route for route, status in asking.items() if status != 503} <= {
        f"/api/v1/centroids/{ids['person']}",  # which is there
        *ABOUT_THE_STORES,
    }
    for collection in (api.library.faces, api.library.centroids):
        collection.client.delete_collection(collection.collection_name)
    for route in asking.keys() - ABOUT_THE_STORES:
        answer = api.client.get(route)
        assert (answer.status_code, "doctor --repair" in answer.json()["hint"]) == (503, True), route


def readable_routes(api: Served, ids: dict[str, str]) -> list[str]:
    """Every address that can be read and ends, with the ids of what there is."""
    names = {"face_id": ids["face"], "person_id": ids["person"], "cluster_id": ids["cluster"]}
    paths = api.client.get("/openapi.json").json()["paths"]
    known = [path for path, methods in paths.items() if "get" in methods and not path.endswith("/events")]
    filled = [re.sub(r"{(\w+)}", lambda name: names.get(name[1], str(UUID(int=1))), path) for path in known]
    return filled + [f"/api/v1{route.format(**ids)}" for route in COMPARING]


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
def test_s1_a_job_that_compares_faces_does_not_begin(
    api: Served, kind: JobKind, parameters: dict[str, object]
) -> None:
    """S1: it fails with the same words, and changes nothing."""
    with pytest.raises(LostEmbeddingsError, match="5 of 6 faces"):
        JOBS[kind](api.library.stores, lambda *_: None, **parameters)


@pytest.mark.usefixtures("ids")
def test_s1_indexing_does_not_begin(api: Served, tmp_path: Path) -> None:
    """S1: a run over photos without a new one says so, too, before it changes anything."""
    (tmp_path / "photos").mkdir()
    with pytest.raises(LostEmbeddingsError, match="5 of 6 faces"):
        index_photos(api.library.stores, [tmp_path / "photos"], actor="test", watch=no_bar)
    with api.library.database.read() as session:
        assert absent_folders.index_roots(session) == []


def test_s1_a_face_by_hand_is_not_made(api: Served, ids: dict[str, str]) -> None:
    """S1: drawing a face does not begin an empty collection silently."""
    collection = api.library.faces
    collection.client.delete_collection(collection.collection_name)
    with api.library.database.read() as session:
        asset = session.get_one(FaceInstance, UUID(ids["face"])).asset_id
    box = [0.1, 0.1, 0.2, 0.2]
    answer = api.client.post("/api/v1/decisions/add-face", json={"asset_id": str(asset), "box": box})
    assert (answer.status_code, "doctor --repair" in answer.json()["hint"]) == (503, True)
