"""The specification's integration tests: a job does the same with batches as with one embedding a call.

"Before" is the same job on a collection that is read one by one (``benchmarks/before.py``).
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from benchmarks.before import OneByOneFaces
from image_search_service.core.types import JsonObject
from image_search_service.db.models import (
    ClusterRow,
    FaceInstance,
    FaceSuggestion,
    PersonPrototype,
    PersonRow,
)
from image_search_service.db.session import Database, sqlite_url
from image_search_service.library.stores import Stores
from image_search_service.queue.face_jobs import JOBS
from image_search_service.recognition.engines.synthetic import SyntheticEngine
from image_search_service.services.centroid_service import CentroidService
from image_search_service.services.jobs.service import JobKind
from image_search_service.vector.centroid_qdrant import CentroidQdrantClient
from image_search_service.vector.collections import FacePayload, FacePoint
from image_search_service.vector.face_qdrant import FaceQdrantClient
from tests.support.backends import open_backend
from tests.support.databases import depth
from tests.support.given_stores import given_stores
from tests.support.round_trips import round_trips
from tests.support.served import DIMENSION, add_person, alike, directions
from tests.support.world import World, migrated_database

NAMED, UNNAMED, STRANGERS = 12, 60, 30
THRESHOLDS = SyntheticEngine.thresholds
CLUSTERING: JsonObject = {"method": "agglomerative", "min_cluster_size": 2}
COMPARING = {JobKind.ASSIGN_FACES: 2, JobKind.CLUSTER_DUAL: 2}
"""Requests by which a job looks for contradictions between people when it has done the rest."""
SEARCH: JsonObject = {"limit": 50, "min_confidence": None}


class Album:
    """Two persons with some faces each, more faces of them and of two strangers, and many like nobody.

    The database is copied for each job; the collection of faces stays as it is but for what jobs tell it.
    """

    def __init__(self, client: Any, folder: Path) -> None:
        self.client = client
        self.folder = folder
        self.collection = f"faces_{uuid4().hex}"
        faces = FaceQdrantClient(client, self.collection, DIMENSION)
        faces.ensure_collection()
        database = migrated_database(folder)
        with database.write() as session:
            world = World(session)
            self.persons = [str(add_person(world, name).id) for name in ("Ada", "Grace")]
            looks = directions(4, seed=5)
            for number, (person, look) in enumerate(zip(self.persons, looks, strict=False)):
                _add(world, faces, alike(look, NAMED, seed=number), person_id=UUID(person))
            for number, look in enumerate(looks):
                _add(world, faces, alike(look, UNNAMED // 4, spread=0.6, seed=10 + number))
            _add(world, faces, directions(STRANGERS, seed=77))
        database.close()

    @contextmanager
    def services(self, reader: type[FaceQdrantClient]) -> Iterator[Stores]:
        """Services on a copy of the database and new centroids."""
        copy = self.folder / f"{uuid4().hex}.sqlite3"
        shutil.copyfile(self.folder / "library.sqlite3", copy)
        centroids = CentroidQdrantClient(self.client, f"centroids_{copy.stem}", DIMENSION)
        centroids.ensure_collection()
        database = Database(sqlite_url(copy))
        yield given_stores(database, reader(self.client, self.collection, DIMENSION), centroids, THRESHOLDS)
        database.close()
        self.client.delete_collection(centroids.collection_name)


def _add(world: World, faces: FaceQdrantClient, embeddings: Any, **columns: Any) -> None:
    rows = [world.face(world.photo(f"/photos/{uuid4().hex}.jpg"), **columns) for _ in embeddings]
    faces.upsert_faces(
        FacePoint(row.id, embedding, FacePayload(row.id, row.asset_id, row.person_id))
        for row, embedding in zip(rows, embeddings, strict=True)
    )


@pytest.fixture(scope="module", params=["embedded", depth("grpc"), depth("rest")])
def album(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Album]:
    with open_backend(request.param, tmp_path_factory.mktemp("qdrant")) as client:
        yield Album(client, tmp_path_factory.mktemp("sql"))


def outcome(services: Stores) -> JsonObject:
    """Everything that a job may have decided; what is named by chance (ids of clusters) is left out."""
    with services.database.read() as session:
        faces = list(session.scalars(select(FaceInstance).order_by(FaceInstance.id)))
        clusters = {one.id: one for one in session.scalars(select(ClusterRow))}
        suggestions = list(session.scalars(select(FaceSuggestion)))
        prototypes = list(session.scalars(select(PersonPrototype)))
        persons = list(session.scalars(select(PersonRow.id).order_by(PersonRow.id)))
    members: dict[UUID, set[UUID]] = {}
    for face in faces:
        if face.cluster_id is not None:
            members.setdefault(face.cluster_id, set()).add(face.id)
    active = CentroidService(services).active_centroids(persons)
    return {
        "persons": {face.id: (face.person_id, face.assigned_by) for face in faces},
        "clusters": {
            frozenset(ids): (
                clusters[cluster_id].size,
                clusters[cluster_id].confidence,
                clusters[cluster_id].representative_face_id,
            )
            for cluster_id, ids in members.items()
        },
        "suggestions": {
            (one.face_instance_id, one.person_id): (
                one.state,
                one.confidence,
                one.source,
                [item.get("face_instance_id", "centroid") for item in one.evidence],
                [item["similarity"] for item in one.evidence],
            )
            for one in suggestions
        },
        "prototypes": {(one.person_id, one.face_instance_id, one.role) for one in prototypes},
        "centroids": dict(zip(active.person_ids, active.matrix.tolist(), strict=True)),
    }


PARAMETERS: dict[JobKind, JsonObject] = {
    JobKind.CLUSTER_FACES: CLUSTERING,
    JobKind.CLUSTER_DUAL: CLUSTERING,
    JobKind.ASSIGN_FACES: {},
    JobKind.COMPUTE_CENTROIDS: {"force": True},
    JobKind.FIND_MORE_SUGGESTIONS: SEARCH,
    JobKind.FIND_MORE_MULTI_PROTOTYPE_SUGGESTIONS: SEARCH,
    JobKind.FIND_MORE_CENTROID_SUGGESTIONS: SEARCH,
}
FOR_PERSONS = {kind for kind in PARAMETERS if "suggestions" in kind or "centroids" in kind}
DOES = {
    JobKind.CLUSTER_FACES: "clusters",
    JobKind.CLUSTER_DUAL: "clusters",
    JobKind.ASSIGN_FACES: "persons",
    JobKind.COMPUTE_CENTROIDS: "centroids",
}


@pytest.mark.parametrize("kind", PARAMETERS)
def test_results_are_identical(album: Album, kind: JobKind) -> None:
    """Clusterings, assignments, centroids and suggestions are the same, and the fetches are few."""
    parameters = PARAMETERS[kind] | ({"person_ids": album.persons} if kind in FOR_PERSONS else {})
    outcomes, requests = [], []
    for reader in (OneByOneFaces, FaceQdrantClient):
        with album.services(reader) as services:
            untouched = outcome(services)
            with round_trips() as trips:
                JOBS[kind](services, lambda _done, _total: None, **parameters)
            outcomes.append(outcome(services))
            requests.append(trips.qdrant["retrieve"])
            services.faces.update_person_ids(
                {face: person for face, (person, _) in untouched["persons"].items()}
            )
    before, after = outcomes
    assert after == before
    assert after[DOES.get(kind, "suggestions")] != untouched[DOES.get(kind, "suggestions")]
    assert requests[1] <= 5 + COMPARING.get(kind, 0)
