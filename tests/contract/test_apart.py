"""Two groups of which a human has said that they are different people: nothing puts them together again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import select

from image_search_service.core.errors import ConflictError, InvalidInputError
from image_search_service.core.types import Because
from image_search_service.db.models import ClusterRow, FaceDifference, FaceInstance, FaceSuggestion
from image_search_service.faces.assigner import FaceAssigner
from image_search_service.library.opening import Library
from image_search_service.recognition.clustering.clustering import Clustering
from image_search_service.recognition.clustering.constraints import split_by_differences
from image_search_service.services.centroid_service import CentroidService
from image_search_service.services.decisions.naming import Namesake
from image_search_service.services.decisions.replay import RebuildService
from image_search_service.services.decisions.service import ReviewService
from image_search_service.services.face_clustering_service import FaceClusteringService
from image_search_service.services.people.lookup import PeopleService
from image_search_service.services.suggestions.explanation import ExplanationService
from image_search_service.services.suggestions.search import SuggestionService
from tests.support.served import add_faces, alike, directions
from tests.support.stores import STORES, library_on
from tests.support.world import World

(LOOK,) = directions(1, seed=5)
HALF = 4


@pytest.fixture(params=STORES)
def library(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Library]:
    """Eight faces of one look, which some grouping has put into two clusters of four."""
    with library_on(request.param, tmp_path) as opened:
        with opened.database.write() as session:
            world = World(session)
            faces = add_faces(opened, world, alike(LOOK, 2 * HALF, spread=0.3))
            world.cluster(faces[:HALF])
            world.cluster(faces[HALF:])
        yield opened


def review(library: Library) -> ReviewService:
    return ReviewService(library.database, "test")


def groups(library: Library) -> list[UUID]:
    with library.database.read() as session:
        return sorted(session.scalars(select(ClusterRow.id)))


def members(library: Library, group: UUID) -> list[UUID]:
    with library.database.read() as session:
        return sorted(session.scalars(select(FaceInstance.id).where(FaceInstance.cluster_id == group)))


def tell_apart(library: Library) -> int:
    a, b = groups(library)
    number = review(library).mark_clusters_different(a.hex, b.hex).id
    assert number is not None
    return number


def owners(library: Library, faces: list[UUID]) -> set[UUID | None]:
    with library.database.read() as session:
        rows = session.scalars(select(FaceInstance.person_id).where(FaceInstance.id.in_(faces)))
        return set(rows)


def test_grouping_would_join_them_and_does_not(library: Library) -> None:
    """The same faces are one cluster for a grouping that was told nothing, and two for one that was."""
    first, second = (members(library, group) for group in groups(library))
    number = tell_apart(library)
    FaceClusteringService(library.stores).group()
    assert sorted(members(library, group) for group in groups(library)) == sorted([first, second])
    review(library).undo(number)
    FaceClusteringService(library.stores).group()
    assert len(groups(library)) == 1


def test_the_machine_gives_only_one_side_to_a_person(library: Library) -> None:
    """Whoever has a face of one side is neither given nor asked about faces of the other."""
    tell_apart(library)
    first, second = groups(library)
    others = members(library, second)
    named = review(library).name_cluster(first.hex, "Ada")
    library.payload_sender.send()
    FaceAssigner(library.stores, CentroidService(library.stores)).assign_new_faces()
    run = SuggestionService(library.stores).find_more(named.person_id, min_confidence=0.1)
    assert owners(library, others) == {None}
    assert (run.created, run.skipped_different) == (0, HALF)
    why = ExplanationService(library.stores).explain(others[0]).reasons
    assert why[0].because is Because.DIFFERENT
    best = SuggestionService(library.stores).suggestions_for_face(others[0])
    assert named.person_id not in {one.person_id for one in best}


def test_of_a_page_one_side_is_given(library: Library) -> None:
    """A person who resembles both sides and has neither gets faces of one side only."""
    with library.database.write() as session:
        third = add_faces(library, World(session), alike(LOOK, HALF, spread=0.3, seed=7))
        ids = [face.id for face in third]
    sides = [members(library, group) for group in groups(library)]
    ada = review(library).split(ids, "Ada").person_id
    tell_apart(library)
    library.payload_sender.send()
    FaceAssigner(library.stores, CentroidService(library.stores)).assign_new_faces()
    given = [owners(library, side) for side in sides]
    assert {ada, None} == {one for side in given for one in side}
    assert {None} in given


def test_naming_both_sides_alike_is_refused(library: Library) -> None:
    """Two groups that are different are not the same person's: 409 with the decision that says so."""
    number = tell_apart(library)
    first, second = groups(library)
    review(library).name_cluster(first.hex, "Ada")
    with pytest.raises(ConflictError, match=f"decision {number} "):
        review(library).name_cluster(second.hex, "Ada", who=Namesake.SAME)
    other = review(library).name_cluster(second.hex, "Grace").person_id
    ada = PeopleService(library.database).person("Ada").id
    with pytest.raises(ConflictError, match="different people"):
        review(library).merge_persons([ada], other)
    assert RebuildService(library.database).check().wrong == 0


def test_a_face_given_by_hand_is_no_longer_apart(library: Library) -> None:
    """Somebody who puts a single face right is believed; the others stay apart, and undo restores it."""
    tell_apart(library)
    first, second = groups(library)
    moved = members(library, second)[0]
    ada = review(library).name_cluster(first.hex, "Ada").person_id
    number = review(library).assign_faces([moved], ada).id
    assert number is not None
    assert owners(library, [moved]) == {ada}
    with pytest.raises(ConflictError):
        review(library).name_cluster(second.hex, "Ada", who=Namesake.SAME)
    review(library).undo(number)
    with library.database.read() as session:
        assert len(session.scalars(select(FaceDifference)).all()) == 2 * HALF
    assert members(library, second)[0] is not None


def test_said_again_it_undoes_what_the_machine_did(library: Library) -> None:
    """Taken back, joined by jobs, and said again: clusters, guesses and questions give way."""
    first, second = groups(library)
    one, other = members(library, first), members(library, second)
    undone = review(library).undo(tell_apart(library)).id
    FaceClusteringService(library.stores).group()
    assert len(groups(library)) == 1
    ada = review(library).create_person("Ada").person_id
    with library.database.write() as session:
        for face_id in (one[0], other[0]):
            face = session.get_one(FaceInstance, face_id)
            face.person_id, face.assigned_by, face.cluster_id = ada, "machine", None
        session.add(
            FaceSuggestion(
                face_instance_id=other[1], person_id=ada, state="pending", confidence=0.5, source="centroid",
                evidence=[],
            )
        )  # fmt: skip
    grace = review(library).assign_faces([one[0]], ada)
    assert grace.faces == 1
    assert undone is not None
    review(library).undo(undone)
    with library.database.read() as session:
        assert session.get_one(FaceInstance, other[0]).person_id is None
        (state,) = session.scalars(select(FaceSuggestion.state))
        together = [
            {
                face.cluster_id
                for face in session.scalars(select(FaceInstance).where(FaceInstance.id.in_(ids)))
            }
            - {None}
            for ids in (one, other)
        ]
    assert state == "expired"
    assert not together[0] & together[1]


def test_saying_it_again_is_refused_when_a_human_joined_them(library: Library) -> None:
    """Taken back, both named Ada, and said again: that contradicts, and nothing is changed."""
    undone = review(library).undo(tell_apart(library)).id
    for group, who in zip(groups(library), (Namesake.ASK, Namesake.SAME), strict=True):
        review(library).name_cluster(group.hex, "Ada", who=who)
    assert undone is not None
    with pytest.raises(ConflictError, match="different people"):
        review(library).undo(undone)
    assert RebuildService(library.database).check().wrong == 0


def test_a_group_is_not_different_from_itself(library: Library) -> None:
    """That would say nothing."""
    (first, _) = groups(library)
    with pytest.raises(InvalidInputError):
        review(library).mark_clusters_different(first.hex, first.hex)


def undone_merge(library: Library) -> tuple[UUID, UUID, int]:
    """Two people, merged and parted again, and the undo's number."""
    first, second = groups(library)
    ada = review(library).name_cluster(first.hex, "Ada").person_id
    grace = review(library).name_cluster(second.hex, "Grace").person_id
    assert ada is not None
    assert grace is not None
    merge = review(library).merge_persons([ada], grace).id
    assert merge is not None
    undone = review(library).undo(merge).id
    assert undone is not None
    return ada, grace, undone


def test_a_merge_is_not_made_again_after_a_difference(library: Library) -> None:
    """A merge that was undone cannot be made again by undo once the two were said to be different."""
    ada, grace, undone = undone_merge(library)
    review(library).mark_different(ada, grace)
    with pytest.raises(ConflictError, match="different people"):
        review(library).undo(undone)


def test_a_merge_into_somebody_gone_is_not_made_again(library: Library) -> None:
    """Undoing an undo gives no faces to a person who was merged into somebody else since."""
    ada, grace, undone = undone_merge(library)
    later = review(library).merge_persons([grace], ada).id
    with pytest.raises(ConflictError, match=f"{later}"):
        review(library).undo(undone)


def test_faces_of_neither_side_go_with_the_nearer() -> None:
    """A cluster with faces of both sides is parted, the rest by resemblance; others are left alone."""
    east, north = np.eye(2, dtype=np.float32)
    nearly_east = np.array([0.9, np.sqrt(1 - 0.81)], dtype=np.float32)
    rows = np.stack([east, north, nearly_east, north, east, east])
    clustering = Clustering(np.array([0, 0, 0, 0, 1, 1]), np.array([0.5, 1.0]))
    sides = [np.array([0, 1, -1, -1, -1, -1])]
    assert split_by_differences(clustering, rows, sides, 2).labels.tolist() == [0, 1, 0, 1, 2, 2]
    assert split_by_differences(clustering, rows, [np.full(6, -1)], 2) is clustering
