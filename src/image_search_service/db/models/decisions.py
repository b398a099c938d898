"""What humans have said: events, and the facts that each changed."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, Uuid
from sqlalchemy.orm import Mapped, mapped_column

from image_search_service.db.models.base import Base, utc_now


class DecisionRow(Base):
    """Something a human has said: an event, appended and never changed."""

    __tablename__ = "decisions"

    id: Mapped[int] = mapped_column(primary_key=True)
    """In the order in which they were made."""
    kind: Mapped[str] = mapped_column(String(32))
    actor: Mapped[str] = mapped_column(String(128))
    at: Mapped[datetime] = mapped_column(default=utc_now)
    undoes: Mapped[int | None] = mapped_column(ForeignKey("decisions.id"), index=True)
    """The decision that this one takes back."""
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What it was said about beside the facts that it changed, such as a cluster."""


class DecisionChange(Base):
    """One fact that a decision has changed (``core/decisions.py``)."""

    __tablename__ = "decision_changes"

    id: Mapped[int] = mapped_column(primary_key=True)
    decision_id: Mapped[int] = mapped_column(ForeignKey("decisions.id"), index=True)
    fact: Mapped[str] = mapped_column(String(32))
    subject_id: Mapped[uuid.UUID] = mapped_column(Uuid)
    other_id: Mapped[uuid.UUID | None] = mapped_column(Uuid)
    old: Mapped[Any] = mapped_column(JSON(none_as_null=True), nullable=True)
    new: Mapped[Any] = mapped_column(JSON(none_as_null=True), nullable=True)

    __table_args__ = (Index("ix_decision_changes_subject", "subject_id", "fact"),)
