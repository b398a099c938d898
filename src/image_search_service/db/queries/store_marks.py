"""By which marks the library's other stores are recognised as its own."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from image_search_service.core.records.library import StoreMark
from image_search_service.db.models import LibraryRow, StoreMarksRow
from image_search_service.db.queries.library import LIBRARY_ID


def store_marks(session: Session) -> list[StoreMark]:
    """The newest last; none in a library whose stores have not been opened yet."""
    row = session.get(StoreMarksRow, LIBRARY_ID)
    marks = map(StoreMark.of_json, [] if row is None else row.marks)
    return [mark for mark in marks if mark is not None]


def set_store_marks(session: Session, marks: Sequence[StoreMark]) -> None:
    session.merge(StoreMarksRow(id=LIBRARY_ID, marks=[mark.to_json() for mark in marks]))


def become_another_library(session: Session, uid: uuid.UUID) -> None:
    """The library gets another identity, and with it other collections in Qdrant, which have no mark yet."""
    session.execute(update(LibraryRow).values(uid=uid))
    session.execute(delete(StoreMarksRow))
