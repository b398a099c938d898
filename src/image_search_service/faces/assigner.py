"""Assigns unnamed faces to the persons whose centroids they resemble: load, decide, save.

Human decisions are kept: a face with a person is not touched, and a rejected pair never returns. No person is
assigned twice in a photo. A face that is similar, but not enough to be assigned, becomes a suggestion.
"""

from __future__ import annotations

import uuid
from bisect import bisect_left
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np
import numpy.typing as npt

from image_search_service.core.paging import keyset_pages
from image_search_service.core.parallel import chunks
from image_search_service.core.types import FloatArray, IntArray, Progress
from image_search_service.db.queries import clusters, events, face_moves, faces, suggestion_states
from image_search_service.db.queries.batches import BATCH
from image_search_service.db.queries.differences import Side, sides_where
from image_search_service.db.queries.suggestion_states import Pair
from image_search_service.db.queries.suggestions import assignment
from image_search_service.db.queries.suggestions.assignment import AssignableFace
from image_search_service.db.session import Session
from image_search_service.faces.candidates import Candidate, SecondBest
from image_search_service.faces.suggestion_store import FindMoreRun, SearchOptions, remember
from image_search_service.library.stores import Stores
from image_search_service.recognition.centroid import ActiveCentroids, CentroidMatrix
from image_search_service.recognition.matching import Matches, match_faces
from image_search_service.recognition.thresholds import Thresholds
from image_search_service.vector.batching import FETCH_BATCH
from image_search_service.vector.embedding_batch import EmbeddingBatch

PAGE = 10_000
"""Faces in one transaction: 20 MB of embeddings with 512 numbers each."""

Chosen = npt.NDArray[np.bool_]


class PersonCentroids(Protocol):
    """The source of persons' centroids: ``CentroidService``, which alone computes them."""

    def compute_centroids(self, person_ids: Sequence[uuid.UUID] | None = None) -> object: ...

    def active_centroids(self, person_ids: Sequence[uuid.UUID] | None = None) -> ActiveCentroids: ...


@dataclass(slots=True)
class AssignmentRun:
    """The result of assigning.

    faces: faces compared. persons: persons compared with. assigned: faces assigned to a person.
    suggested: new suggestions. updated: suggestions that were pending already. embeddings_missing: faces
    that could not be compared.
    """

    faces: int = 0
    persons: int = 0
    assigned: int = 0
    suggested: int = 0
    updated: int = 0
    embeddings_missing: int = 0


@dataclass(frozen=True, slots=True)
class Decision:
    """For each face, arrays ``(n,)``: the best person's row or −1, the similarity, and the decision.

    sure: similar enough, and by a margin more than the second best. assign: those of ``sure`` that are
    assigned. suggest: faces to suggest.
    """

    person: IntArray
    similarity: FloatArray
    sure: Chosen
    assign: Chosen
    suggest: Chosen


@dataclass(frozen=True, slots=True)
class FaceConstraints:
    """What SQL allows for some faces. free: faces without a person. barred: forbidden pairs of face and
    person. sides: the faces' sides of differences."""

    free: Set[uuid.UUID]
    barred: Set[Pair]
    sides: Sequence[Side]


class FaceAssigner:
    """Assigns faces to persons. Raises UnavailableError; then the current page of faces is unchanged."""

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

        Since every face is compared with every person, the threshold for suggestions rises with their number.
        Costs ⌈n ÷ 1,000⌉ fetches for n faces, beside those for the centroids, and for each 10,000 faces one
        matrix product and a number of statements that grows only with the suggestions, by a few in 500.
        """
        people = self.compute_person_centroids()
        with self._database.read() as session:
            total = assignment.count_assignable(session, since)
            pairs = faces.count_unnamed(session) * len(people.person_ids)
        min_similarity = self._thresholds.suggest_among(pairs)
        run = AssignmentRun(persons=len(people.person_ids))
        for page in self._pages(since) if people.person_ids else ():
            self._assign_page(page, people, min_similarity, run)
            if progress is not None:
                progress(run.faces, total)
        return run

    def _pages(self, since: datetime | None) -> Iterator[list[AssignableFace]]:
        def read_page(after: AssignableFace | None) -> list[AssignableFace]:
            with self._database.read() as session:
                return assignment.assignable_faces(session, after, PAGE, since)

        return keyset_pages(read_page, lambda face: face, PAGE)

    def _assign_page(
        self,
        page: Sequence[AssignableFace],
        people: ActiveCentroids,
        min_similarity: float,
        run: AssignmentRun,
    ) -> None:
        """One transaction that locks the faces of these photos."""
        batch = self._embeddings(page)
        comparable = [face for face in page if face.point_id in batch]
        run.faces += len(page)
        run.embeddings_missing += len(page) - len(comparable)
        with self._database.write() as session:
            events.take_turn(session)  # it locks persons' rows, and so do decisions, in another order
            free = assignment.lock_unassigned(session, page)
            here = assignment.in_photos_of(page)
            known = FaceConstraints(free, assignment.barred_pairs(session, here), sides_where(session, here))
            matches, decision = compare(
                comparable, batch.matrix, people, known, self._thresholds, min_similarity=min_similarity
            )
            run.assigned += _assign(session, comparable, people, decision)
            suggestion_states.expire_apart(session, sorted({side.face_id for side in known.sides}))
            shown = _shown(comparable, people, decision, matches)
            remembered = _remember(session, shown, min_similarity)
        run.suggested += remembered.created
        run.updated += remembered.updated

    def _embeddings(self, page: Sequence[AssignableFace]) -> EmbeddingBatch:
        ids = [face.point_id for face in page]
        return self._vectors.get_embeddings_by_point_ids(ids, FETCH_BATCH)


def compare(
    comparable: Sequence[AssignableFace],
    embeddings: FloatArray,
    people: CentroidMatrix,
    known: FaceConstraints,
    thresholds: Thresholds,
    *,
    min_similarity: float,
) -> tuple[Matches, Decision]:
    """Match faces with persons and decide; embeddings: ``(n, d)`` of unit length, a row for each face.

    ``ExplanationService`` calls this for one photo, so that its explanation is what assigning would do.
    """
    matches = match_faces(embeddings, people.matrix, _positions(known.barred, comparable, people.person_ids))
    free = np.array([face.id in known.free for face in comparable], dtype=np.bool_)
    sides = _side_rows(known.sides, comparable)
    return matches, decide(matches, _photos(comparable), free, thresholds, min_similarity, sides=sides)


NOT_APART = np.empty((0, 3), dtype=np.int64)


def decide(
    matches: Matches,
    photos: IntArray,
    free: Chosen,
    thresholds: Thresholds,
    min_similarity: float,
    *,
    sides: IntArray = NOT_APART,
) -> Decision:
    """Which faces are assigned to their best person, and which are only suggested.

    photos: ``(n,)``, equal for faces of one photo; of these only the most similar is assigned to a person.
    free: ``(n,)``, faces without a person. min_similarity: the threshold for suggestions, −1 to 1.
    sides: ``(k, 3)``, a face's row, a difference and the face's side of it; of the two sides of a difference
    only faces of one are assigned to the same person.
    """
    sure = free & matches.accepted(thresholds.assign_to_centroid, thresholds.margin)
    assign = _of_one_side(matches, _best_of_photo(matches, photos, sure), sides)
    suggest = free & ~assign & (matches.person >= 0) & (matches.similarity >= min_similarity)
    return Decision(matches.person, matches.similarity, sure, assign, suggest)


def _best_of_photo(matches: Matches, photos: IntArray, among: Chosen) -> Chosen:
    """``(n,)``: of the faces ``among`` with the same photo and best person the most similar, the first of
    equals."""
    rows = np.flatnonzero(among)
    order = rows[np.lexsort((rows, -matches.similarity[rows]))]
    _, first = np.unique(np.stack([photos[order], matches.person[order]]), axis=1, return_index=True)
    best = np.zeros(len(photos), dtype=np.bool_)
    best[order[first]] = True
    return best


def _of_one_side(matches: Matches, among: Chosen, sides: IntArray) -> Chosen:
    """``(n,)``: ``among`` without faces whose best person gets a more similar face of the other side."""
    kept = among.copy()
    first: dict[tuple[int, int], int] = {}
    best_first = np.argsort(-matches.similarity[sides[:, 0]], kind="stable")
    for row, difference, side in sides[best_first].tolist():
        if among[row] and first.setdefault((difference, int(matches.person[row])), side) != side:
            kept[row] = False
    return kept


def _side_rows(sides: Sequence[Side], comparable: Sequence[AssignableFace]) -> IntArray:
    """``(k, 3)``: row, difference and side of each comparable face with a side."""
    rows = {face.id: row for row, face in enumerate(comparable)}
    numbers: dict[uuid.UUID, int] = {}
    return np.array(
        [
            (rows[side.face_id], numbers.setdefault(side.difference_id, len(numbers)), side.side)
            for side in sides
            if side.face_id in rows
        ],
        dtype=np.int64,
    ).reshape(-1, 3)


def _assign(
    session: Session, comparable: Sequence[AssignableFace], people: ActiveCentroids, decision: Decision
) -> int:
    rows = np.flatnonzero(decision.assign).tolist()
    face_moves.assign_persons(
        session, {comparable[row].id: people.person_ids[decision.person[row]] for row in rows}
    )
    clusters.mend_clusters(
        session,
        {cluster_id for cluster_id in (comparable[row].cluster_id for row in rows) if cluster_id is not None},
    )
    return len(rows)


def _shown(
    comparable: Sequence[AssignableFace], people: ActiveCentroids, decision: Decision, matches: Matches
) -> list[Candidate]:
    """The faces to suggest: by person, the most similar first."""
    shown = [
        Candidate(
            comparable[row].id,
            people.person_ids[decision.person[row]],
            [
                {
                    "centroid_id": str(people.centroid_ids[decision.person[row]]),
                    "similarity": round(float(decision.similarity[row]), 6),
                }
            ],
            second=_second(people, matches, row),
        )
        for row in np.flatnonzero(decision.suggest).tolist()
    ]
    return sorted(
        shown, key=lambda candidate: (candidate.person_id, -candidate.confidence, candidate.face_id)
    )


def _second(people: ActiveCentroids, matches: Matches, row: int) -> SecondBest | None:
    if matches.second[row] < 0:
        return None
    similarity, other = float(matches.similarity[row]), float(matches.runner_up[row])
    return SecondBest(people.person_ids[matches.second[row]], round(other, 6), round(similarity - other, 6))


def _remember(session: Session, shown: Sequence[Candidate], min_similarity: float) -> FindMoreRun:
    run = FindMoreRun()
    for group in chunks(shown, BATCH):
        for candidate in group:
            candidate.threshold = min_similarity
        persons = sorted({candidate.person_id for candidate in group})
        remember(session, persons, group, SearchOptions("assignment", len(group)), run)
    return run


def _photos(comparable: Sequence[AssignableFace]) -> IntArray:
    """``(n,)``: equal numbers for faces of the same photo."""
    numbers: dict[uuid.UUID, int] = {}
    return np.array([numbers.setdefault(face.asset_id, len(numbers)) for face in comparable], dtype=np.int64)


def _positions(
    barred: Set[Pair], comparable: Sequence[AssignableFace], person_ids: Sequence[uuid.UUID]
) -> IntArray:
    """``(2, b)``: the face rows and person rows of the barred pairs that are compared. person_ids: ascending,
    looked up without a table, which for one photo would cost more than all the rest."""
    face_rows = {face.id: row for row, face in enumerate(comparable)}
    pairs = [
        (face_rows[face_id], row)
        for face_id, person_id in barred
        if face_id in face_rows
        and (row := bisect_left(person_ids, person_id)) < len(person_ids)
        and person_ids[row] == person_id
    ]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2).T
