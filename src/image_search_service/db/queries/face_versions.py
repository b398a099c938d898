"""Reads how often persons' faces have changed (``PersonRow.faces_version``)."""

from __future__ import annotations

import uuid
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from image_search_service.db.models import LibraryRow, PersonRow


class LibraryVersion(NamedTuple):
    """Of which library and engine embeddings are, and how often anybody's faces have changed."""

    library: uuid.UUID
    engine: str
    changes: int


def library_version(session: Session) -> LibraryVersion | None:
    """None for a library that is bound to no engine. The number of changes grows only, since each person's
    does, whatever transactions are committed in whatever order."""
    changes = select(func.coalesce(func.sum(PersonRow.faces_version), 0)).scalar_subquery()
    row = session.execute(
        select(LibraryRow.uid, LibraryRow.engine_name + LibraryRow.engine_checksum, changes)
    ).one_or_none()
    return None if row is None else LibraryVersion(*row)


def face_versions(session: Session) -> dict[uuid.UUID, int]:
    """The version of the faces of everybody who is not deleted, by id."""
    rows = session.execute(
        select(PersonRow.id, PersonRow.faces_version).where(~PersonRow.deleted).order_by(PersonRow.id)
    )
    return {row[0]: row[1] for row in rows}
