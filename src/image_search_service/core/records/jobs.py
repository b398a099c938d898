"""Jobs: what is done in the background."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A job as it was when it was read. state: ``services/jobs/service.py``. done, total: steps; total is
    None while it is not known. counts: what it has found and done so far, by name."""

    id: UUID
    kind: str
    parameters: dict[str, Any]
    state: str
    done: int
    total: int | None
    counts: dict[str, Any]
    error: str | None
    cancel_requested: bool
    attempts: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs are listed; what is None does not matter. after: the last one of the page before."""

    state: str | None = None
    kind: str | None = None
    after: tuple[datetime, UUID] | None = None
