"""Counts of the library: kept numbers, and what few rows of an index say."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from image_search_service.core.records.library import LibrarySummary
from image_search_service.db.models import (
    ClusterRow,
    DecisionRow,
    ImageAsset,
    IndexRoot,
    LibraryRow,
    PersonRow,
    UnreadFile,
)
from image_search_service.db.queries.library import as_kept, faces_shown
from image_search_service.db.queries.suggestion_states import WAITING_SUGGESTIONS


def library_summary(session: Session) -> LibrarySummary:
    """All counts, in two statements."""
    persons = select(func.count()).select_from(PersonRow)
    row = session.execute(
        select(
            as_kept(LibraryRow.photos).label("photos"),
            _count(ImageAsset, ImageAsset.failure.is_not(None)).label("photos_failed"),
            select(func.count(UnreadFile.id)).scalar_subquery().label("photos_waiting"),
            as_kept(LibraryRow.named_faces).label("named_faces"),
            faces_shown().label("faces"),
            as_kept(LibraryRow.alone_faces).label("alone_faces"),
            (persons.scalar_subquery() - persons.where(PersonRow.deleted).scalar_subquery()).label("persons"),
            select(func.count()).select_from(ClusterRow).scalar_subquery().label("clusters"),
            WAITING_SUGGESTIONS.label("waiting_suggestions"),
            func.coalesce(select(func.max(DecisionRow.id)).scalar_subquery(), 0).label("last_decision"),
            select(LibraryRow.engine_name).scalar_subquery().label("engine"),
        )
    ).one()
    return LibrarySummary(**row._asdict(), roots=_topmost(session))


def _count(table: Any, condition: Any) -> Any:
    return select(func.count()).select_from(table).where(condition).scalar_subquery()


def _topmost(session: Session) -> Sequence[Path]:
    """The indexed folders, without those below another one."""
    roots: list[Path] = []
    for path in sorted(session.scalars(select(IndexRoot.path))):
        if not any(path.is_relative_to(root) for root in roots):
            roots.append(path)
    return roots
