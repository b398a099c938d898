"""Streams of events. Each takes one of the server's threads as long as it is watched, so that few are."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

RETRY_MILLISECONDS: Final = 3_000
"""When a browser opens a stream again that has ended."""
WATCHERS: Final = 16
"""Streams that are followed at a time, of the server's 40 threads. Further ones tell how things are and end,
so that their browsers ask again."""
_watchers = threading.BoundedSemaphore(WATCHERS)


@contextmanager
def watcher() -> Iterator[bool]:
    """Whether there is room for one more who watches, for the length of the block."""
    has_room = _watchers.acquire(blocking=False)
    try:
        yield has_room
    finally:
        if has_room:
            _watchers.release()
