"""The latest answers and skips, and how many faces have a name."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from image_search_service.db.models import DecisionRow, LibraryRow, ReviewSkip, utc_now
from image_search_service.db.queries.batches import insert_rows
from image_search_service.db.queries.library import as_kept, faces_shown
from image_search_service.db.queries.suggestion_states import WAITING_SUGGESTIONS


def last_decisions(session: Session, limit: int) -> list[DecisionRow]:
    """The newest first; those that were taken back since are among them, and so is what took them back."""
    return list(session.scalars(select(DecisionRow).order_by(DecisionRow.id.desc()).limit(limit)))


def skips(session: Session, since: datetime) -> list[ReviewSkip]:
    """What was skipped lately."""
    return list(session.scalars(select(ReviewSkip).where(ReviewSkip.skipped_at >= since)))


def add_skip(session: Session, subject: str, at_answer: int) -> None:
    """One more skip of a subject."""
    changed = session.execute(
        update(ReviewSkip)
        .where(ReviewSkip.subject == subject)
        .values(skips=ReviewSkip.skips + 1, at_answer=at_answer, skipped_at=utc_now())
        .returning(ReviewSkip.subject)
        .execution_options(synchronize_session=False)
    ).all()
    if not changed:
        insert_rows(session, ReviewSkip, [{"subject": subject, "skips": 1, "at_answer": at_answer}])


def progress(session: Session) -> tuple[int, int, int]:
    """Faces with a name, faces, and suggestions that nobody has answered: from kept columns and indexes."""
    named = as_kept(LibraryRow.named_faces)
    row = session.execute(select(named, faces_shown(), WAITING_SUGGESTIONS)).one()
    return int(row[0]), int(row[1]), int(row[2])
