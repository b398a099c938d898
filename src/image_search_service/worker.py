"""A process that only runs jobs: as many as wanted, on as many machines, once all stores are servers."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from image_search_service.library.opening import Library
from image_search_service.library.workers import running_workers

LOOK_SECONDS = 0.2
"""Between two looks whether a signal has come. ``stop.wait()`` without end would sleep through one that came
just before it, and hold the lock that ``stop.set()`` needs if it came in its midst."""
STOP_SECONDS = 30.0
"""How long a job that runs may take to its next step when the worker is told to end."""


def run_worker(library: Library, stop: threading.Event) -> None:
    """Run jobs until ``stop`` is set; those that run then wait again for another worker."""
    with running_workers(library, STOP_SECONDS):
        while not stop.is_set():
            time.sleep(LOOK_SECONDS)


@contextmanager
def stopped_by_signals() -> Iterator[threading.Event]:
    """An event that is set when the process is asked to end (SIGTERM, as service managers do, or Ctrl-C)."""
    stop = threading.Event()
    former = {
        number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGTERM, signal.SIGINT)
    }
    try:
        yield stop
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
