"""Records of background jobs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A job when it was read. state: ``JobState`` of ``services/jobs/service.py``. done, total: steps; total
    is None if not known yet. counts: results so far, by name."""

    id: UUID
    kind: str
    parameters: dict[str, Any]
    state: str
    done: int
    total: int | None
    counts: dict[str, Any]
    error: str | None
    cancel_requested: bool
    pause_requested: bool
    attempts: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs to list; None means any. after: creation time and id of the previous page's last job."""

    state: str | None = None
    kind: str | None = None
    after: tuple[datetime, UUID] | None = None
