"""Reports what changed since a watcher's last request: changed jobs and new decisions."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from image_search_service.core.records.decisions import MadeDecision
from image_search_service.core.records.jobs import JobRecord
from image_search_service.db.queries import clock, events
from image_search_service.db.queries.jobs import jobs as job_queries
from image_search_service.db.session import Database
from image_search_service.services.jobs.service import ENDED

MOST_DECISIONS = 100
"""The most decisions in one update; the next update has those after them."""
MOST_JOBS = 100
"""The most ended jobs of which somebody is told who comes back."""
OVERLAP = timedelta(seconds=60)
"""The longest time between a job's creation time and the commit that makes it visible: a writer waits at most
``SQLITE_BUSY_SECONDS`` for the database. Ended jobs are remembered for the same time."""
_BOOKMARK = re.compile(r"(?P<decision>\d{1,18})\.(?P<since>\d{1,11})")


@dataclass(frozen=True, slots=True)
class FeedPosition:
    """A watcher's position. jobs: jobs that may still change, as last seen. since: jobs created from then on
    may not have been seen. decision: the number of the last decision seen."""

    jobs: Mapping[uuid.UUID, JobRecord]
    since: datetime
    decision: int

    @property
    def active(self) -> list[JobRecord]:
        """The jobs that wait or run."""
        return [job for job in self.jobs.values() if job.state not in ENDED]

    @property
    def bookmark(self) -> str:
        """By which any service on the same stores goes on from here: ``EventFeed.resume``."""
        return f"{self.decision}.{int(self.since.timestamp())}"


@dataclass(frozen=True, slots=True)
class FeedUpdate:
    """What changed between two positions."""

    jobs: Sequence[JobRecord]
    decisions: Sequence[MadeDecision]


class EventFeed:
    """Compares the library with a watcher's position: two statements for each update."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def start(self) -> FeedPosition:
        """The position of a watcher who has just read the state."""
        with self._database.read() as session:
            now = clock.database_moment(session)
            active = job_queries.active_jobs(session)
            recent = job_queries.jobs_since(session, now - OVERLAP, [])
            seen = {job.id: job for job in [*active, *recent]}
            return FeedPosition(seen, now - OVERLAP, events.latest_id(session))

    def bookmark(self) -> str:
        """Of whoever is about to read the state: what happens from now on is told to them by ``resume``."""
        with self._database.read() as session:
            since = clock.database_moment(session) - OVERLAP
            return FeedPosition({}, since, events.latest_id(session)).bookmark

    def resume(self, bookmark: str) -> tuple[FeedPosition, FeedUpdate]:
        """The position of a watcher who has seen what was told until ``bookmark``, and what they may have
        missed: the active jobs, then those that have ended since, and decisions.

        Whoever has no bookmark has missed nothing, and is told the active jobs.
        """
        place = self.start()
        found = _BOOKMARK.fullmatch(bookmark)
        if found is None:
            return place, FeedUpdate(place.active, [])
        since = datetime.fromtimestamp(int(found["since"]), UTC)
        with self._database.read() as session:
            ended = job_queries.ended_since(session, since, MOST_JOBS)
            decisions = events.made_after(session, int(found["decision"]), MOST_DECISIONS)
        last = decisions[-1].id if decisions else place.decision
        return replace(place, decision=last), FeedUpdate([*place.active, *ended], decisions)

    def look(self, before: FeedPosition) -> tuple[FeedPosition, FeedUpdate]:
        """The new position, and what changed since ``before``."""
        with self._database.read() as session:
            since = max(before.since, clock.database_moment(session) - OVERLAP)
            recent = job_queries.jobs_since(session, before.since, list(before.jobs))
            decisions = events.made_after(session, before.decision, MOST_DECISIONS)
        changed = [job for job in recent if before.jobs.get(job.id) != job]
        kept = {job.id: job for job in recent if job.state not in ENDED or job.created_at >= since}
        last = decisions[-1].id if decisions else before.decision
        return FeedPosition(kept, since, last), FeedUpdate(changed, decisions)
