"""New faces are put to what is there as a grouping of all would put them; what humans said holds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from sqlalchemy import select

from image_search_service.core.errors import ConflictError, NotFoundError
from image_search_service.core.types import FloatArray
from image_search_service.db.models import ClusterRow, FaceInstance, LibraryRow
from image_search_service.db.queries import face_moves
from image_search_service.faces.grouper import FaceGrouper, GroupingResult
from image_search_service.library.opening import Library
from image_search_service.services.decisions.answers import AnswerService
from image_search_service.services.decisions.service import ReviewService
from image_search_service.services.grouping_proposals import GroupingProposals
from image_search_service.services.jobs.outbox import PayloadSender
from tests.support.round_trips import round_trips
from tests.support.served import add_faces, add_person, alike, directions
from tests.support.stores import STORES, library_on
from tests.support.world import World

LOOKS = directions(8, seed=5)
EACH = 5
BACKGROUND = 60
"""Strangers, so that few new faces are a small share of all."""


@pytest.fixture(params=STORES)
def library(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Library]:
    """Five faces of each of six looks and sixty strangers, grouped."""
    with library_on(request.param, tmp_path) as opened:
        looks = [alike(look, EACH, spread=0.3, seed=number) for number, look in enumerate(LOOKS[:6])]
        put(opened, np.vstack([*looks, directions(BACKGROUND, seed=99)]))
        FaceGrouper(opened.stores).group()
        PayloadSender(opened.stores).send()
        yield opened


def put(library: Library, embeddings: FloatArray) -> list[UUID]:
    """New faces, each in a photo of its own."""
    with library.database.write() as session:
        return [face.id for face in add_faces(library, World(session), embeddings)]


def grow(library: Library) -> GroupingResult:
    result = FaceGrouper(library.stores).grow()
    PayloadSender(library.stores).send()
    return result


def clusters(library: Library) -> dict[UUID, frozenset[UUID]]:
    """The faces of each cluster, whose row says how many there are."""
    with library.database.read() as session:
        rows = session.execute(select(FaceInstance.cluster_id, FaceInstance.id)).all()
        sizes = {row.id: row.size for row in session.scalars(select(ClusterRow))}
    found: dict[UUID, set[UUID]] = {}
    for cluster, face in rows:
        if cluster is not None:
            found.setdefault(cluster, set()).add(face)
    assert sizes == {cluster: len(faces) for cluster, faces in found.items()}
    return {cluster: frozenset(faces) for cluster, faces in found.items()}


def groups(library: Library) -> set[frozenset[UUID]]:
    return set(clusters(library).values())


def cluster_of(library: Library, face: UUID) -> UUID | None:
    with library.database.read() as session:
        return session.get_one(FaceInstance, face).cluster_id


def review(library: Library) -> ReviewService:
    return ReviewService(library.database, "test")


def test_new_faces_join_what_they_resemble(library: Library) -> None:
    """A new face joins its group, which keeps its id; two of somebody new make a group; others stay alone.
    Only what they resemble was compared."""
    before = clusters(library)
    joins = put(library, alike(LOOKS[0], 1, spread=0.3, seed=50))
    pair = put(library, alike(LOOKS[7], 2, spread=0.2, seed=51))
    alone = put(library, directions(1, seed=52))
    result = grow(library)
    after = clusters(library)
    home = cluster_of(library, joins[0])
    assert home in before
    assert after[home] == before[home] | set(joins)
    assert frozenset(pair) in after.values()
    assert cluster_of(library, alone[0]) is None
    assert {id_: faces for id_, faces in after.items() if id_ != home and id_ in before} == {
        id_: faces for id_, faces in before.items() if id_ != home
    }
    assert result.faces == EACH + 4
    with library.database.read() as session:
        row = session.scalars(select(LibraryRow)).one()
    assert (row.grouping_stale, row.grown) == (False, True)


@pytest.mark.parametrize("seed", range(3))
def test_in_any_order_as_all_at_once(tmp_path: Path, seed: int) -> None:
    """Faces that come in batches, in any order, are grouped as by one grouping of all of them."""
    chance = np.random.default_rng(seed)
    looks = [alike(look, 9, spread=0.5, seed=seed + number) for number, look in enumerate(LOOKS)]
    every = np.vstack([*looks, directions(80, seed=seed + 20)])
    order = chance.permutation(len(every))
    with library_on("embedded", tmp_path) as library:
        put(library, every[order[:80]])
        grow(library)
        compared = []
        for batch in np.array_split(order[80:], 9):
            put(library, every[batch])
            compared.append(grow(library).faces)
        grown = groups(library)
        FaceGrouper(library.stores).group()
        assert grown == groups(library)
        assert max(compared) < len(every) / 2


def test_what_a_human_said_holds(library: Library) -> None:
    """New faces leave the named their name, a group made by hand its faces and its id, different people apart
    and what was set aside where it is."""
    first, second, third, aside, *_ = sorted(clusters(library).items())
    look = {cluster: look_of(library, cluster) for cluster, _ in (first, second, third, aside)}
    review(library).name_cluster(first[0].hex, "Ada")
    taken = sorted(second[1])[:2]
    made = review(library).group_faces(taken).cluster_id
    AnswerService(library.database, "test").set_aside([aside[0]])
    PayloadSender(library.stores).send()
    new = put(library, np.vstack([alike(each, 1, spread=0.2, seed=70) for each in look.values()]))
    grow(library)
    after = clusters(library)
    with library.database.read() as session:
        assert None not in {session.get_one(FaceInstance, face).person_id for face in first[1]}
    assert cluster_of(library, new[0]) is None
    assert set(taken) <= after[made]
    assert not after[made] & (second[1] - set(taken))
    assert after[third[0]] == third[1] | {new[2]}
    assert after[aside[0]] == aside[1]


def look_of(library: Library, cluster: UUID) -> FloatArray:
    """Which of the looks a cluster has."""
    faces = sorted(clusters(library)[cluster])
    mean = library.faces.get_embeddings_by_point_ids(faces).matrix.mean(axis=0)
    best: FloatArray = LOOKS[int(np.argmax(LOOKS @ mean))]
    return best


def test_a_face_that_comes_back_is_looked_at(library: Library) -> None:
    """A face that is taken from its person, and was in no group, is put where it belongs by the next run."""
    home, faces = sorted(clusters(library).items())[0]
    with library.database.write() as session:
        ada = add_person(World(session), "Ada")
        face_moves.set_persons(session, {sorted(faces)[0]: ada.id})
    with library.database.write() as session:
        face_moves.set_free(session, {sorted(faces)[0]: None})
    PayloadSender(library.stores).send()
    grow(library)
    assert cluster_of(library, sorted(faces)[0]) == home


def test_many_new_faces_are_compared_with_all(library: Library) -> None:
    """Where more is new than an eighth of all, or twice as much is there as at the last time, all are
    compared."""
    put(library, directions(30, seed=80))
    assert grow(library).faces == 6 * EACH + BACKGROUND + 30
    with library.database.write() as session:
        session.scalars(select(LibraryRow)).one().faces_at_full_grouping = 50
    put(library, directions(1, seed=81))
    assert grow(library).faces == 6 * EACH + BACKGROUND + 31


def test_costs_follow_what_is_new(tmp_path: Path) -> None:
    """The same photos cost as many requests and statements, and as many faces are compared, in a library of
    three times as many faces."""
    costs = [_cost(tmp_path / str(strangers), strangers) for strangers in (60, 240)]
    assert costs[0] == costs[1]
    assert costs[0][0] == EACH + 1
    assert costs[0][1] <= 3


def _cost(folder: Path, strangers: int) -> tuple[int, int, int]:
    with library_on("embedded", folder) as library:
        put(library, np.vstack([alike(LOOKS[0], EACH, spread=0.3), directions(strangers, seed=3)]))
        FaceGrouper(library.stores).group()
        PayloadSender(library.stores).send()
        put(library, alike(LOOKS[0], 1, spread=0.3, seed=50))
        with round_trips(library.database.engine) as trips:
            compared = FaceGrouper(library.stores).grow().faces
        return compared, trips.requests, trips.statements


def test_a_proposal_says_and_does_what_a_grouping_would(library: Library) -> None:
    """It changes nothing, tells which groups would be joined, and once it is applied the groups are those
    that a grouping of all would make."""
    expected = groups(library)
    split_by_machine(library)
    before = groups(library)
    proposals = GroupingProposals(library.stores)
    proposal = proposals.propose()
    assert groups(library) == before
    assert (proposal.counts.joined, proposal.counts.split, proposal.counts.moved) == (1, 0, 2)
    (change,) = proposal.changes
    assert [group.size for group in change.before] == [3, 2]
    assert [group.size for group in change.after] == [EACH]
    proposals.apply(proposal.id)
    assert groups(library) == expected
    assert proposals.waiting() is None


def test_a_proposal_that_does_not_hold_is_refused(library: Library) -> None:
    """After a decision or another grouping it is not applied, but computed again, or dropped."""
    split_by_machine(library)
    proposals = GroupingProposals(library.stores)
    stale = proposals.propose()
    review(library).group_faces(sorted(next(iter(clusters(library).values())))[:1])
    waiting = proposals.waiting()
    assert waiting is not None
    assert waiting.is_stale
    with pytest.raises(ConflictError, match="decided or grouped"):
        proposals.apply(stale.id)
    again = proposals.propose()
    put(library, directions(1, seed=90))
    grow(library)
    with pytest.raises(ConflictError, match="decided or grouped"):
        proposals.apply(again.id)
    with pytest.raises(NotFoundError):
        proposals.drop(stale.id)
    proposals.drop(again.id)
    assert proposals.waiting() is None


def split_by_machine(library: Library) -> None:
    """Two faces of a group of five in a group of their own, as growing might leave them."""
    home, members = sorted(clusters(library).items())[0]
    *moved, stays = sorted(members)[:3]
    with library.database.write() as session:
        World(session).cluster([session.get_one(FaceInstance, face) for face in moved])
        row = session.get_one(ClusterRow, home)
        row.size, row.representative_face_id = EACH - 2, stays
