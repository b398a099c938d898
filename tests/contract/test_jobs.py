"""Jobs from the request to the end, carried by SQLite and by Redis, on SQLite and PostgreSQL."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from image_search_service.core.errors import (
    ConflictError,
    InvalidInputError,
    NotFoundError,
    UnavailableError,
)
from image_search_service.core.records.jobs import JobRecord
from image_search_service.core.types import JsonObject, Progress
from image_search_service.db.session import Database
from image_search_service.queue.huey_app import JobQueue, Workers, open_huey
from image_search_service.queue.runner import JobRunner
from image_search_service.services.jobs.ledger import JobLedger
from image_search_service.services.jobs.service import JobKind, JobService, JobState
from tests.support.databases import DATABASES, open_database
from tests.support.served import POLL_SECONDS
from tests.support.servers import redis_url
from tests.support.waiting import LIMIT, wait_until

KIND = JobKind.CLUSTER_FACES


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with open_database(request.param, tmp_path) as made:
        yield made


@pytest.fixture(params=["sqlite", "redis"])
def queue(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[JobQueue]:
    """An empty queue, removed in the end."""
    url = redis_url() if request.param == "redis" else None
    made = JobQueue(open_huey(redis_url=url, file=tmp_path / "queue.sqlite3", name=f"test{uuid.uuid4().hex}"))
    if url:
        made.huey.storage.read_timeout = 0.05  # so that a test need not wait a second for its workers' end
    yield made
    made.huey.flush()
    made.close()


class Bench:
    """A job service with workers whose only job is ``function``."""

    def __init__(self, database: Database, queue: JobQueue) -> None:
        self.database = database
        self.queue = queue
        self.service = JobService(database, queue.enqueue)
        self.ledger = JobLedger(database)
        self.started: list[Workers] = []

    def work(self, function: Callable[..., JsonObject], *, threads: int = 1, alone: bool = False) -> None:
        runner = JobRunner(
            self.ledger, {KIND.value: function}, None, alone=alone, beat_seconds=0.02, pauses=(0.01, 0.01)
        )
        workers = Workers(self.queue, runner, threads, POLL_SECONDS)
        workers.start()
        self.started.append(workers)

    def stop(self) -> bool:
        stopped = [workers.stop(LIMIT) for workers in self.started]
        return all(stopped)

    def ended(self, job: JobRecord, *states: JobState) -> JobRecord:
        """The job once it is in one of these states."""
        wanted = states or (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED)
        return wait_until(lambda: self.service.get(job.id), lambda found: found.state in wanted)


@pytest.fixture
def bench(database: Database, queue: JobQueue) -> Iterator[Bench]:
    made = Bench(database, queue)
    yield made
    assert made.stop()


def double(_services: object, progress: Progress, *, number: int = 1) -> JsonObject:
    progress(1, 1)
    return {"doubled": 2 * number}


def endless(_services: object, progress: Progress, **_: Any) -> JsonObject:
    steps = 0
    while True:
        steps += 1
        progress(steps, None)
        time.sleep(0.005)


def test_a_job_is_done(bench: Bench) -> None:
    """A job runs with its parameters, and its row says how it ended and what it found."""
    job = bench.service.submit(KIND, {"number": 21})
    assert job.state == JobState.QUEUED
    bench.work(double)
    ended = bench.ended(job)
    assert (ended.state, ended.counts, ended.done, ended.total) == (JobState.SUCCEEDED, {"doubled": 42}, 1, 1)
    assert ended.error is None
    assert ended.started_at is not None
    assert ended.finished_at is not None


def test_asked_for_twice_it_runs_once(bench: Bench) -> None:
    """An equal job that waits is returned instead of a second one; once it has ended, it may run again."""
    ran: list[int] = []

    def note(_services: object, _progress: Progress, *, number: int) -> JsonObject:
        ran.append(number)
        return {}

    first, same = (bench.service.submit(KIND, {"number": 1}) for _ in range(2))
    other = bench.service.submit(KIND, {"number": 2})
    assert first.id == same.id != other.id
    bench.work(note)
    bench.ended(first)
    bench.ended(other)
    again = bench.service.submit(KIND, {"number": 1})
    assert again.id != first.id
    bench.ended(again)
    assert sorted(ran) == [1, 1, 2]


def test_a_message_that_comes_twice_runs_the_job_once(bench: Bench) -> None:
    """Several workers and repeated messages: each job runs once."""
    ran: list[int] = []

    def note(_services: object, _progress: Progress, *, number: int) -> JsonObject:
        ran.append(number)
        return {}

    jobs = bench.service.submit_all(KIND, [{"number": number} for number in range(10)])
    for job in jobs:
        bench.queue.enqueue(job.id)
    bench.work(note, threads=3)
    for job in jobs:
        assert bench.ended(job).attempts == 1
    assert sorted(ran) == list(range(10))


def test_a_waiting_job_is_cancelled_at_once(bench: Bench) -> None:
    """What is cancelled before it began never begins; cancelling it again changes nothing."""
    job = bench.service.submit(KIND, {})
    assert bench.service.cancel(job.id).state == JobState.CANCELLED
    assert bench.service.cancel(job.id).state == JobState.CANCELLED
    bench.work(double)
    assert bench.ended(bench.service.submit(KIND, {"number": 2})).counts == {"doubled": 4}
    assert bench.service.get(job.id).attempts == 0


def test_a_running_job_is_cancelled_at_its_next_step(bench: Bench) -> None:
    """A job that runs stops at its next call of progress, and shows how far it was."""
    bench.work(endless)
    job = bench.service.submit(KIND, {})
    bench.ended(job, JobState.RUNNING)
    assert bench.service.cancel(job.id).cancel_requested
    ended = bench.ended(job)
    assert ended.state == JobState.CANCELLED
    assert ended.error is None


def test_what_has_ended_cannot_be_cancelled(bench: Bench) -> None:
    """Cancelling a job that has succeeded is a conflict; one that does not exist is not found."""
    bench.work(double)
    job = bench.ended(bench.service.submit(KIND, {}))
    with pytest.raises(ConflictError, match="succeeded already"):
        bench.service.cancel(job.id)
    with pytest.raises(NotFoundError):
        bench.service.cancel(uuid.uuid4())


def test_progress_is_seen_while_it_runs(bench: Bench) -> None:
    """The row tells how far a running job is, and that its worker lives."""
    go_on = threading.Event()

    def half(_services: object, progress: Progress) -> JsonObject:
        progress(5, 10)
        go_on.wait(LIMIT)
        return {}

    bench.work(half)
    job = bench.service.submit(KIND, {})
    seen = wait_until(lambda: bench.service.get(job.id), lambda found: found.done > 0)
    go_on.set()
    assert (seen.done, seen.total, seen.state) == (5, 10, JobState.RUNNING)
    bench.ended(job)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (InvalidInputError("Too few faces.", hint="Name more."), "Too few faces. Name more."),
        (ZeroDivisionError("by zero"), "ZeroDivisionError('by zero')"),
    ],
)
def test_an_error_ends_the_job(
    bench: Bench, error: Exception, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever a job raises is its end, at the first attempt, and the row says why."""

    def fail(_services: object, _progress: Progress) -> JsonObject:
        raise error

    bench.work(fail)
    ended = bench.ended(bench.service.submit(KIND, {}))
    assert (ended.state, ended.attempts) == (JobState.FAILED, 1)
    assert said in (ended.error or "")


class Panic(BaseException):
    """As libraries of other languages raise it."""


@pytest.mark.parametrize("error", [Panic("out of bounds"), SystemExit(3)])
def test_what_would_end_the_thread_ends_the_job_alone(
    bench: Bench, error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    """The job has failed and says why, and the next one runs."""

    def fail_first(_services: object, _progress: Progress, *, fails: bool) -> JsonObject:
        if fails:
            raise error
        return {"done": 1}

    bench.work(fail_first)
    ended = bench.ended(bench.service.submit(KIND, {"fails": True}))
    assert (ended.state, repr(error) in (ended.error or "")) == (JobState.FAILED, True)
    assert bench.ended(bench.service.submit(KIND, {"fails": False})).state == JobState.SUCCEEDED


def test_only_what_is_unavailable_is_tried_again(bench: Bench) -> None:
    """A job that meets a store that does not answer succeeds at a later attempt."""
    tries: list[int] = []

    def at_last(_services: object, _progress: Progress) -> JsonObject:
        tries.append(1)
        if len(tries) < 3:
            raise UnavailableError("Qdrant does not answer.")
        return {"tries": len(tries)}

    bench.work(at_last)
    ended = bench.ended(bench.service.submit(KIND, {}))
    assert (ended.state, ended.counts, ended.attempts, ended.error) == (
        JobState.SUCCEEDED, {"tries": 3}, 3, None,
    )  # fmt: skip


def test_what_stays_unavailable_fails(bench: Bench) -> None:
    """After the last attempt the job has failed, and says what did not answer."""

    def never(_services: object, _progress: Progress) -> JsonObject:
        raise UnavailableError("Qdrant does not answer.")

    bench.work(never)
    ended = bench.ended(bench.service.submit(KIND, {}))
    assert (ended.state, ended.attempts) == (JobState.FAILED, 3)
    assert ended.error == "Qdrant does not answer."


def test_a_stopped_process_hands_its_job_on(bench: Bench) -> None:
    """A worker that is told to stop puts its job back, and the next one does it; no attempt is counted."""
    bench.work(endless)
    job = bench.service.submit(KIND, {})
    bench.ended(job, JobState.RUNNING)
    assert bench.stop()
    waiting = bench.service.get(job.id)
    assert (waiting.state, waiting.attempts) == (JobState.QUEUED, 0)
    bench.started.clear()
    bench.work(lambda _services, _progress: {"done": True})
    assert bench.ended(job).counts == {"done": True}


def test_a_dead_workers_job_is_taken_up(bench: Bench) -> None:
    """What a killed process was doing is done by the next one; it needs no message for that."""
    job = bench.service.submit(KIND, {"number": 3})
    assert bench.ledger.claim(job.id) is not None
    bench.queue.huey.flush()
    bench.work(double, alone=True)
    ended = bench.ended(job)
    assert (ended.counts, ended.attempts) == ({"doubled": 6}, 2)


def test_a_job_whose_message_was_lost_is_sent_again(bench: Bench) -> None:
    """A job is accepted while the queue is away, and runs when a worker starts."""

    def away(_job_id: uuid.UUID) -> None:
        raise UnavailableError("The queue does not answer.")

    service = JobService(bench.database, away)
    with pytest.raises(UnavailableError):
        service.submit(KIND, {"number": 4})
    job = service.submit(KIND, {"number": 4})
    bench.work(double)
    assert bench.ended(job).counts == {"doubled": 8}
