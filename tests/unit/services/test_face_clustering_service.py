"""A cluster's confidence and its representative face."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from unittest.mock import Mock
from uuid import UUID, uuid4

import numpy as np
import pytest

from benchmarks.before import get_embeddings_one_by_one
from image_search_service.core.errors import InvalidInputError, NotFoundError
from image_search_service.library.opening import Library
from image_search_service.services.face_clustering_service import FaceClusteringService
from tests.support.given_stores import with_collections
from tests.support.round_trips import round_trips
from tests.support.served import add_faces, alike, directions
from tests.support.stores import STORES, library_on
from tests.support.world import World


@pytest.fixture(params=STORES)
def library(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Library]:
    """A library of the synthetic engine without a face."""
    with library_on(request.param, tmp_path) as opened:
        yield opened


def cluster_of(library: Library, size: int) -> tuple[UUID, list[UUID]]:
    """A cluster's id and its faces' ids, sorted."""
    with library.database.write() as session:
        world = World(session)
        faces = add_faces(library, world, alike(directions(1)[0], size))
        return world.cluster(faces).id, sorted(face.id for face in faces)


def pairwise(library: Library, point_ids: list[UUID]) -> float:
    """The mean over all pairs, each pair on its own, of embeddings fetched one by one."""
    found = get_embeddings_one_by_one(library.faces.client, library.faces.collection_name, point_ids)
    pairs = combinations([np.array(vector) for vector in found.values()], 2)
    return float(np.mean([one @ other for one, other in pairs]))


@pytest.mark.parametrize("size", [2, 7, 20])
def test_confidence_identical_before_and_after(library: Library, size: int) -> None:
    """Up to twenty faces the confidence is the mean over all pairs, as fetched one by one."""
    cluster_id, ids = cluster_of(library, size)
    service = FaceClusteringService(library.stores)
    assert service.calculate_cluster_confidence(cluster_id) == pytest.approx(pairwise(library, ids), abs=1e-6)
    assert service.calculate_cluster_confidence(cluster_id, ids) == pytest.approx(
        pairwise(library, ids), abs=1e-6
    )


def test_confidence_of_many(library: Library) -> None:
    """Of more than twenty, always the same twenty are taken, or all if that is asked for."""
    cluster_id, ids = cluster_of(library, 50)
    service = FaceClusteringService(library.stores)
    twenty = [ids[round(place)] for place in np.linspace(0, 49, 20)]
    first = service.calculate_cluster_confidence(cluster_id)
    assert first == pytest.approx(pairwise(library, twenty), abs=1e-6)
    assert service.calculate_cluster_confidence(cluster_id, ids[::-1]) == first
    exact = service.calculate_cluster_confidence(cluster_id, max_faces_for_calculation=None)
    assert exact == pytest.approx(pairwise(library, ids), abs=1e-6)


def test_confidence_costs_two_round_trips(library: Library) -> None:
    """One transaction with one statement, and one request; only the request where the points are known."""
    cluster_id, ids = cluster_of(library, 90)
    service = FaceClusteringService(library.stores)
    with round_trips(library.database.engine) as trips:
        service.calculate_cluster_confidence(cluster_id, max_faces_for_calculation=None)
    statements = [sql[:6] for sql in trips.sql if not sql.startswith("BEGIN")]  # psycopg begins by itself
    assert (trips.requests, statements) == (1, ["SELECT"])
    with round_trips(library.database.engine) as trips:
        service.calculate_cluster_confidence(cluster_id, ids)
    assert (trips.requests, trips.statements) == (1, 0)


def test_confidence_from_a_plain_dict(library: Library) -> None:
    """A client that gives a plain dict of vectors of any length serves as well; missing ones are left out."""
    one, other, third = uuid4(), uuid4(), uuid4()
    qdrant = Mock()
    qdrant.get_embeddings_by_point_ids.return_value = {one: [2.0, 0.0], other: [3.0, 4.0]}
    service = FaceClusteringService(with_collections(library.stores, faces=qdrant))
    assert service.calculate_cluster_confidence(uuid4(), [one, other, third]) == pytest.approx(0.6)
    qdrant.get_embeddings_by_point_ids.assert_called_once()
    qdrant.get_embedding_by_point_id.assert_not_called()


def test_confidence_of_next_to_nothing(library: Library) -> None:
    """One face agrees with itself; no face with nothing; a maximum of one is a mistake."""
    cluster_id, _ = cluster_of(library, 1)
    service = FaceClusteringService(library.stores)
    assert service.calculate_cluster_confidence(cluster_id) == 1.0
    assert service.calculate_cluster_confidence(uuid4()) == 0.0
    with pytest.raises(InvalidInputError, match="2 or more"):
        service.calculate_cluster_confidence(cluster_id, max_faces_for_calculation=1)


def test_representative_face(library: Library) -> None:
    """Clear and typical: neither the clearest odd one nor a blurred typical one."""
    typical, odd = directions(2)
    with library.database.write() as session:
        world = World(session)
        faces = add_faces(library, world, np.array([typical, typical, odd, typical], dtype=np.float32))
        for face, quality in zip(faces, [0.2, 0.8, 1.0, 0.4], strict=True):
            face.quality_score = quality
        cluster_id = world.cluster(faces).id
    service = FaceClusteringService(library.stores)
    assert service.select_representative_face(cluster_id) == faces[1].id
    library.faces.delete_faces([face.id for face in faces])
    assert service.select_representative_face(cluster_id) == faces[2].id
    with pytest.raises(NotFoundError):
        service.select_representative_face(uuid4())
