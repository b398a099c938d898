"""What has happened since somebody last looked: jobs that changed, decisions that were made."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from image_search_service.core.records.decisions import MadeDecision
from image_search_service.core.records.jobs import JobRecord
from image_search_service.db.models import utc_now
from image_search_service.db.queries import events
from image_search_service.db.queries.jobs import jobs as job_queries
from image_search_service.db.session import Database
from image_search_service.services.jobs.service import ENDED

MOST_DECISIONS = 100
"""Decisions that one look gives; the next one gives those behind them."""
OVERLAP = timedelta(seconds=60)
"""A job says when it was made, and is seen when that is committed: so long later at most, since a writer
waits at most ``SQLITE_BUSY_SECONDS`` for the database. So long a job that has ended is remembered, too."""


@dataclass(frozen=True, slots=True)
class FeedPosition:
    """Where somebody stands who watches. jobs: those that may still change, as they were seen. since: jobs
    that were made from then on may not have been seen. decision: the number of the last one seen."""

    jobs: Mapping[uuid.UUID, JobRecord]
    since: datetime
    decision: int

    @property
    def active(self) -> list[JobRecord]:
        """The jobs that wait or run."""
        return [job for job in self.jobs.values() if job.state not in ENDED]


@dataclass(frozen=True, slots=True)
class FeedUpdate:
    """What is new between two looks."""

    jobs: Sequence[JobRecord]
    decisions: Sequence[MadeDecision]


class EventFeed:
    """Compares the library with what was seen of it: two statements a look."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def start(self) -> FeedPosition:
        """Where somebody begins who has just read the state: with the jobs that wait or run."""
        now = utc_now()
        with self._database.read() as session:
            active = job_queries.active_jobs(session)
            recent = job_queries.jobs_since(session, now - OVERLAP, [])
            seen = {job.id: job for job in [*active, *recent]}
            return FeedPosition(seen, now - OVERLAP, events.latest_id(session))

    def look(self, before: FeedPosition) -> tuple[FeedPosition, FeedUpdate]:
        """Where one stands now, and what is new."""
        since = max(before.since, utc_now() - OVERLAP)
        with self._database.read() as session:
            recent = job_queries.jobs_since(session, before.since, list(before.jobs))
            decisions = events.made_after(session, before.decision, MOST_DECISIONS)
        changed = [job for job in recent if before.jobs.get(job.id) != job]
        kept = {job.id: job for job in recent if job.state not in ENDED or job.created_at >= since}
        last = decisions[-1].id if decisions else before.decision
        return FeedPosition(kept, since, last), FeedUpdate(changed, decisions)
