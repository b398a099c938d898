"""Counts of the library, each read from a covering index (see ``EXPLAIN QUERY PLAN``)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from image_search_service.core.records.library import LibrarySummary
from image_search_service.db.models import (
    ClusterRow,
    DecisionRow,
    FaceInstance,
    ImageAsset,
    IndexRoot,
    LibraryRow,
    PersonRow,
    UnreadFile,
)
from image_search_service.db.queries.conditions import in_replaced_photo, is_listed_photo, is_unknown
from image_search_service.db.queries.library import faces_shown
from image_search_service.db.queries.suggestion_states import WAITING_SUGGESTIONS


def library_summary(session: Session) -> LibrarySummary:
    """All counts, in two statements."""
    alone = and_(is_unknown(), FaceInstance.cluster_id.is_(None), ~in_replaced_photo())
    row = session.execute(
        select(
            _count(ImageAsset, is_listed_photo()).label("photos"),
            _count(ImageAsset, ImageAsset.failure.is_not(None)).label("photos_failed"),
            select(func.count(UnreadFile.id)).scalar_subquery().label("photos_waiting"),
            func.coalesce(select(func.sum(PersonRow.faces)).scalar_subquery(), 0).label("named_faces"),
            faces_shown().label("faces"),
            _count(FaceInstance, alone).label("alone_faces"),
            _count(PersonRow, ~PersonRow.deleted).label("persons"),
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
