"""The latest answers and skips, and how many faces have a name."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from image_search_service.db.models import (
    DecisionRow,
    FaceInstance,
    FaceSuggestion,
    PersonRow,
    ReviewSkip,
    utc_now,
)
from image_search_service.db.queries.batches import insert_rows


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
    """Faces with a name, faces, and suggestions that nobody has answered. Unnamed ones are counted in an
    index alone, so that those of replaced photos count, too."""
    named = select(func.sum(PersonRow.faces))
    unnamed = select(func.count()).select_from(FaceInstance).where(FaceInstance.person_id.is_(None))
    waiting = select(func.count()).where(FaceSuggestion.answerable)
    row = session.execute(
        select(named.scalar_subquery(), unnamed.scalar_subquery(), waiting.scalar_subquery())
    ).one()
    faces = int(row[0] or 0)
    return faces, faces + int(row[1] or 0), int(row[2] or 0)
