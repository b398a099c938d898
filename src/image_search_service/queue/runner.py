"""Runs one job: claims it, stores a sign of life every second, and stores how it ended.

A job stops (cancelled, paused, taken by another worker, process ending) when its next call of ``progress``
raises. Only UnavailableError is retried, after growing pauses; any other error ends the job.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import structlog

from image_search_service.core.errors import ImageSearchError, NotFoundError, UnavailableError
from image_search_service.core.logging import get_logger
from image_search_service.core.types import JsonObject
from image_search_service.db.queries.jobs.jobs import Claim
from image_search_service.services.jobs.ledger import JobLedger

log = get_logger(__name__)

BEAT_SECONDS = 1.0
"""Seconds between signs of life; also the longest time until a running job notices its cancellation."""
PAUSES = (5.0, 20.0, 80.0, 320.0)
"""Seconds before each further attempt: seven minutes in all, enough for a server to restart."""

JobFunction = Callable[..., JsonObject]
"""``job(services, progress, **parameters)`` returns its counts by name, or raises."""


class JobStopped(Exception):  # noqa: N818 - not an error
    """Raised by a job's call of ``progress`` when the job is to stop."""


class JobRunner:
    """Runs jobs by their ids; ``services`` is handed to each job's function."""

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
        """Let running jobs wait again at their next step, and take no others."""
        self._stopping.set()

    def recover(self) -> list[uuid.UUID]:
        """Let jobs of dead workers wait again; returns every waiting job.

        If this process is the only one (``alone``), a job that runs at its start was left by a dead process.
        """
        alone, self._alone = self._alone, False
        return self._ledger.recover(alone=alone)

    def run(self, job_id: uuid.UUID) -> float | None:
        """Run a job if it still waits. Returns the seconds until it is to be retried, or None."""
        if self._stopping.is_set():
            return 0.0
        claim = self._ledger.claim(job_id)
        if claim is None:
            return None
        with structlog.contextvars.bound_contextvars(job=str(claim.id), kind=claim.kind):
            return self._run(claim)

    def _run(self, claim: Claim) -> float | None:
        run = _JobAttempt(self._ledger, claim, self._stopping)
        try:
            with run.beating(self._beat_seconds):
                job = self._function(claim.kind)
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
        except BaseException as error:  # would end the worker's thread, and with it all jobs that wait for it
            self._failed(claim, f"Unexpected error: {error!r}. The log of the worker says where.")
            raise RuntimeError(f"The job {claim.id} ended with {error!r}") from error
        return None

    def _function(self, kind: str) -> JobFunction:
        if kind not in self._functions:  # a restored backup may have jobs of another version
            raise NotFoundError(f"This version has no jobs of the kind {kind}.")
        return self._functions[kind]

    def _failed(self, claim: Claim, reason: str) -> None:
        """End the job as failed; or let it wait again if the process is stopping, which closes the stores."""
        if self._stopping.is_set():
            self._ledger.put_back(claim)
        else:
            self._ledger.fail(claim, reason)

    def _stopped(self, run: _JobAttempt) -> None:
        if run.cancelled:
            self._ledger.cancelled(run.claim)
        elif run.paused and not run.lost:
            self._ledger.paused(run.claim)
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


class ProgressReporter:
    """A job calls it to report progress and counts."""

    def __init__(self, tell: Callable[[int, int | None], None]) -> None:
        self._tell = tell
        self.counts: JsonObject = {}

    def __call__(self, done: int, total: int | None) -> None:
        """Raises JobStopped."""
        self._tell(done, total)

    def found(self, **counts: Any) -> None:
        """Report counts by name; earlier ones of other names stay."""
        self.counts = {**self.counts, **counts}


class _JobAttempt:
    """One attempt at a job: its progress, and whether it must stop."""

    def __init__(self, ledger: JobLedger, claim: Claim, stopping: threading.Event) -> None:
        self._ledger = ledger
        self._stopping = stopping
        self.claim = claim
        self.done = 0
        self.total: int | None = None
        self.cancelled = self.paused = self.lost = False
        self.progress = ProgressReporter(self._progress)

    def _progress(self, done: int, total: int | None) -> None:
        """Keep the progress in memory; ``beating`` writes the row. Raises JobStopped."""
        self.done, self.total = done, total
        if self.cancelled or self.paused or self.lost or self._stopping.is_set():
            raise JobStopped

    @contextmanager
    def beating(self, seconds: float) -> Iterator[None]:
        """In a thread, until the block ends: store the progress and check whether the job must stop."""
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
                self.cancelled, self.paused, self.lost = beat.cancel, beat.pause, beat.lost


def _sentence(error: ImageSearchError) -> str:
    return f"{error.message} {error.hint}" if error.hint else error.message
