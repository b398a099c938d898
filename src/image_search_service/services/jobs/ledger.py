"""Jobs as their workers see them: take one, say how far it is, end it, take up what others left."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import timedelta

from image_search_service.core.types import JsonObject
from image_search_service.db.models import utc_now
from image_search_service.db.queries.jobs import jobs
from image_search_service.db.queries.jobs.jobs import Claim
from image_search_service.db.session import Database

SILENCE = timedelta(seconds=90)
"""A worker that has not been heard of for so long is dead; it says every second that it lives, and may have
to wait ``db.session.SQLITE_BUSY_SECONDS`` for the database."""
MAX_ATTEMPTS = 5
"""After so many a job has failed, so that one that kills its worker does not go on for ever."""


@dataclass(frozen=True, slots=True)
class Beat:
    """What the row says to its worker. lost: the job is another worker's now."""

    cancel: bool
    lost: bool


class JobLedger:
    """Every change of a job's row that its worker makes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim(self, job_id: uuid.UUID) -> Claim | None:
        """Take a job; None when there is nothing to do: it is cancelled, done, or another worker's."""
        with self._database.write() as session:
            return jobs.claim(session, job_id)

    def beat(self, claim: Claim, done: int, total: int | None, counts: JsonObject | None = None) -> Beat:
        """The worker lives, is so far, and has found this."""
        with self._database.write() as session:
            cancel = jobs.beat(session, claim, done, total, counts or {})
        return Beat(cancel=bool(cancel), lost=cancel is None)

    def succeed(self, claim: Claim, counts: JsonObject, done: int, total: int | None) -> None:
        with self._database.write() as session:
            jobs.finish(session, claim, jobs.SUCCEEDED, counts=counts, error=None, done=done, total=total)

    def fail(self, claim: Claim, error: str) -> None:
        with self._database.write() as session:
            jobs.finish(session, claim, jobs.FAILED, error=error)

    def cancelled(self, claim: Claim) -> None:
        with self._database.write() as session:
            jobs.finish(session, claim, jobs.CANCELLED)

    def retry_later(self, claim: Claim, error: str) -> None:
        """It waits for its next attempt."""
        with self._database.write() as session:
            jobs.put_back(session, claim, error, counted=True)

    def put_back(self, claim: Claim) -> None:
        """Its worker is told to stop: another one, or the next start, goes on with it."""
        with self._database.write() as session:
            jobs.put_back(session, claim, None, counted=False)

    def recover(self, *, alone: bool) -> list[uuid.UUID]:
        """Let jobs wait again whose worker is dead; returns every job that waits, the oldest first.

        ``alone``: no other worker can exist, so that whatever runs was left by one that died.
        """
        with self._database.write() as session:
            jobs.recover(session, utc_now() + SILENCE if alone else utc_now() - SILENCE, MAX_ATTEMPTS)
            return jobs.queued_ids(session)
