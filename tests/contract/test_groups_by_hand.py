"""Faces that a human put into another cluster or a new one: no job moves them again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import select

from image_search_service.core.errors import ConflictError
from image_search_service.core.types import Because
from image_search_service.db.models import ClusterRow, FaceInstance, FaceSuggestion
from image_search_service.faces.assigner import FaceAssigner
from image_search_service.faces.dual_clusterer import DualModeClusterer
from image_search_service.library.opening import Library
from image_search_service.recognition.clustering.clustering import Clustering
from image_search_service.recognition.clustering.constraints import keep_groups_together
from image_search_service.services.centroid_service import CentroidService
from image_search_service.services.decisions.replay import RebuildService
from image_search_service.services.decisions.service import ReviewService
from image_search_service.services.exchange.service import ExchangeService
from image_search_service.services.face_clustering_service import FaceClusteringService
from image_search_service.services.suggestions.explanation import ExplanationService
from image_search_service.services.suggestions.search import SuggestionService
from tests.support.served import add_faces, alike, directions
from tests.support.stores import STORES, library_on
from tests.support.world import World

LOOK, OTHER_LOOK = directions(2, seed=5)
EACH = 6


@pytest.fixture(params=STORES)
def library(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Library]:
    """Six faces of each of two looks, in the two clusters that a grouping makes of them."""
    with library_on(request.param, tmp_path) as opened:
        with opened.database.write() as session:
            world = World(session)
            add_faces(opened, world, alike(LOOK, EACH, spread=0.2, seed=1))
            add_faces(opened, world, alike(OTHER_LOOK, EACH, spread=0.2, seed=2))
        FaceClusteringService(opened.stores).group()
        yield opened


def review(library: Library) -> ReviewService:
    return ReviewService(library.database, "test")


def members(library: Library) -> dict[UUID, list[UUID]]:
    """The faces of each cluster."""
    found: dict[UUID, list[UUID]] = {}
    with library.database.read() as session:
        rows = session.execute(
            select(FaceInstance.cluster_id, FaceInstance.id)
            .where(FaceInstance.cluster_id.is_not(None))
            .order_by(FaceInstance.id)
        )
        for cluster, face in rows:
            assert cluster is not None
            found.setdefault(cluster, []).append(face)
        sizes = {one.id: one.size for one in session.scalars(select(ClusterRow))}
    assert sizes == {cluster: len(faces) for cluster, faces in found.items()}
    return found


def owner(library: Library, face: UUID) -> UUID | None:
    with library.database.read() as session:
        return session.get_one(FaceInstance, face).person_id


def two(library: Library) -> tuple[tuple[UUID, list[UUID]], tuple[UUID, list[UUID]]]:
    first, second = sorted(members(library).items())
    return first, second


def all_jobs(library: Library) -> None:
    """What may move faces: grouping, grouping into larger groups, both kinds of assigning."""
    FaceClusteringService(library.stores).group()
    FaceAssigner(library.stores, CentroidService(library.stores)).assign_new_faces()
    FaceClusteringService(library.stores).group(min_cluster_size=3)
    DualModeClusterer(library.stores, CentroidService(library.stores)).cluster_all()


def test_a_new_cluster_stays_through_every_job(library: Library) -> None:
    """Faces that were taken out of a cluster are one of their own, and the rest is not joined with them."""
    (cluster, faces), (_, others) = two(library)
    made = review(library).group_faces(faces[:2])
    assert members(library)[made.cluster_id] == faces[:2]
    assert members(library)[cluster] == faces[2:]
    all_jobs(library)
    after = members(library)
    assert after[made.cluster_id] == faces[:2]
    assert sorted(after.values()) == sorted([faces[:2], faces[2:], others])


def test_a_single_face_is_a_cluster_if_a_human_says_so(library: Library) -> None:
    """One face alone stays in the cluster that was made for it."""
    (_, faces), _ = two(library)
    made = review(library).group_faces(faces[:1])
    all_jobs(library)
    assert members(library)[made.cluster_id] == faces[:1]


def test_into_another_cluster(library: Library) -> None:
    """A face that was put into another cluster stays there with those that it found there."""
    (cluster, faces), (other, others) = two(library)
    made = review(library).group_faces(faces[:1], other.hex)
    assert made.cluster_id == other
    for _ in range(2):
        found = members(library)
        assert found[other] == sorted([*others, faces[0]])
        assert found[cluster] == faces[1:]
        all_jobs(library)


def test_what_comes_later_joins_it(library: Library) -> None:
    """New faces that look like those of a cluster made by hand come into it; its faces stay."""
    _, (other, others) = two(library)
    review(library).group_faces(others, other.hex)
    with library.database.write() as session:
        for look in (LOOK, OTHER_LOOK):
            add_faces(library, World(session), alike(look, 3, spread=0.2, seed=3))
    FaceClusteringService(library.stores).group()
    assert len(members(library)[other]) == EACH + 3
    assert set(others) < set(members(library)[other])


def test_undone_it_is_as_before(library: Library) -> None:
    """Undone, the faces are in the clusters where they were; undone again, where they were put."""
    before = members(library)
    (_, faces), (other, _) = two(library)
    for into in (None, other.hex):
        made = review(library).group_faces(faces[:2], into)
        then = members(library)
        assert made.decision is not None
        undone = review(library).undo(made.decision).id
        assert undone is not None
        assert members(library) == before
        again = review(library).undo(undone).id
        assert again is not None
        assert members(library) == then
        review(library).undo(again)
        assert members(library) == before
    assert RebuildService(library.database).check().wrong == 0


def test_out_of_a_person(library: Library) -> None:
    """Faces taken out of a person are nobody's, never suggested for them again, and one cluster."""
    (cluster, faces), _ = two(library)
    ada = review(library).name_cluster(cluster.hex, "Ada").person_id
    made = review(library).group_faces(faces[:2])
    SuggestionService(library.stores).find_more(ada, min_confidence=0.1)
    all_jobs(library)
    assert members(library)[made.cluster_id] == faces[:2]
    assert [owner(library, face) for face in faces[:2]] == [None, None]
    with library.database.read() as session:
        pending = session.scalars(
            select(FaceSuggestion.face_instance_id).where(FaceSuggestion.state == "pending")
        ).all()
    assert not set(faces[:2]) & set(pending)


def test_no_job_gives_it_to_somebody(library: Library) -> None:
    """A face in a cluster made by hand is not given to somebody whom it resembles beyond doubt."""
    (cluster, faces), _ = two(library)
    made = review(library).group_faces(faces[:1])
    ada = review(library).name_cluster(cluster.hex, "Ada").person_id
    assert FaceAssigner(library.stores, CentroidService(library.stores)).assign_new_faces().assigned == 0
    (why,) = ExplanationService(library.stores).explain(faces[0]).reasons
    assert why.because is Because.IN_GROUP
    assert members(library)[made.cluster_id] == faces[:1]
    assert made.decision is not None
    review(library).undo(made.decision)
    FaceAssigner(library.stores, CentroidService(library.stores)).assign_new_faces()
    assert owner(library, faces[0]) == ada


def test_naming_it_ends_it(library: Library) -> None:
    """A cluster made by hand is named like any other; taken away again, its faces are free."""
    (_, faces), _ = two(library)
    made = review(library).group_faces(faces[:2])
    review(library).name_cluster(made.cluster_id.hex, "Ada")
    review(library).unassign_faces(faces[:2])
    with library.database.read() as session:
        assert [session.get_one(FaceInstance, face).group_id for face in faces[:2]] == [None, None]
    assert RebuildService(library.database).check().wrong == 0


def test_it_contradicts_what_was_undone(library: Library) -> None:
    """What called them different is not made again while they are put together."""
    (cluster, faces), (other, _) = two(library)
    different = review(library).mark_clusters_different(cluster.hex, other.hex).id
    assert different is not None
    undone = review(library).undo(different).id
    assert undone is not None
    together = review(library).group_faces(faces[:1], other.hex)
    with pytest.raises(ConflictError, match="different"):
        review(library).undo(undone)
    assert faces[0] in members(library)[other]
    assert together.decision is not None
    review(library).undo(together.decision)
    review(library).undo(undone)


def test_what_was_different_is_put_together_by_hand(library: Library) -> None:
    """Who is put into a cluster by a human is no longer said to be of somebody else than its faces."""
    (cluster, faces), (other, others) = two(library)
    review(library).mark_clusters_different(cluster.hex, other.hex)
    review(library).group_faces(faces[:1], other.hex)
    all_jobs(library)
    assert members(library)[other] == sorted([*others, faces[0]])


def test_from_the_events_alone(library: Library) -> None:
    """Wiped from the tables, groups made by hand come back from the events."""
    (_, faces), _ = two(library)
    made = review(library).group_faces(faces[:2])
    with library.database.write() as session:
        for face in faces[:2]:
            session.get_one(FaceInstance, face).group_id = None
            session.get_one(FaceInstance, face).cluster_id = None
    assert RebuildService(library.database).check().wrong == 2
    RebuildService(library.database).rebuild()
    FaceClusteringService(library.stores).group()
    assert members(library)[made.cluster_id] == faces[:2]
    assert RebuildService(library.database).check().wrong == 0


def test_a_group_takes_its_cluster_along() -> None:
    """A group has the rest of the cluster that most of it is in, without its photos' and different faces."""
    embeddings = alike(LOOK, 8, spread=0.2, seed=1)
    labels = np.array([0, 0, 0, 0, 0, 1, 1, -1])
    groups = np.array([0, 0, -1, -1, -1, 0, -1, -1])
    photos = np.array([0, 1, 1, 2, 3, 4, 5, 6])  # row 2 is in a photo of the group
    side = np.array([0, -1, -1, 1, -1, -1, -1, -1])  # row 3 is different from row 0
    found = keep_groups_together(
        Clustering(labels, np.array([0.5, 0.5])), embeddings, groups, photos=photos, sides=[side], min_size=2
    )
    assert found.labels.tolist() == [0, 0, 1, 1, 0, 0, -1, -1]
    assert len(found.confidences) == 2


def test_of_two_groups_the_larger_part_takes_the_cluster() -> None:
    """Two groups in one cluster: the rest goes with the one that has more faces there."""
    embeddings = alike(LOOK, 6, spread=0.2, seed=1)
    labels = np.zeros(6, dtype=np.int64)
    groups = np.array([0, 1, 1, -1, -1, -1])
    found = keep_groups_together(
        Clustering(labels, np.array([0.5])), embeddings, groups, photos=np.arange(6), sides=[], min_size=2
    )
    assert found.labels.tolist() == [1, 0, 0, 0, 0, 0]


def test_it_is_exported_and_imported(library: Library) -> None:
    """Groups made by hand are in the export, and hold in the library that takes it."""
    (_, faces), _ = two(library)
    made = review(library).group_faces(faces[:2])
    lines = list(ExchangeService(library.database, "test").export())
    assert [line for line in lines if str(made.cluster_id) in line and '"kind": "face"' in line]
    assert made.decision is not None
    review(library).undo(made.decision)
    report = ExchangeService(library.database, "test").load(lines)
    assert (report.history, report.matched) == (False, report.faces)
    all_jobs(library)
    assert members(library)[made.cluster_id] == faces[:2]
