"""Centroids in their own collection."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
import pytest

from image_search_service.core.errors import InvalidInputError
from image_search_service.vector.centroid_qdrant import (
    CentroidPoint,
    CentroidQdrantClient,
)
from tests.support.backends import BACKENDS, open_backend, unit_vectors
from tests.support.round_trips import round_trips

VECTORS = unit_vectors(150)
CENTROIDS = [
    CentroidPoint(UUID(int=row + 1), vector, UUID(int=row + 1001)) for row, vector in enumerate(VECTORS)
]


@pytest.fixture(params=BACKENDS)
def centroids(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[CentroidQdrantClient]:
    """150 centroids on each backend."""
    with open_backend(request.param, tmp_path) as client:
        opened = CentroidQdrantClient(client, f"centroids_test_{uuid4().hex}", 16)
        opened.ensure_collection()
        opened.upsert_centroids(CENTROIDS)
        yield opened
        client.delete_collection(opened.collection_name)


def test_stored_found_and_deleted(centroids: CentroidQdrantClient) -> None:
    """Centroids are read by id, a hundred in a request, and gone when retired."""
    with round_trips() as trips:
        batch = centroids.get_centroids_by_point_ids([each.point_id for each in CENTROIDS])
        centroids.delete_centroids([CENTROIDS[0].point_id])
    np.testing.assert_allclose(batch.matrix, VECTORS, atol=1e-6)
    assert trips.qdrant == {"retrieve": 2, "delete": 1}
    assert centroids.count() == 149


def test_a_new_one_replaces_the_old_one(centroids: CentroidQdrantClient) -> None:
    """Storing a centroid again under its id changes it and adds none."""
    centroids.upsert_centroids([CentroidPoint(UUID(int=1), VECTORS[5], UUID(int=7))])
    assert centroids.count() == 150
    np.testing.assert_allclose(
        centroids.get_centroids_by_point_ids([UUID(int=1)]).matrix, VECTORS[5:6], atol=1e-6
    )


def test_what_is_no_centroid_is_refused(centroids: CentroidQdrantClient) -> None:
    """A vector of another engine is not stored."""
    with pytest.raises(InvalidInputError):
        centroids.upsert_centroids([CentroidPoint(uuid4(), VECTORS[0][:8], uuid4())])
