"""A lock that threads get in the order in which they asked for it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from image_search_service.core.errors import UnavailableError


class FairLock:
    """Whoever lets go of it hands it to whoever has waited longest; nobody asks again and again.

    SQLite's own way of waiting is to ask after pauses of up to 100 ms: under load its lock is free meanwhile,
    or somebody gets it who came later.
    """

    def __init__(self, what: str, seconds: float) -> None:
        """what: what it is for, for the error. seconds: how long to wait at most."""
        self._what = what
        self._seconds = seconds
        self._guard = threading.Lock()
        self._held = False
        self._waiting: deque[threading.Event] = deque()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Wait for one's turn. Raises UnavailableError when it does not come in time."""
        self._acquire()
        try:
            yield
        finally:
            self._release()

    @property
    def waiting(self) -> int:
        """How many threads wait."""
        return len(self._waiting)

    def _acquire(self) -> None:
        with self._guard:
            if not self._held:
                self._held = True
                return
            turn = threading.Event()
            self._waiting.append(turn)
        in_time = False
        try:
            in_time = turn.wait(self._seconds)
        finally:
            if not in_time:  # too late, or interrupted: nobody is left to be handed the lock
                self._leave(turn)
        if not in_time:
            raise UnavailableError(f"Others keep {self._what} busy.", hint="Try again.")

    def _leave(self, turn: threading.Event) -> None:
        with self._guard:
            if not turn.is_set():
                self._waiting.remove(turn)
                return
        self._release()

    def _release(self) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().set()  # it stays held, by that thread
            else:
                self._held = False
