"""Files that could not be read for a reason that may pass: stored for lists, by each run anew."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from image_search_service.core.parallel import chunks
from image_search_service.core.records.photos import FailedPhotoRecord
from image_search_service.db.models import UnreadFile, utc_now
from image_search_service.db.queries.batches import BATCH, upsert_rows
from image_search_service.db.queries.photos import below_folder


def replace_unread(session: Session, roots: Sequence[Path], unread: Sequence[tuple[Path, str]]) -> None:
    """Store what a run over ``roots`` could not read, each with its reason, in place of what was stored."""
    for root in roots:
        session.execute(delete(UnreadFile).where(below_folder(root, UnreadFile.path)))
    now = utc_now()
    reasons = dict(unread)
    for part in chunks(reasons.items(), BATCH):
        rows = [{"path": path, "reason": reason, "noticed_at": now} for path, reason in part]
        upsert_rows(session, UnreadFile, rows, key=["path"], update=["reason", "noticed_at"])


def unread_page(session: Session, after: int, limit: int) -> list[FailedPhotoRecord]:
    """Files after the number ``after``, in the order in which they were stored."""
    rows = session.execute(
        select(UnreadFile.id, UnreadFile.path, UnreadFile.reason)
        .where(UnreadFile.id > after)
        .order_by(UnreadFile.id)
        .limit(limit)
    )
    return [FailedPhotoRecord(*row, waits=True) for row in rows]


def count_unread(session: Session) -> int:
    return session.scalar(select(func.count(UnreadFile.id))) or 0
