"""Waiting for what must come, for as long as a busy machine takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

LIMIT = 600.0
"""Seconds after which a test is taken for hanging. What works takes a hundredth of it on a quiet machine."""


def wait_until(read: Callable[[], T], has_come: Callable[[T], bool] = bool, pause: float = 0.02) -> T:
    """Read again and again; the first value that has come."""
    deadline = time.monotonic() + LIMIT
    while not has_come(found := read()):
        if time.monotonic() > deadline:
            raise AssertionError(f"still {found!r} after {LIMIT:g} s")
        time.sleep(pause)
    return found
