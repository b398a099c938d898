"""The names that files have for faces, as last seen: what tells whether another program has changed them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import delete, func, select, tuple_
from sqlalchemy.orm import Session

from image_search_service.core.decisions import Fact
from image_search_service.core.parallel import chunks
from image_search_service.db.models import DecisionChange, FaceInstance, NameInFile
from image_search_service.db.queries.batches import BATCH, upsert_rows


@dataclass(frozen=True, slots=True)
class SeenName:
    """The name that a file was last seen to have for a face; the fields are those of ``NameInFile``."""

    face_id: uuid.UUID
    path: Path
    state: str
    name: str
    key: str
    person_id: uuid.UUID | None
    changed_after: int | None = None


@dataclass(frozen=True, slots=True)
class NamedElsewhere:
    """A name that a file had for a face. asset_id: the face's photo."""

    asset_id: uuid.UUID
    point_id: uuid.UUID
    path: Path
    state: str
    key: str


Seen = Mapping[uuid.UUID, Mapping[Path, SeenName]]
"""Of each face the names in its files."""


def seen_names(session: Session, asset_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, dict[Path, SeenName]]:
    """The names that files had for the faces of at most ``BATCH`` photos."""
    rows = session.scalars(
        select(NameInFile)
        .join(FaceInstance, FaceInstance.id == NameInFile.face_instance_id)
        .where(FaceInstance.asset_id.in_(asset_ids))
        .order_by(NameInFile.face_instance_id, NameInFile.path)
    )
    seen: dict[uuid.UUID, dict[Path, SeenName]] = {}
    for row in rows:
        seen.setdefault(row.face_instance_id, {})[row.path] = SeenName(
            row.face_instance_id,
            row.path,
            row.state,
            row.name,
            row.name_key,
            row.person_id,
            row.changed_after,
        )
    return seen


def named_elsewhere(session: Session, paths: Sequence[Path], states: Sequence[str]) -> list[NamedElsewhere]:
    """The names that these files had, or that metadata in these states had, whosever face they were for: two
    statements for each ``BATCH``."""
    statement = select(
        FaceInstance.asset_id,
        FaceInstance.qdrant_point_id,
        NameInFile.path,
        NameInFile.state,
        NameInFile.name_key,
    ).join(FaceInstance, FaceInstance.id == NameInFile.face_instance_id)
    conditions = [
        *(NameInFile.path.in_(part) for part in chunks(sorted(set(paths)), BATCH)),
        *(NameInFile.state.in_(part) for part in chunks(sorted(set(states)), BATCH)),
    ]
    found = {NamedElsewhere(*row) for each in conditions for row in session.execute(statement.where(each))}
    return sorted(found, key=lambda name: (name.asset_id, name.point_id, name.path))


def save_seen(session: Session, names: Sequence[SeenName]) -> None:
    """Store what files have now: one statement."""
    rows = [
        {
            "face_instance_id": name.face_id,
            "path": name.path,
            "state": name.state,
            "name": name.name,
            "name_key": name.key,
            "person_id": name.person_id,
            "changed_after": name.changed_after,
        }
        for name in names
    ]
    update = ["state", "name", "name_key", "person_id", "changed_after"]
    upsert_rows(session, NameInFile, rows, key=["face_instance_id", "path"], update=update)


def forget_seen(session: Session, places: Sequence[tuple[uuid.UUID, Path]]) -> None:
    """Forget names that files have no more: a statement for each ``BATCH``."""
    for part in chunks(places, BATCH):
        these = tuple_(NameInFile.face_instance_id, NameInFile.path).in_(part)
        session.execute(delete(NameInFile).where(these).execution_options(synchronize_session=False))


def copy_seen(session: Session, successors: Mapping[uuid.UUID, uuid.UUID]) -> None:
    """Let what files have for faces hold for their successors, the keys: two statements per ``BATCH``."""
    for part in chunks(successors, BATCH):
        former = {successors[face] for face in part}
        rows = session.scalars(select(NameInFile).where(NameInFile.face_instance_id.in_(former)))
        of_face: dict[uuid.UUID, list[NameInFile]] = {}
        for row in rows:
            of_face.setdefault(row.face_instance_id, []).append(row)
        names = [
            SeenName(face, row.path, row.state, row.name, row.name_key, row.person_id, row.changed_after)
            for face in part
            for row in of_face.get(successors[face], ())
        ]
        save_seen(session, names)


def placed_by(session: Session, face_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, int]:
    """The last decision about whose each of these faces is: a statement for each ``BATCH``."""
    last: dict[uuid.UUID, int] = {}
    for part in chunks(face_ids, BATCH):
        rows = session.execute(
            select(DecisionChange.subject_id, func.max(DecisionChange.decision_id))
            .where(DecisionChange.fact == Fact.FACE_PERSON.value, DecisionChange.subject_id.in_(part))
            .group_by(DecisionChange.subject_id)
        )
        last |= {row[0]: row[1] for row in rows}
    return last
