"""Reads whose faces have changed since (``PersonRow.faces_version``)."""

from __future__ import annotations

import uuid
from typing import NamedTuple

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from image_search_service.db.models import LibraryRow, PersonRow
from image_search_service.db.queries import prepared


class LibraryVersion(NamedTuple):
    """Of which library and engine embeddings are, and how often anybody's faces have changed."""

    library: uuid.UUID
    engine: str
    changes: int


_VERSION = select(LibraryRow.uid, LibraryRow.engine_name + LibraryRow.engine_checksum, LibraryRow.changes)


def library_version(session: Session) -> LibraryVersion | None:
    """None for a library that is bound to no engine. Changes that are committed later have higher numbers:
    whoever counts one has the library's row until the transaction ends."""
    row = prepared.run(session, _VERSION).one_or_none()
    return None if row is None else LibraryVersion(*row)


_CHANGED = select(PersonRow.id, PersonRow.deleted).where(PersonRow.faces_version > bindparam("since"))
_EVERYBODY = select(PersonRow.id, PersonRow.deleted).where(~PersonRow.deleted)


def changed_persons(session: Session, since: int | None) -> tuple[list[uuid.UUID], list[uuid.UUID]]:
    """Those whose faces have changed after the change of this number, and those who were deleted; with None
    everybody, and nobody."""
    asked = (_EVERYBODY,) if since is None else (_CHANGED, {"since": since})
    changed: list[uuid.UUID] = []
    deleted: list[uuid.UUID] = []
    for person, is_deleted in prepared.run(session, *asked):
        (deleted if is_deleted else changed).append(person)
    return changed, deleted
