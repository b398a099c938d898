"""Finds contradictions between faces, photos and persons. It only lists them; a human decides."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

import numpy as np

from image_search_service.core.paging import keyset_pages
from image_search_service.core.types import FloatArray, IntArray
from image_search_service.db.queries import lost_faces, persons as person_queries
from image_search_service.db.queries.suggestions import conflicts as queries
from image_search_service.db.queries.suggestions.conflicts import (
    NamedFacePoint,
    OtherNameInFile,
    PersonInPhoto,
)
from image_search_service.db.session import Session
from image_search_service.library.stores import Stores
from image_search_service.recognition.centroid import ActiveCentroids
from image_search_service.services.centroid_service import CentroidService
from image_search_service.vector.batching import FETCH_BATCH

PAGE = 10_000
BLOCK = 1_000
"""Persons in one block that is compared with all others."""


class ConflictKind(StrEnum):
    """The kinds of possible contradictions."""

    LOST_FACE = "lost_face"
    OTHER_NAME_IN_FILE = "other_name_in_file"
    TWICE_IN_A_PHOTO = "twice_in_a_photo"
    BEFORE_BIRTH = "before_birth"
    FAR_FROM_THE_OTHERS = "far_from_the_others"
    LOOK_THE_SAME = "look_the_same"


@dataclass(frozen=True, slots=True)
class ConflictRecord:
    """A possible contradiction. persons: ids, with their names. path: a file of the photo, if it is about
    one. similarity: cosine, if it is about one. candidate_ids: of a name that has lost its face, the faces
    without a name in the photo that its file holds now, which is ``asset_id``. name_in_file: the other name
    that a file, which is ``path``, has for the face."""

    kind: ConflictKind
    person_ids: list[uuid.UUID]
    names: list[str]
    face_ids: list[uuid.UUID] = field(default_factory=list)
    asset_id: uuid.UUID | None = None
    path: Path | None = None
    similarity: float | None = None
    candidate_ids: list[uuid.UUID] = field(default_factory=list)
    name_in_file: str | None = None


class ConflictService:
    """Looks for conflicts. Raises UnavailableError."""

    def __init__(self, stores: Stores) -> None:
        self._database = stores.database
        self._faces = stores.faces
        self._centroids = CentroidService(stores)
        self._thresholds = stores.thresholds

    def find(self, limit: int = 100) -> list[ConflictRecord]:
        """At most ``limit`` conflicts of each kind, the most serious first.

        Costs ⌈n ÷ 1,000⌉ fetches for n named faces, beside what stale centroids cost, and a statement for
        each 10,000.
        """
        with self._database.read() as session:
            twice = queries.twice_in_a_photo(session, limit)
            early = queries.before_birth(session, limit)
            lost = _lost(session, limit)
            others = queries.other_names_in_files(session, limit)
        self._centroids.compute_centroids()
        people = self._centroids.active_centroids()
        conflicts = [
            *lost,
            *(_other_name(other) for other in others),
            *(_in_photo(ConflictKind.TWICE_IN_A_PHOTO, person) for person in twice),
            *(_in_photo(ConflictKind.BEFORE_BIRTH, in_photo) for in_photo in early),
            *self._far(people, limit),
            *self._alike(people, limit),
        ]
        with self._database.read() as session:
            paths = queries.files(
                session, {conflict.asset_id for conflict in conflicts if conflict.asset_id is not None}
            )
        return [
            replace(conflict, path=conflict.path or paths.get(conflict.asset_id))
            if conflict.asset_id
            else conflict
            for conflict in conflicts
        ]

    def _far(self, people: ActiveCentroids, limit: int) -> list[ConflictRecord]:
        """Faces less similar to their own person's centroid than the threshold ``suggest``."""
        row_of = {person_id: row for row, person_id in enumerate(people.person_ids)}
        low_faces: list[tuple[float, NamedFacePoint]] = []
        for page in self._named():
            comparable = [face for face in page if face.person_id in row_of]
            ids = [face.point_id for face in comparable]
            batch = self._faces.get_embeddings_by_point_ids(ids, FETCH_BATCH)
            comparable = [face for face in comparable if face.point_id in batch]
            own = people.matrix[[row_of[face.person_id] for face in comparable]]
            similarity = np.einsum("nd,nd->n", batch.matrix, own) if comparable else np.empty(0)
            low = np.flatnonzero(similarity < self._thresholds.suggest)
            low_faces += [(float(similarity[row]), comparable[row]) for row in low.tolist()]
            low_faces = sorted(low_faces, key=lambda scored: (scored[0], scored[1].face_id))[:limit]
        names = self._names({face.person_id for _, face in low_faces})
        return [
            ConflictRecord(
                ConflictKind.FAR_FROM_THE_OTHERS,
                [face.person_id],
                [names[face.person_id]],
                [face.face_id],
                face.asset_id,
                similarity=round(similarity, 6),
            )
            for similarity, face in low_faces
        ]

    def _alike(self, people: ActiveCentroids, limit: int) -> list[ConflictRecord]:
        """Pairs of persons whose centroids are as similar as assigning a face requires; without pairs that a
        human marked as different."""
        with self._database.read() as session:
            apart = queries.different_pairs(session)
        pairs: list[tuple[float, uuid.UUID, uuid.UUID]] = []
        ids = people.person_ids
        for start in range(0, len(ids), BLOCK):
            scores = np.triu(people.matrix[start : start + BLOCK] @ people.matrix.T, start + 1)
            scores[_positions(apart, ids, start, len(scores))] = 0
            rows, columns = _most_alike(scores, self._thresholds.assign_to_centroid, limit)
            pairs += [
                (float(scores[row, column]), ids[start + row], ids[column])
                for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
            ]
            pairs = sorted(pairs, key=lambda pair: (-pair[0], pair[1], pair[2]))[:limit]
        names = self._names({person for _, a, b in pairs for person in (a, b)})
        return [
            ConflictRecord(
                ConflictKind.LOOK_THE_SAME, [a, b], [names[a], names[b]], similarity=round(similarity, 6)
            )
            for similarity, a, b in pairs
        ]

    def _named(self) -> Iterator[list[NamedFacePoint]]:
        def read_page(after: uuid.UUID | None) -> list[NamedFacePoint]:
            with self._database.read() as session:
                return queries.named_faces(session, after, PAGE)

        return keyset_pages(read_page, lambda face: face.face_id, PAGE)

    def _names(self, person_ids: set[uuid.UUID]) -> dict[uuid.UUID, str]:
        with self._database.read() as session:
            return person_queries.names(session, person_ids)


def _lost(session: Session, limit: int) -> list[ConflictRecord]:
    """Names that have lost their face; the path is that of the file that showed it."""
    names = lost_faces.lost_names(session, limit)
    photos = [name.current_asset_id for name in names if name.current_asset_id is not None]
    candidates = lost_faces.candidates(session, photos)
    return [
        ConflictRecord(
            ConflictKind.LOST_FACE,
            [name.person_id],
            [name.name],
            [name.face_id],
            name.current_asset_id,
            name.path,
            candidate_ids=[] if name.current_asset_id is None else candidates.get(name.current_asset_id, []),
        )
        for name in names
    ]


def _other_name(other: OtherNameInFile) -> ConflictRecord:
    return ConflictRecord(
        ConflictKind.OTHER_NAME_IN_FILE,
        [other.person_id],
        [other.name],
        [other.face_id],
        other.asset_id,
        other.path,
        name_in_file=other.name_in_file,
    )


def _in_photo(kind: ConflictKind, person: PersonInPhoto) -> ConflictRecord:
    return ConflictRecord(kind, [person.person_id], [person.name], person.face_ids, person.asset_id)


def _most_alike(scores: FloatArray, min_similarity: float, limit: int) -> tuple[IntArray, IntArray]:
    """Rows and columns of the ``limit`` highest scores from ``min_similarity`` on, the first of equals. The
    limit keeps few pairs in memory however many persons look the same."""
    rows, columns = np.nonzero(scores >= min_similarity)
    best = np.argsort(-scores[rows, columns], kind="stable")[:limit]
    return rows[best], columns[best]


def _positions(
    apart: Set[frozenset[uuid.UUID]], ids: Sequence[uuid.UUID], start: int, number: int
) -> tuple[list[int], list[int]]:
    """Rows and columns, in the block of ``number`` persons from ``start``, of pairs marked as different."""
    place = {person_id: row for row, person_id in enumerate(ids)}
    pairs = [
        sorted(place[person] for person in pair) for pair in apart if all(person in place for person in pair)
    ]
    here = [(a - start, b) for a, b in pairs if start <= a < start + number]
    return [row for row, _ in here], [column for _, column in here]
