"""Runs one job: claims it, says every second that it lives, and writes down how it ended.

A job is told to stop (cancelled, taken away, the process ends) by an error that its next call of ``progress``
raises. Only UnavailableError is tried again, later each time; any other error ends the job.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import structlog

from image_search_service.core.errors import ImageSearchError, UnavailableError
from image_search_service.core.logging import get_logger
from image_search_service.core.types import JsonObject
from image_search_service.db.queries.jobs.jobs import Claim
from image_search_service.services.jobs.ledger import JobLedger

log = get_logger(__name__)

BEAT_SECONDS = 1.0
"""Pause between two signs of life; so long it takes at most until a job notices that it is cancelled."""
PAUSES = (5.0, 20.0, 80.0, 320.0)
"""Seconds before each further attempt: together seven minutes, in which a server has started again."""

JobFunction = Callable[..., JsonObject]
"""``job(services, progress, **parameters)`` returns what it found and did, by name, or raises."""


class JobStopped(Exception):  # noqa: N818 - it stops a job, nothing went wrong
    """Raised in a job by its call of ``progress``."""


class JobRunner:
    """Runs jobs by their ids, with ``services`` for those functions to call."""

    def __init__(
        self,
        ledger: JobLedger,
        functions: Mapping[str, JobFunction],
        services: Any,
        *,
        alone: bool = False,
        beat_seconds: float = BEAT_SECONDS,
        pauses: Sequence[float] = PAUSES,
    ) -> None:
        self._ledger = ledger
        self._functions = functions
        self._services = services
        self._alone = alone
        self._beat_seconds = beat_seconds
        self._pauses = pauses
        self._stopping = threading.Event()

    def stop(self) -> None:
        """Let jobs that run wait again, at their next step; take no other."""
        self._stopping.set()

    def recover(self) -> list[uuid.UUID]:
        """Put back what dead workers left; returns every job that waits.

        ``alone``, this process is the only one: what runs at its start was left by the one before it.
        """
        alone, self._alone = self._alone, False
        return self._ledger.recover(alone=alone)

    def run(self, job_id: uuid.UUID) -> float | None:
        """Run a job, if it still waits. Returns after how many seconds to try again, or None."""
        if self._stopping.is_set():
            return 0.0
        claim = self._ledger.claim(job_id)
        if claim is None:
            return None
        with structlog.contextvars.bound_contextvars(job=str(claim.id), kind=claim.kind):
            return self._run(claim)

    def _run(self, claim: Claim) -> float | None:
        run = _Run(self._ledger, claim, self._stopping)
        try:
            with run.beating(self._beat_seconds):
                job = self._functions[claim.kind]
                counts = job(self._services, run.progress, **claim.parameters)
            self._ledger.succeed(claim, counts, run.done, run.total)
        except JobStopped:
            self._stopped(run)
        except UnavailableError as error:
            return self._unavailable(claim, error)
        except ImageSearchError as error:
            log.warning("job failed", error=error.message)
            self._failed(claim, _sentence(error))
        except Exception as error:
            self._failed(claim, f"Unexpected error: {error!r}. The log of the worker says where.")
            raise
        return None

    def _failed(self, claim: Claim, said: str) -> None:
        """A job whose stores were closed under it, the process being about to end, waits again."""
        if self._stopping.is_set():
            self._ledger.put_back(claim)
        else:
            self._ledger.fail(claim, said)

    def _stopped(self, run: _Run) -> None:
        if run.cancelled:
            self._ledger.cancelled(run.claim)
        elif not run.lost:
            self._ledger.put_back(run.claim)

    def _unavailable(self, claim: Claim, error: UnavailableError) -> float | None:
        if claim.attempt > len(self._pauses):
            log.warning("job failed", error=error.message, attempts=claim.attempt)
            self._ledger.fail(claim, _sentence(error))
            return None
        pause = self._pauses[claim.attempt - 1]
        log.warning("job is tried again", error=error.message, seconds=pause)
        self._ledger.retry_later(claim, f"{_sentence(error)} Tried again in {pause:.0f} s.")
        return pause


class JobProgress:
    """What a job calls to say how far it is, and what it has found so far."""

    def __init__(self, tell: Callable[[int, int | None], None]) -> None:
        self._tell = tell
        self.counts: JsonObject = {}

    def __call__(self, done: int, total: int | None) -> None:
        """Raises JobStopped."""
        self._tell(done, total)

    def found(self, **counts: Any) -> None:
        """By name; what was said before stays, unless it is said again."""
        self.counts = {**self.counts, **counts}


class _Run:
    """One attempt: how far it is, and whether it is to stop."""

    def __init__(self, ledger: JobLedger, claim: Claim, stopping: threading.Event) -> None:
        self._ledger = ledger
        self._stopping = stopping
        self.claim = claim
        self.done = 0
        self.total: int | None = None
        self.cancelled = self.lost = False
        self.progress = JobProgress(self._progress)

    def _progress(self, done: int, total: int | None) -> None:
        """Costs nothing: the row is written by ``beating``. Raises JobStopped."""
        self.done, self.total = done, total
        if self.cancelled or self.lost or self._stopping.is_set():
            raise JobStopped

    @contextmanager
    def beating(self, seconds: float) -> Iterator[None]:
        """Write the progress down and look whether to go on, in a thread of its own, until the block ends."""
        ended = threading.Event()
        thread = threading.Thread(target=self._beat, args=(ended, seconds), name="job-beat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _beat(self, ended: threading.Event, seconds: float) -> None:
        while not ended.wait(seconds):
            try:
                beat = self._ledger.beat(self.claim, self.done, self.total, self.progress.counts)
            except UnavailableError as error:
                log.warning("the database did not take a sign of life", error=error.message)
            else:
                self.cancelled, self.lost = beat.cancel, beat.lost


def _sentence(error: ImageSearchError) -> str:
    return f"{error.message} {error.hint}" if error.hint else error.message
