"""Values made on first use."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from image_search_service.core.lazy import locked_property


class Thing:
    """Counts how often its value is made."""

    made = 0

    @locked_property
    def value(self) -> object:
        time.sleep(0.01)
        self.made += 1
        return object()


def test_it_is_made_once_whoever_asks() -> None:
    """Threads that ask at the same time all get the one value that is made."""
    thing = Thing()
    gate = threading.Barrier(4)

    def ask(_: int) -> object:
        gate.wait()
        return thing.value

    with ThreadPoolExecutor(4) as pool:
        values = set(pool.map(ask, range(4)))
    assert values == {thing.value}
    assert thing.made == 1


def test_each_object_has_its_own() -> None:
    """Two objects make a value each."""
    assert Thing().value is not Thing().value
