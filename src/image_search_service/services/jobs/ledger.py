"""The workers' access to jobs: claim one, report progress, end it, recover those of dead workers."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta

from image_search_service.core.types import JsonObject
from image_search_service.db.queries.jobs import jobs
from image_search_service.db.queries.jobs.jobs import Claim
from image_search_service.db.session import Database

SILENCE = timedelta(seconds=90)
"""A worker that has been silent for so long, by the database's clock, counts as dead. Workers report every
second, but may have to wait ``db.session.SQLITE_BUSY_SECONDS`` for the database."""
MAX_ATTEMPTS = 5
"""The attempts after which a job fails, so that one that kills its worker does not run forever."""


@dataclass(frozen=True, slots=True)
class HeartbeatResult:
    """The answer to a worker's report. lost: the job belongs to another worker now."""

    cancel: bool
    pause: bool
    lost: bool


class JobLedger:
    """All changes that workers make to a job's row."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, job_id: uuid.UUID) -> Claim | None:
        """Claim a job; None if it is cancelled, done, or another worker's."""
        with self._database.write() as session:
            return jobs.claim(session, job_id)

    def beat(
        self, claim: Claim, done: int, total: int | None, counts: JsonObject | None = None
    ) -> HeartbeatResult:
        """Report a sign of life, progress and counts."""
        with self._database.write() as session:
            asked = jobs.beat(session, claim, done, total, counts or {})
        cancel, pause = asked or (False, False)
        return HeartbeatResult(cancel=cancel, pause=pause, lost=asked is None)

    def succeed(self, claim: Claim, counts: JsonObject, done: int, total: int | None) -> None:
        with self._database.write() as session:
            jobs.finish(session, claim, jobs.SUCCEEDED, counts=counts, error=None, done=done, total=total)

    def fail(self, claim: Claim, error: str) -> None:
        with self._database.write() as session:
            jobs.finish(session, claim, jobs.FAILED, error=error)

    def cancelled(self, claim: Claim) -> None:
        with self._database.write() as session:
            jobs.finish(session, claim, jobs.CANCELLED)

    def paused(self, claim: Claim) -> None:
        """Let the job wait until somebody lets it go on."""
        with self._database.write() as session:
            jobs.set_paused(session, claim)

    def retry_later(self, claim: Claim, error: str) -> None:
        """Let the job wait for its next attempt."""
        with self._database.write() as session:
            jobs.put_back(session, claim, error, counted=True)

    def put_back(self, claim: Claim) -> None:
        """Let the job of a stopping worker wait again; another worker, or the next start, continues it."""
        with self._database.write() as session:
            jobs.put_back(session, claim, None, counted=False)

    def recover(self, *, alone: bool) -> list[uuid.UUID]:
        """Let jobs of dead workers wait again; returns every waiting job, the oldest first.

        alone: no other worker can exist, so that every running job was left by a dead one.
        """
        with self._database.write() as session:
            jobs.recover(session, None if alone else SILENCE, MAX_ATTEMPTS)
            return jobs.queued_ids(session)
