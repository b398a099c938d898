"""Huey carries ids of jobs to workers, on SQLite or on Redis; the job itself is a row in the database.

A message may arrive twice or never: a job is claimed in the database before it runs, and waiting jobs
without a message get a new one every minute.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from huey import Huey, crontab
from huey.consumer import Consumer
from huey.exceptions import RetryTask
from huey.storage import RedisStorage, SqliteStorage

from image_search_service.core.fair_lock import FairLock
from image_search_service.core.logging import get_logger
from image_search_service.queue.errors import translated
from image_search_service.queue.names import NIGHTLY, QUEUE, RECOVER_JOBS, RUN_JOB
from image_search_service.queue.runner import JobRunner
from image_search_service.queue.serializer import JsonSerializer

log = get_logger(__name__)

REDIS_SECONDS = 5
"""Timeout of connecting to Redis and of its answers."""
NIGHT = crontab(hour="3", minute="0")
"""When nightly jobs are submitted: at 3:00 UTC."""
QUEUE_SECONDS = 30
"""How long a job waits at most to be put into a queue in SQLite."""
POLL_SECONDS = 1.0
"""Longest interval between polls of a queue in SQLite, unless asked otherwise; Redis notifies at once."""


def open_huey(*, redis_url: str | None, file: Path, name: str = QUEUE) -> Huey:
    """Redis where a URL is given, else a SQLite file. Raises UnavailableError."""
    settings: dict[str, Any] = {"name": name, "results": False, "serializer": JsonSerializer()}
    with translated():
        if redis_url is None:
            file.parent.mkdir(parents=True, exist_ok=True)
            return Huey(storage_class=SqliteStorage, filename=str(file), timeout=QUEUE_SECONDS, **settings)
        pool = _redis_pool(redis_url)
        return Huey(storage_class=RedisStorage, connection_pool=pool, clean_name=False, **settings)


def _redis_pool(url: str) -> Any:
    from redis import BlockingConnectionPool

    return BlockingConnectionPool.from_url(
        url, socket_timeout=REDIS_SECONDS, socket_connect_timeout=REDIS_SECONDS, health_check_interval=30
    )


class JobQueue:
    """Sends jobs to workers of this process or of others."""

    def __init__(self, huey: Huey) -> None:
        self.huey = huey
        self._sending = FairLock("the queue", QUEUE_SECONDS)
        self.runner: JobRunner | None = None
        """Runs the jobs that arrive in this process; None in a process that only sends."""
        self.on_night: Callable[[], object] | None = None
        """Workers call it every night to submit jobs; several processes may do so at once."""
        self.on_minute: Callable[[], object] | None = None
        """Workers call it every minute."""
        self._task = huey.task(name=RUN_JOB)(self._run)
        huey.periodic_task(crontab(), name=RECOVER_JOBS)(self.recover)
        huey.periodic_task(NIGHT, name=NIGHTLY)(self.nightly)

    def enqueue(self, job_id: uuid.UUID) -> None:
        """Send a job to a worker. Raises UnavailableError."""
        with translated(), self._sending.held():
            self._task(str(job_id))

    def check(self) -> None:
        """Raises UnavailableError when the queue does not answer."""
        with translated():
            self.huey.pending_count()

    def send_lost(self, waiting: Sequence[uuid.UUID]) -> int:
        """Send those of the waiting jobs that have no message, queued or scheduled; returns how many."""
        with translated():
            tasks = [*self.huey.pending(), *self.huey.scheduled()]
        in_queue = {uuid.UUID(task.args[0]) for task in tasks if task.name == RUN_JOB}
        lost = [job_id for job_id in waiting if job_id not in in_queue]
        for job_id in lost:
            self.enqueue(job_id)
        return len(lost)

    def recover(self) -> None:
        """Let jobs of dead workers wait again, and send waiting jobs that lost their message."""
        if self.runner is None:
            return
        if self.on_minute is not None:
            self.on_minute()
        sent = self.send_lost(self.runner.recover())
        if sent:
            log.warning("jobs without a message were sent again", jobs=sent)

    def nightly(self) -> None:
        """Submit the nightly jobs."""
        if self.runner is not None and self.on_night is not None:
            self.on_night()

    def close(self) -> None:
        """Close the connections."""
        storage = self.huey.storage
        if isinstance(storage, RedisStorage):
            storage.pool.disconnect()
        else:
            storage.close()

    def _run(self, job_id: str) -> None:
        if self.runner is None:
            raise RuntimeError("a process without Workers runs no jobs")
        again = self.runner.run(uuid.UUID(job_id))
        if again is not None:
            raise RetryTask(delay=again)


class _QuietConsumer(Consumer):  # type: ignore[misc]  # Huey has no type information
    """A consumer that leaves the process's signal handlers alone."""

    def _set_signal_handlers(self) -> None:
        pass


class Workers:
    """Threads of this process that run jobs until they are stopped.

    poll_seconds: longest interval between polls of a queue in SQLite.
    """

    def __init__(
        self, queue: JobQueue, runner: JobRunner, threads: int, poll_seconds: float = POLL_SECONDS
    ) -> None:
        self._queue = queue
        self._runner = queue.runner = runner
        self._consumer = _QuietConsumer(
            queue.huey, workers=threads, max_delay=poll_seconds, check_worker_health=False
        )

    def start(self) -> None:
        """Start, and take up jobs that an earlier process left. Raises UnavailableError."""
        self._queue.recover()
        self._consumer.start()

    def stop(self, seconds: float) -> bool:
        """Take no more jobs, and let running ones wait again at their next step.

        Waits at most ``seconds`` for them; False if one has not stopped: another worker takes it over later.
        """
        self._runner.stop()
        self._consumer.shutdown_timeout = seconds
        self._consumer.stop_flag.set()
        return bool(self._consumer._join_workers())
