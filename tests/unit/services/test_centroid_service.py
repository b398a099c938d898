"""Centroids: the same as one by one, computed when needed, never half there."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import select

from benchmarks.before import get_embeddings_one_by_one
from image_search_service.core.errors import UnavailableError
from image_search_service.core.types import FloatArray
from image_search_service.db.models import PersonCentroid, utc_now
from image_search_service.db.queries import batches, faces as face_queries
from image_search_service.library import centroids_in_memory
from image_search_service.library.opening import Library
from image_search_service.recognition import centroid
from image_search_service.recognition.centroid import source_hash, trimmed_centroid
from image_search_service.services import centroid_service as module
from image_search_service.services.centroid_service import CentroidService
from tests.support.given_stores import with_collections
from tests.support.served import add_faces, add_person, alike, directions
from tests.support.stores import STORES, library_on
from tests.support.world import World


@pytest.fixture(params=STORES)
def library(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Library]:
    """A library of the synthetic engine without a face."""
    with library_on(request.param, tmp_path) as opened:
        yield opened


def people(library: Library, *sizes: int) -> list[UUID]:
    """A person with so many faces for each size."""
    with library.database.write() as session:
        world = World(session)
        ids = []
        for number, size in enumerate(sizes):
            person = add_person(world, f"Person {number}")
            add_faces(
                library, world, alike(directions(1, seed=number)[0], size, seed=number), person_id=person.id
            )
            ids.append(person.id)
    return ids


def rows(library: Library) -> list[PersonCentroid]:
    with library.database.read() as session:
        return list(session.scalars(select(PersonCentroid)))


def one_by_one(library: Library, person_id: UUID) -> FloatArray:
    """The centroid as it was computed before: a request for each face."""
    with library.database.read() as session:
        points = [face.point_id for face in face_queries.faces_of_persons(session, [person_id])]
    found = get_embeddings_one_by_one(library.faces.client, library.faces.collection_name, points)
    return trimmed_centroid(np.array(list(found.values()), dtype=np.float32)).vector


def test_identical_before_and_after(library: Library) -> None:
    """Centroids, trimmed or not, are bit for bit those of embeddings fetched one by one."""
    ids = people(library, 1, 7, 60)
    run = CentroidService(library.stores).compute_centroids()
    assert (run.persons, run.computed, run.fresh) == (3, 3, 0)
    active = CentroidService(library.stores).active_centroids()
    assert active.person_ids == sorted(ids)
    service = CentroidService(library.stores)
    for person_id, stored in zip(active.person_ids, active.matrix, strict=True):
        before = one_by_one(library, person_id)
        after = trimmed_centroid(service.get_person_face_embeddings(person_id)[1].matrix).vector
        np.testing.assert_array_equal(after, before)
        np.testing.assert_allclose(stored, before, atol=2e-7)  # Qdrant makes its length 1 once more
    assert {row.person_id: row.faces_used for row in rows(library)} == dict(zip(ids, [1, 7, 57], strict=True))


def test_get_person_face_embeddings(library: Library) -> None:
    """Faces and embeddings fit row for row; a face whose embedding is not there is left out."""
    (ada,) = people(library, 5)
    service = CentroidService(library.stores)
    face_ids, batch = module.get_person_face_embeddings(service, ada)
    assert len(face_ids) == 5
    library.faces.delete_faces(face_ids[:1])
    left, fewer = service.get_person_face_embeddings(ada)
    assert left == face_ids[1:]
    assert list(fewer.missing) == face_ids[:1]
    np.testing.assert_array_equal(fewer.matrix, batch.matrix[1:])


def test_fresh_ones_are_left_alone(library: Library) -> None:
    """A centroid is computed again when the faces are others, or when told to, and not otherwise."""
    ada, grace = people(library, 4, 4)
    service = CentroidService(library.stores)
    assert service.is_stale(ada)
    assert service.compute_centroids([ada, grace]).computed == 2
    assert not service.is_stale(ada)
    assert service.compute_centroids().fresh == 2
    with library.database.write() as session:
        add_faces(library, World(session), directions(1, seed=9), person_id=ada)
    assert (service.is_stale(ada), service.is_stale(grace)) == (True, False)
    run = service.compute_centroids()
    assert (run.computed, run.fresh) == (1, 1)
    assert module.compute_centroids_for_person(service, grace).computed == 0
    assert service.compute_centroids_for_person(grace, force=True).computed == 1
    assert len(rows(library)) == library.centroids.count() == 2


def test_without_embeddings_there_is_no_centroid(library: Library) -> None:
    """Whose embeddings are all gone loses the centroid; the others keep theirs."""
    ada, grace = people(library, 3, 3)
    service = CentroidService(library.stores)
    service.compute_centroids()
    face_ids, _ = service.get_person_face_embeddings(ada)
    library.faces.delete_faces(face_ids)
    run = service.compute_centroids(force=True)
    assert (run.computed, run.without_embeddings, run.faces_missing) == (1, 1, 3)
    assert [row.person_id for row in rows(library)] == [grace]
    assert service.active_centroid(ada) is None
    assert library.centroids.count() == 1


def test_a_version_of_the_algorithm_makes_all_stale(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another algorithm is another centroid, though of the same faces."""
    (ada,) = people(library, 3)
    service = CentroidService(library.stores)
    service.compute_centroids()
    for owner in (centroid, centroids_in_memory, module):
        monkeypatch.setattr(owner, "ALGORITHM_VERSION", 99)
    assert service.is_stale(ada)


class Away:
    """A collection of which some methods cannot be reached."""

    def __init__(self, real: Any, *away: str) -> None:
        self._real, self._away = real, away

    def __getattr__(self, name: str) -> Any:
        return self._refuse if name in self._away else getattr(self._real, name)

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise UnavailableError("Qdrant does not answer.")


@pytest.mark.parametrize("stage", ["fetch", "store"])
def test_unavailable_changes_nothing(library: Library, stage: str) -> None:
    """When Qdrant is away, whoever had a centroid has the same one, and the next run succeeds."""
    (ada,) = people(library, 3)
    service = CentroidService(library.stores)
    service.compute_centroids()
    before = service.active_centroids()
    faces = Away(library.faces, "get_embeddings_by_point_ids") if stage == "fetch" else library.faces
    centroids = Away(library.centroids, "upsert_centroids") if stage == "store" else library.centroids
    broken: Any = CentroidService(with_collections(library.stores, faces=faces, centroids=centroids))
    with pytest.raises(UnavailableError):
        broken.compute_centroids(force=True)
    after = service.active_centroids()
    assert after.centroid_ids == before.centroid_ids
    np.testing.assert_array_equal(after.matrix, before.matrix)
    assert service.compute_centroids_for_person(ada, force=True).computed == 1


def test_what_a_crash_left_is_cleared(library: Library) -> None:
    """A retired centroid whose point is still there, and one abandoned before it was active, are removed."""
    people(library, 3)
    service = CentroidService(library.stores)
    service.compute_centroids()
    broken: Any = CentroidService(
        with_collections(library.stores, centroids=Away(library.centroids, "delete_centroids"))
    )
    with pytest.raises(UnavailableError):
        broken.compute_centroids(force=True)
    broken = CentroidService(
        with_collections(library.stores, centroids=Away(library.centroids, "upsert_centroids"))
    )
    with pytest.raises(UnavailableError):
        broken.compute_centroids(force=True)
    assert sorted(row.state for row in rows(library)) == ["active", "building", "retired"]
    with library.database.write() as session:
        for row in session.scalars(select(PersonCentroid).where(PersonCentroid.state == "building")):
            row.created_at = utc_now() - timedelta(days=1)
    assert service.compute_centroids().fresh == 1
    assert [row.state for row in rows(library)] == ["active"]
    assert library.centroids.count() == 1


def test_groups_are_bounded(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many people go in groups, and progress tells of each."""
    people(library, 3, 3, 3, 0)
    monkeypatch.setattr(batches, "GROUP_FACES", 6)
    told: list[tuple[int, int | None]] = []
    run = CentroidService(library.stores).compute_centroids(
        None, lambda done, total: told.append((done, total))
    )
    assert run.computed == 3
    assert told[-1] == (4, 4)
    assert len(told) >= 2


def test_source_hash_is_of_a_set() -> None:
    """The order of the faces makes no difference; the faces do."""
    one, two = UUID(int=1), UUID(int=2)
    assert source_hash([one, two]) == source_hash([two, one]) != source_hash([one])
    assert len(source_hash([])) == len(hashlib.sha256(b"").hexdigest())
