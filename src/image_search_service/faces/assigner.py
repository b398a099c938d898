"""Giving faces without a name to the persons whose centroids they resemble: load, decide, save.

What a human said stands: a face that has a person stays there, a rejected pair never comes back. Nobody is
put into a photo twice. Where the resemblance is not enough to decide without asking, a suggestion waits.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np
import numpy.typing as npt

from image_search_service.core.paging import keyset_pages
from image_search_service.core.parallel import chunks
from image_search_service.core.types import FloatArray, IntArray, Progress
from image_search_service.db.queries import clusters, faces, suggestion_states
from image_search_service.db.queries.batches import BATCH
from image_search_service.db.queries.differences import Side, sides_where
from image_search_service.db.queries.suggestion_states import Pair
from image_search_service.db.queries.suggestions import assignment
from image_search_service.db.queries.suggestions.assignment import AssignableFace
from image_search_service.db.session import Session
from image_search_service.faces.candidates import Candidate, SecondBest
from image_search_service.faces.suggestion_store import FindMoreRun, Wanted, remember
from image_search_service.library.stores import Stores
from image_search_service.recognition.centroid import ActiveCentroids
from image_search_service.recognition.matching import Matches, match_faces
from image_search_service.recognition.thresholds import Thresholds
from image_search_service.vector.batching import FETCH_BATCH
from image_search_service.vector.embedding_batch import EmbeddingBatch

PAGE = 10_000
"""Faces that are decided on at once: 20 MB of 512 numbers each, and one transaction."""

Chosen = npt.NDArray[np.bool_]


class PersonCentroids(Protocol):
    """Where persons' centroids come from: ``CentroidService``, the only one that computes them."""

    def compute_centroids(self, person_ids: Sequence[uuid.UUID] | None = None) -> object: ...

    def active_centroids(self, person_ids: Sequence[uuid.UUID] | None = None) -> ActiveCentroids: ...


@dataclass(slots=True)
class AssignmentRun:
    """What assigning did. faces: looked at. persons: compared with. assigned: given to a person.

    suggested: new suggestions. updated: suggestions that waited already. embeddings_missing: faces that
    could not be compared.
    """

    faces: int = 0
    persons: int = 0
    assigned: int = 0
    suggested: int = 0
    updated: int = 0
    embeddings_missing: int = 0


@dataclass(frozen=True, slots=True)
class Decision:
    """For each face ``(n,)``: the best person's row or −1, how similar, and what follows from it.

    sure: similar enough, and more than the second best. assign: of these, who is given to the person.
    """

    person: IntArray
    similarity: FloatArray
    sure: Chosen
    assign: Chosen
    suggest: Chosen


@dataclass(frozen=True, slots=True)
class Said:
    """What SQL says of some faces. free: those of nobody. barred: whom they cannot be. sides: of those that
    were said to be of different people."""

    free: Set[uuid.UUID]
    barred: Set[Pair]
    sides: Sequence[Side]


class FaceAssigner:
    """Gives faces to persons. Raises UnavailableError; then the page of faces at hand is unchanged."""

    def __init__(
        self,
        stores: Stores,
        centroids: PersonCentroids,
    ) -> None:
        self._database = stores.database
        self._vectors = stores.faces
        self._centroids = centroids
        self._thresholds = stores.thresholds

    def compute_person_centroids(self, person_ids: Sequence[uuid.UUID] | None = None) -> ActiveCentroids:
        """The centroids of these persons (at most 500), or of all; stale ones are computed first."""
        self._centroids.compute_centroids(person_ids)
        return self._centroids.active_centroids(person_ids)

    def assign_new_faces(
        self, *, since: datetime | None = None, progress: Progress | None = None
    ) -> AssignmentRun:
        """Compare every face without a person, or those found ``since``, with every person's centroid.

        Nobody has asked for a certain person here, so that what is only shown must be rare among all pairs.
        Costs ⌈n ÷ 1,000⌉ fetches for n faces, beside those for the centroids, and for each 10,000 faces one
        matrix product and a number of statements that grows only with the suggestions, by a few in 500.
        """
        people = self.compute_person_centroids()
        with self._database.read() as session:
            total = assignment.count_assignable(session, since)
            pairs = faces.count_unnamed(session) * len(people.person_ids)
        least = self._thresholds.suggest_among(pairs)
        run = AssignmentRun(persons=len(people.person_ids))
        for page in self._pages(since) if people.person_ids else ():
            self._assign_page(page, people, least, run)
            if progress is not None:
                progress(run.faces, total)
        return run

    def _pages(self, since: datetime | None) -> Iterator[list[AssignableFace]]:
        def read_page(after: AssignableFace | None) -> list[AssignableFace]:
            with self._database.read() as session:
                return assignment.assignable_faces(session, after, PAGE, since)

        return keyset_pages(read_page, lambda face: face, PAGE)

    def _assign_page(
        self, page: Sequence[AssignableFace], people: ActiveCentroids, least: float, run: AssignmentRun
    ) -> None:
        """One transaction, in which nobody else changes these photos' faces."""
        batch = self._embeddings(page)
        there = [face for face in page if face.point_id in batch]
        run.faces += len(page)
        run.embeddings_missing += len(page) - len(there)
        with self._database.write() as session:
            free = assignment.lock_unassigned(session, page)
            here = assignment.in_photos_of(page)
            said = Said(free, assignment.barred_pairs(session, here), sides_where(session, here))
            found, decision = compare(there, batch.matrix, people, said, self._thresholds, least=least)
            run.assigned += _assign(session, there, people, decision)
            suggestion_states.expire_apart(session, sorted({one.face_id for one in said.sides}))
            shown = _shown(there, people, decision, found)
            remembered = _remember(session, shown, least)
        run.suggested += remembered.created
        run.updated += remembered.updated

    def _embeddings(self, page: Sequence[AssignableFace]) -> EmbeddingBatch:
        ids = [face.point_id for face in page]
        return self._vectors.get_embeddings_by_point_ids(ids, FETCH_BATCH)


def compare(
    there: Sequence[AssignableFace],
    embeddings: FloatArray,
    people: ActiveCentroids,
    said: Said,
    thresholds: Thresholds,
    *,
    least: float,
) -> tuple[Matches, Decision]:
    """Whom faces resemble and what follows from it; embeddings: ``(n, d)`` of unit length, row for row.

    ``ExplanationService`` asks the same of one photo, so that what it says is what would be done.
    """
    found = match_faces(embeddings, people.matrix, _positions(said.barred, there, people.person_ids))
    free = np.array([face.id in said.free for face in there], dtype=np.bool_)
    sides = _side_rows(said.sides, there)
    return found, decide(found, _photos(there), free, thresholds, least, sides=sides)


NOT_APART = np.empty((0, 3), dtype=np.int64)


def decide(
    found: Matches,
    photos: IntArray,
    free: Chosen,
    thresholds: Thresholds,
    least: float,
    *,
    sides: IntArray = NOT_APART,
) -> Decision:
    """Which faces are given to their best person, and which are only shown.

    photos: ``(n,)``, equal for faces of one photo; of these only the most similar is given to a person.
    free: ``(n,)``, faces that nobody has named. least: similarity from which a face is shown, −1 to 1.
    sides: ``(k, 3)``, a face's row, a difference and the face's side of it: of faces that were said to be of
    different people only those of one side are given to a person.
    """
    sure = free & found.accepted(thresholds.assign_to_centroid, thresholds.margin)
    assign = _of_one_side(found, _best_of_photo(found, photos, sure), sides)
    suggest = free & ~assign & (found.person >= 0) & (found.similarity >= least)
    return Decision(found.person, found.similarity, sure, assign, suggest)


def _best_of_photo(found: Matches, photos: IntArray, among: Chosen) -> Chosen:
    """``(n,)``: ``among`` the faces of one photo with the same best person the most similar, of equal ones
    the first."""
    rows = np.flatnonzero(among)
    order = rows[np.lexsort((rows, -found.similarity[rows]))]
    _, first = np.unique(np.stack([photos[order], found.person[order]]), axis=1, return_index=True)
    best = np.zeros(len(photos), dtype=np.bool_)
    best[order[first]] = True
    return best


def _of_one_side(found: Matches, among: Chosen, sides: IntArray) -> Chosen:
    """``(n,)``: ``among`` without faces that would meet a more similar one of the other side."""
    kept = among.copy()
    first: dict[tuple[int, int], int] = {}
    best_first = np.argsort(-found.similarity[sides[:, 0]], kind="stable")
    for row, difference, side in sides[best_first].tolist():
        if among[row] and first.setdefault((difference, int(found.person[row])), side) != side:
            kept[row] = False
    return kept


def _side_rows(sides: Sequence[Side], there: Sequence[AssignableFace]) -> IntArray:
    """``(k, 3)``: rows, differences and sides, of the faces that are there."""
    rows = {face.id: row for row, face in enumerate(there)}
    numbers: dict[uuid.UUID, int] = {}
    return np.array(
        [
            (rows[one.face_id], numbers.setdefault(one.difference_id, len(numbers)), one.side)
            for one in sides
            if one.face_id in rows
        ],
        dtype=np.int64,
    ).reshape(-1, 3)


def _assign(
    session: Session, there: Sequence[AssignableFace], people: ActiveCentroids, decision: Decision
) -> int:
    rows = np.flatnonzero(decision.assign).tolist()
    faces.assign_persons(session, {there[row].id: people.person_ids[decision.person[row]] for row in rows})
    clusters.mend_clusters(
        session, {one for one in (there[row].cluster_id for row in rows) if one is not None}
    )
    return len(rows)


def _shown(
    there: Sequence[AssignableFace], people: ActiveCentroids, decision: Decision, found: Matches
) -> list[Candidate]:
    """What waits for somebody to decide: by person, the most similar first."""
    shown = [
        Candidate(
            there[row].id,
            people.person_ids[decision.person[row]],
            [
                {
                    "centroid_id": str(people.centroid_ids[decision.person[row]]),
                    "similarity": round(float(decision.similarity[row]), 6),
                }
            ],
            second=_second(people, found, row),
        )
        for row in np.flatnonzero(decision.suggest).tolist()
    ]
    return sorted(shown, key=lambda one: (one.person_id, -one.confidence, one.face_id))


def _second(people: ActiveCentroids, found: Matches, row: int) -> SecondBest | None:
    if found.second[row] < 0:
        return None
    similarity, other = float(found.similarity[row]), float(found.runner_up[row])
    return SecondBest(people.person_ids[found.second[row]], round(other, 6), round(similarity - other, 6))


def _remember(session: Session, shown: Sequence[Candidate], least: float) -> FindMoreRun:
    run = FindMoreRun()
    for group in chunks(shown, BATCH):
        for one in group:
            one.threshold = least
        persons = sorted({one.person_id for one in group})
        remember(session, persons, group, Wanted("assignment", len(group)), run)
    return run


def _photos(there: Sequence[AssignableFace]) -> IntArray:
    """``(n,)``: equal numbers for faces of the same photo."""
    numbers: dict[uuid.UUID, int] = {}
    return np.array([numbers.setdefault(face.asset_id, len(numbers)) for face in there], dtype=np.int64)


def _positions(
    barred: Set[Pair], there: Sequence[AssignableFace], person_ids: Sequence[uuid.UUID]
) -> IntArray:
    """``(2, b)``: the rows of barred faces and persons, of those that are here."""
    face_rows = {face.id: row for row, face in enumerate(there)}
    person_rows = {person_id: row for row, person_id in enumerate(person_ids)}
    pairs = [
        (face_rows[face_id], person_rows[person_id])
        for face_id, person_id in barred
        if face_id in face_rows and person_id in person_rows
    ]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2).T
