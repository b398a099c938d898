"""Lists contradictions between faces, photos and persons. It changes nothing; a human decides.

Those that follow from rows are read from them. Those that follow from embeddings are read as they were found
(``conflict_finder.py``), without what is not so any more.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from image_search_service.db.queries import lost_faces
from image_search_service.db.queries.lost_faces import LostName
from image_search_service.db.queries.suggestions import conflicts as queries, kept_conflicts
from image_search_service.db.queries.suggestions.conflicts import OtherNameInFile, PersonInPhoto
from image_search_service.db.queries.suggestions.kept_conflicts import ALIKE, FAR, AlikePersons, FarFace
from image_search_service.db.session import Database, Session


class ConflictKind(StrEnum):
    """The kinds of possible contradictions, the most serious first."""

    LOST_FACE = "lost_face"
    OTHER_NAME_IN_FILE = "other_name_in_file"
    TWICE_IN_A_PHOTO = "twice_in_a_photo"
    BEFORE_BIRTH = "before_birth"
    FAR_FROM_THE_OTHERS = FAR
    LOOK_THE_SAME = ALIKE


Place = tuple[float | str | datetime | uuid.UUID, ...]
"""Where a contradiction stands in the list of its kind; kinds have different ones."""


@dataclass(frozen=True, slots=True)
class ConflictRecord:
    """A possible contradiction. persons: ids, with their names. path: a file of the photo, if it is about
    one. similarity: cosine, if it is about one. candidate_ids: of a name that has lost its face, the faces
    without a name in the photo that its file holds now, which is ``asset_id``. name_in_file: the other name
    that a file, which is ``path``, has for the face."""

    kind: ConflictKind
    place: Place
    person_ids: list[uuid.UUID]
    names: list[str]
    face_ids: list[uuid.UUID] = field(default_factory=list)
    asset_id: uuid.UUID | None = None
    path: Path | None = None
    similarity: float | None = None
    candidate_ids: list[uuid.UUID] = field(default_factory=list)
    name_in_file: str | None = None


class ConflictService:
    """Reads contradictions: a fixed number of statements for each kind."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, limit: int = 100) -> list[ConflictRecord]:
        """The first ``limit`` of each kind, the most serious first."""
        return [record for kind in ConflictKind for record in self.page(kind, None, limit)]

    def page(self, kind: ConflictKind, after: Any, limit: int) -> list[ConflictRecord]:
        """A page of one kind. after: ``place`` of the last one on the page before, None for the first."""
        with self._database.read() as session:
            records = _READ[kind](session, after, limit)
            shown = {record.asset_id for record in records if record.asset_id is not None}
            paths = queries.files(session, shown)
        return [
            replace(record, path=record.path or paths.get(record.asset_id)) if record.asset_id else record
            for record in records
        ]

    def unchecked(self) -> int:
        """How many persons have other faces than when they were last compared: one statement."""
        with self._database.read() as session:
            return kept_conflicts.count_unchecked(session)


def _lost(session: Session, after: Any, limit: int) -> list[ConflictRecord]:
    """Names that have lost their face; the path is that of the file that showed it."""
    names = lost_faces.lost_names(session, limit, after)
    photos = [name.current_asset_id for name in names if name.current_asset_id is not None]
    candidates = lost_faces.candidates(session, photos)
    return [_lost_face(name, candidates.get(name.current_asset_id or name.id, [])) for name in names]


def _lost_face(name: LostName, candidates: Sequence[uuid.UUID]) -> ConflictRecord:
    return ConflictRecord(
        ConflictKind.LOST_FACE,
        (name.lost_at, name.id),
        [name.person_id],
        [name.name],
        [name.face_id],
        name.current_asset_id,
        name.path,
        candidate_ids=list(candidates),
    )


def _other_name(other: OtherNameInFile) -> ConflictRecord:
    return ConflictRecord(
        ConflictKind.OTHER_NAME_IN_FILE,
        (other.name, other.face_id),
        [other.person_id],
        [other.name],
        [other.face_id],
        other.asset_id,
        other.path,
        name_in_file=other.name_in_file,
    )


def _in_photo(kind: ConflictKind, person: PersonInPhoto) -> ConflictRecord:
    place = (person.name, person.person_id, person.asset_id)
    return ConflictRecord(kind, place, [person.person_id], [person.name], person.face_ids, person.asset_id)


def _far(far: FarFace) -> ConflictRecord:
    return ConflictRecord(
        ConflictKind.FAR_FROM_THE_OTHERS,
        (far.similarity, far.id),
        [far.person_id],
        [far.name],
        [far.face_id],
        far.asset_id,
        similarity=round(far.similarity, 6),
    )


def _alike(pair: AlikePersons) -> ConflictRecord:
    return ConflictRecord(
        ConflictKind.LOOK_THE_SAME,
        (pair.similarity, pair.id),
        [pair.person_id, pair.other_id],
        [pair.name, pair.other_name],
        similarity=round(pair.similarity, 6),
    )


_READ: dict[ConflictKind, Callable[[Session, Any, int], list[ConflictRecord]]] = {
    ConflictKind.LOST_FACE: _lost,
    ConflictKind.OTHER_NAME_IN_FILE: lambda session, after, limit: [
        _other_name(other) for other in queries.other_names_in_files(session, after, limit)
    ],
    ConflictKind.TWICE_IN_A_PHOTO: lambda session, after, limit: [
        _in_photo(ConflictKind.TWICE_IN_A_PHOTO, person)
        for person in queries.twice_in_a_photo(session, after, limit)
    ],
    ConflictKind.BEFORE_BIRTH: lambda session, after, limit: [
        _in_photo(ConflictKind.BEFORE_BIRTH, person) for person in queries.before_birth(session, after, limit)
    ],
    ConflictKind.FAR_FROM_THE_OTHERS: lambda session, after, limit: [
        _far(far) for far in kept_conflicts.far_page(session, after, limit)
    ],
    ConflictKind.LOOK_THE_SAME: lambda session, after, limit: [
        _alike(pair) for pair in kept_conflicts.alike_page(session, after, limit)
    ],
}
