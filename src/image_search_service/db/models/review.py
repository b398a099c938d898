"""Questions that were put off."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from image_search_service.db.models.base import Base, utc_now


class ReviewSkip(Base):
    """A question that was skipped; what is decided about its subject does not depend on it."""

    __tablename__ = "review_skips"

    subject: Mapped[str] = mapped_column(String(80), primary_key=True)
    """What the question is about, such as ``cluster.<id>`` (``services/review/questions.py``)."""
    skips: Mapped[int] = mapped_column(default=1)
    at_answer: Mapped[int]
    """The number of the last decision when it was skipped last: it comes back so many answers later."""
    skipped_at: Mapped[datetime] = mapped_column(default=utc_now, index=True)
