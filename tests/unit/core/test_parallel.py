"""Bounded work ahead."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from image_search_service.core.parallel import chunks, map_ahead, thread_pool


def test_chunks_hold_everything_once_in_order() -> None:
    """Chunks are full but for the last."""
    assert list(chunks(range(7), 3)) == [[0, 1, 2], [3, 4, 5], [6]]
    assert list(chunks([], 3)) == []


def test_map_ahead_keeps_order() -> None:
    """Results come in the order of the items, however many threads there are."""
    with thread_pool(3, "test") as pool:
        assert list(map_ahead(pool, lambda n: n * n, range(50), 7)) == [n * n for n in range(50)]


def test_map_ahead_takes_no_more_than_it_may() -> None:
    """Items are drawn only as far ahead as allowed, so that memory is bounded."""
    drawn = 0

    def items() -> Iterator[int]:
        nonlocal drawn
        for n in range(100):
            drawn += 1
            yield n

    with thread_pool(2, "test") as pool:
        results = map_ahead(pool, lambda n: n, items(), 5)
        next(results)
        assert drawn == 5
        list(results)


def test_failure_drops_what_has_not_begun() -> None:
    """When the block raises, calls that have not begun never begin."""
    begun: list[int] = []
    gate = threading.Event()

    def call(n: int) -> int:
        begun.append(n)
        gate.wait(10)
        return n

    def use() -> None:
        with thread_pool(1, "test") as pool:
            for n in range(20):
                pool.submit(call, n)
            gate.set()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        use()
    assert len(begun) < 20
