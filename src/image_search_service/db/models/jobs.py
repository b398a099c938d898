"""Background jobs."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from image_search_service.db.models.base import Base, partial_index, utc_now


class JobRow(Base):
    """Something to be done in the background, what has become of it, and how far it is."""

    __tablename__ = "jobs"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    kind: Mapped[str] = mapped_column(String(64))
    parameters: Mapped[dict[str, Any]]
    key: Mapped[str] = mapped_column(String(64))
    """Equal for jobs that would do the same: one of them at a time waits or runs."""
    state: Mapped[str] = mapped_column(String(16))
    """queued, running, paused, succeeded, failed or cancelled."""
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int | None]
    counts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What it found and did, by name."""
    error: Mapped[str | None]
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    pause_requested: Mapped[bool] = mapped_column(default=False)
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    heartbeat_at: Mapped[datetime | None]
    """When its worker last said that it lives; one that has not for long was killed."""

    __table_args__ = (
        partial_index(
            "uq_jobs_active_key",
            "key",
            unique=True,
            where="state IN ('queued', 'running', 'paused')",
        ),
        Index("ix_jobs_created_at", "created_at", "id"),
    )
