"""What each call site asks of Qdrant and of SQL, counted at 10, 100 and 1,000 faces.

``pytest tests/contract/test_call_sites.py -s`` prints the table.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import ceil
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest
from sqlalchemy import delete, update

from image_search_service.core.types import FloatArray
from image_search_service.db.models import (
    ClusterRow,
    FaceInstance,
    FaceSuggestion,
    ImageAsset,
    PersonCentroid,
    PersonPrototype,
    PersonRow,
)
from image_search_service.db.queries.batches import insert_rows, upsert_rows
from image_search_service.db.session import Database
from image_search_service.faces.assigner import FaceAssigner
from image_search_service.faces.dual_clusterer import DualModeClusterer
from image_search_service.library.stores import Stores
from image_search_service.recognition.thresholds import Thresholds
from image_search_service.services.centroid_service import CentroidService
from image_search_service.services.face_clustering_service import FaceClusteringService
from image_search_service.services.suggestions.prototypes import PrototypeService
from image_search_service.services.suggestions.search import SuggestionService
from image_search_service.vector.centroid_qdrant import CentroidQdrantClient
from image_search_service.vector.collections import FacePayload, FacePoint
from image_search_service.vector.face_qdrant import FaceQdrantClient
from tests.support.backends import open_backend, unit_vectors
from tests.support.databases import depth, open_database
from tests.support.given_stores import given_stores
from tests.support.round_trips import RoundTrips, round_trips

THRESHOLDS = Thresholds(same_person=0.6, assign=0.7, suggest=0.5, neighbour=0.65)
DIMENSION = 16


@dataclass
class Crowd:
    """A person with n faces, n like them in a cluster without a name, and n − 1 persons with a face each."""

    database: Database
    faces: FaceQdrantClient
    centroids: CentroidQdrantClient
    person_id: UUID
    cluster_id: UUID
    unnamed: list[UUID]
    others: list[UUID]

    @property
    def stores(self) -> Stores:
        return given_stores(self.database, self.faces, self.centroids, THRESHOLDS)

    @property
    def centroid_service(self) -> CentroidService:
        return CentroidService(self.stores)

    @property
    def prototype_service(self) -> PrototypeService:
        return PrototypeService(self.stores)

    @property
    def clustering_service(self) -> FaceClusteringService:
        return FaceClusteringService(self.stores)

    @property
    def face_assigner(self) -> FaceAssigner:
        return FaceAssigner(self.stores, self.centroid_service)

    @property
    def dual_clusterer(self) -> DualModeClusterer:
        return DualModeClusterer(self.stores, self.centroid_service)

    @property
    def suggestion_service(self) -> SuggestionService:
        return SuggestionService(self.stores)


def around(direction: FloatArray, number: int, seed: int) -> FloatArray:
    """``(number, DIMENSION)`` faces of one person."""
    rows = direction + 0.3 * unit_vectors(number, seed=seed)
    unit: FloatArray = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit


def insert_persons(database: Database, number: int) -> list[UUID]:
    ids = sorted(uuid4() for _ in range(number))
    with database.write() as session:
        insert_rows(session, PersonRow, [{"id": one, "name": str(one), "name_key": str(one)} for one in ids])
    return ids


def insert_faces(
    database: Database,
    faces: FaceQdrantClient,
    embeddings: FloatArray,
    persons: list[UUID | None],
    cluster_id: UUID | None = None,
) -> list[UUID]:
    """A face for each embedding, each in a photo of its own, in SQL and in Qdrant."""
    ids = [uuid.uuid4() for _ in embeddings]
    photos = [{"id": one, "content_hash": one.hex * 2, "width": 100, "height": 100} for one in ids]
    same: dict[str, Any] = {
        "position": 0, "box_x": 0, "box_y": 0, "box_width": 9, "box_height": 9, "landmarks": [],
        "detection_confidence": 0.9, "quality_score": 0.5, "quality_parts": {}, "cluster_id": cluster_id,
    }  # fmt: skip
    rows = [
        {"id": one, "asset_id": one, "qdrant_point_id": one, "person_id": person, **same}
        for one, person in zip(ids, persons, strict=True)
    ]
    with database.write() as session:
        insert_rows(session, ImageAsset, photos)
        insert_rows(session, FaceInstance, rows)
    faces.upsert_faces(
        FacePoint(one, embedding, FacePayload(one, one, person, cluster_id, 0.5, 0.9))
        for one, embedding, person in zip(ids, embeddings, persons, strict=True)
    )
    return ids


@pytest.fixture(scope="module", params=[depth("embedded"), "grpc"])
def backend(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with open_backend(request.param, tmp_path_factory.mktemp("qdrant")) as client:
        yield client


@pytest.fixture(scope="module", params=[10, 100, depth(1_000)])
def made(
    request: pytest.FixtureRequest, backend: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Crowd]:
    with open_database("sqlite", tmp_path_factory.mktemp("sql")) as database:
        faces = FaceQdrantClient(backend, f"faces_{uuid4().hex}", DIMENSION)
        centroids = CentroidQdrantClient(backend, f"centroids_{uuid4().hex}", DIMENSION)
        faces.ensure_collection()
        centroids.ensure_collection()
        yield fill(database, faces, centroids, request.param)
        backend.delete_collection(faces.collection_name)
        backend.delete_collection(centroids.collection_name)


@pytest.fixture
def crowd(made: Crowd) -> Crowd:
    """Without what an earlier call site has left."""
    with made.database.write() as session:
        for table in (FaceSuggestion, PersonPrototype, PersonCentroid):
            session.execute(delete(table))
        cluster = {"id": made.cluster_id, "size": len(made.unnamed), "confidence": 0.5}
        upsert_rows(
            session,
            ClusterRow,
            [cluster | {"representative_face_id": made.unnamed[0]}],
            key=["id"],
            update=[],
        )
        free = {"person_id": None, "assigned_by": None, "cluster_id": made.cluster_id}
        session.execute(update(FaceInstance), [{"id": one, **free} for one in made.unnamed])
    made.centroids.reset_collection(confirm=made.centroids.collection_name)
    return made


def fill(database: Database, faces: FaceQdrantClient, centroids: CentroidQdrantClient, number: int) -> Crowd:
    person_id, *others = insert_persons(database, number)
    look = unit_vectors(1, seed=7)[0]
    insert_faces(database, faces, around(look, number, 1), [person_id] * number)
    insert_faces(database, faces, -around(look, number - 1, 2), list(others))
    cluster_id = uuid4()
    with database.write() as session:
        session.add(ClusterRow(id=cluster_id, size=number, confidence=0.5, representative_face_id=cluster_id))
    unnamed = insert_faces(database, faces, around(look, number, 3), [None] * number, cluster_id)
    return Crowd(database, faces, centroids, person_id, cluster_id, unnamed, others)


@dataclass(frozen=True)
class Cost:
    """For n faces: so many requests, and ``in_batch`` for each batch; so many statements (``BEGIN`` too),
    and ``chunked`` for each 500 ids."""

    requests: int = 0
    batch: int | None = None
    in_batch: int = 1
    statements: int = 0
    chunked: int = 0

    def of(self, n: int) -> tuple[int, int]:
        batches = self.in_batch * ceil(n / self.batch) if self.batch else 0
        return self.requests + batches, self.statements + self.chunked * ceil(n / 500)


SITES: dict[str, tuple[Callable[[Crowd], object], Cost]] = {
    "get_person_face_embeddings": (
        lambda c: c.centroid_service.get_person_face_embeddings(c.person_id),
        Cost(batch=1_000, statements=2),
    ),
    "compute_centroids_for_person": (
        lambda c: c.centroid_service.compute_centroids_for_person(c.person_id),
        Cost(batch=1_000, requests=1, statements=13),
    ),
    "compute_centroids, n persons": (
        lambda c: c.centroid_service.compute_centroids(c.others),
        Cost(batch=500, in_batch=2, statements=3, chunked=10),
    ),
    "compute_prototypes": (
        lambda c: c.prototype_service.compute_prototypes([c.person_id]),
        Cost(batch=1_000, statements=8),
    ),
    "calculate_cluster_confidence": (
        lambda c: c.clustering_service.calculate_cluster_confidence(c.cluster_id),
        Cost(requests=1, statements=2),
    ),
    "… exact, of all faces": (
        lambda c: c.clustering_service.calculate_cluster_confidence(
            c.cluster_id, max_faces_for_calculation=None
        ),
        Cost(batch=100, statements=2),
    ),
    "select_representative_face": (
        lambda c: c.clustering_service.select_representative_face(c.cluster_id),
        Cost(batch=100, statements=2),
    ),
    "find_more": (
        lambda c: c.suggestion_service.find_more(c.person_id, limit=1_000),
        Cost(requests=3, batch=1_000, statements=17, chunked=6),
    ),
    "find_more_multi_prototype": (
        lambda c: c.suggestion_service.find_more_multi_prototype(c.person_id, limit=1_000),
        Cost(requests=4, batch=1_000, statements=27, chunked=6),
    ),
    "find_more_centroid": (
        lambda c: c.suggestion_service.find_more_centroid(c.person_id, limit=1_000),
        Cost(requests=3, batch=1_000, statements=23, chunked=6),
    ),
    "compute_person_centroids": (
        lambda c: c.face_assigner.compute_person_centroids([c.person_id]),
        Cost(batch=1_000, requests=2, statements=15),
    ),
    "assign_new_faces": (
        lambda c: c.face_assigner.assign_new_faces(),
        Cost(batch=1_000, in_batch=2, statements=17, chunked=1),
    ),
    "assign_to_known_people": (
        lambda c: c.dual_clusterer.assign_to_known_people(),
        Cost(batch=1_000, in_batch=2, statements=17, chunked=1),
    ),
    "cluster_unknown_faces": (
        lambda c: c.dual_clusterer.cluster_unknown_faces(),
        Cost(batch=1_000, statements=8, chunked=1),  # chunked: faces are marked as compared
    ),
    "suggestions_for_face": (
        lambda c: c.suggestion_service.suggestions_for_face(c.unnamed[0]),
        Cost(requests=2, statements=13, chunked=1),
    ),
}


FRESH = {
    "assign_new_faces",
    "assign_to_known_people",
    "find_more",
    "find_more_centroid",
    "find_more_multi_prototype",
    "suggestions_for_face",
}
"""Counted as they mostly run: all centroids are fresh. What these cost has a line of its own."""


def counted(crowd: Crowd, call: Callable[[Crowd], object]) -> RoundTrips:
    with round_trips(crowd.database.engine) as trips:
        call(crowd)
    return trips


@pytest.mark.parametrize("site", SITES)
def test_round_trips(crowd: Crowd, site: str) -> None:
    """A call site's requests and statements are constant, or one for each batch."""
    call, cost = SITES[site]
    n = len(crowd.unnamed)
    if site in FRESH:
        crowd.centroid_service.compute_centroids()
    trips = counted(crowd, call)
    print(f"{site:32} {n:6,} faces: {trips.requests:3} requests, {trips.statements:3} statements")
    assert (trips.requests, trips.statements) == cost.of(n), (trips.qdrant, trips.sql)
