"""Saving a grouping while others work on the same library."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import select

from image_search_service.db.models import ClusterRow, FaceInstance
from image_search_service.db.queries import face_moves
from image_search_service.faces.grouper import FaceGrouper
from image_search_service.library.health import library_counts
from image_search_service.library.opening import Library
from image_search_service.services.face_clustering_service import FaceClusteringService
from image_search_service.vector.embedding_batch import EmbeddingBatch
from image_search_service.vector.face_qdrant import FaceQdrantClient
from tests.support.given_stores import with_collections
from tests.support.served import add_faces, add_person, alike, directions
from tests.support.stores import STORES, library_on
from tests.support.world import World

LOOKS = directions(2, seed=5)


class Interrupted(FaceQdrantClient):
    """A collection during whose reading somebody else does something."""

    meanwhile: Any = None

    def get_embeddings_by_point_ids(self, point_ids: Any, batch_size: int = 100) -> EmbeddingBatch:
        batch = super().get_embeddings_by_point_ids(point_ids, batch_size)
        if self.meanwhile is not None:
            meanwhile, self.meanwhile = self.meanwhile, None
            meanwhile()
        return batch


@pytest.fixture(params=STORES)
def library(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Library]:
    """Five faces of one look and three of another, none of them named."""
    with library_on(request.param, tmp_path) as opened:
        with opened.database.write() as session:
            looks = [alike(LOOKS[0], 5, spread=0.3), alike(LOOKS[1], 3, spread=0.3)]
            add_faces(opened, World(session), np.vstack(looks))
        yield opened


@pytest.fixture
def interrupted(library: Library) -> Interrupted:
    return Interrupted(library.faces.client, library.faces.collection_name, library.faces.dimension)


def grouper(library: Library, faces: FaceQdrantClient) -> FaceGrouper:
    return FaceGrouper(with_collections(library.stores, faces=faces))


def clusters(library: Library) -> dict[UUID, set[UUID]]:
    """The faces of each cluster; its row says how many there are, and one of them stands for it."""
    with library.database.read() as session:
        rows = session.execute(select(FaceInstance.cluster_id, FaceInstance.id))
        members: dict[UUID, set[UUID]] = {}
        for cluster_id, face_id in rows:
            if cluster_id is not None:
                members.setdefault(cluster_id, set()).add(face_id)
        for row in session.scalars(select(ClusterRow)):
            assert row.size == len(members[row.id])
            assert row.representative_face_id in members[row.id]
    return members


def test_what_is_named_meanwhile_stays_named(library: Library, interrupted: Interrupted) -> None:
    """A face that a human names while a grouping computes is in no cluster, and the cluster is smaller."""
    grouper(library, library.faces).group()
    largest = max(clusters(library).values(), key=len)
    named = sorted(largest)[:2]

    def name() -> None:
        with library.database.write() as session:
            ada = add_person(World(session), "Ada")
            face_moves.set_persons(session, dict.fromkeys(named, ada.id))

    interrupted.meanwhile = name
    found = grouper(library, interrupted).group()
    assert sorted(map(len, clusters(library).values())) == [3, 3]
    assert found.clusters == 2
    assert library_counts(library).named_faces == 2


def test_a_cluster_that_is_named_meanwhile_is_gone(library: Library, interrupted: Interrupted) -> None:
    """A cluster of which one face is left over is no cluster."""
    grouper(library, library.faces).group()
    cluster_id, members = max(clusters(library).items(), key=lambda item: len(item[1]))

    def name() -> None:
        with library.database.write() as session:
            ada = add_person(World(session), "Ada")
            face_moves.set_persons(session, dict.fromkeys(sorted(members)[1:], ada.id))

    interrupted.meanwhile = name
    assert grouper(library, interrupted).group().clusters == 1
    assert cluster_id not in clusters(library)


def test_two_groupings_at_once(library: Library, interrupted: Interrupted) -> None:
    """The one that ends last decides, and finds the clusters that the other has made."""
    interrupted.meanwhile = grouper(library, library.faces).group
    grouper(library, interrupted).group(min_cluster_size=4)
    assert sorted(map(len, clusters(library).values())) == [5]


def test_what_is_found_meanwhile_waits(library: Library, interrupted: Interrupted) -> None:
    """Faces that were indexed while a grouping computed are grouped by the next one, which is due."""

    def index() -> None:
        with library.database.write() as session:
            add_faces(library, World(session), alike(LOOKS[0], 1, spread=0.3, seed=9))

    interrupted.meanwhile = index
    grouper(library, interrupted).group()
    row = library.engine_binding.row()
    assert row is not None
    assert row.grouping_stale
    FaceClusteringService(library.stores).group_if_stale()
    assert sorted(map(len, clusters(library).values())) == [3, 6]
