"""Networks are lent to one thread at a time, and more are loaded where they are worth it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest

from image_search_service.recognition.engines.network_pool import EARNED, NetworkPool


def numbered() -> NetworkPool[int]:
    """A pool of networks 0, 1, 2 … in the order in which they are loaded."""
    numbers = count()
    return NetworkPool(lambda: next(numbers))


def use(pool: NetworkPool[int], times: int) -> None:
    for _ in range(times):
        with pool.borrowed():
            pass


def test_a_few_uses_share_one_network() -> None:
    """Four threads that embed a few faces wait for the one network, which no two of them have at once."""
    pool = numbered()
    alone = threading.Lock()

    def embed(_: int) -> int:
        with pool.borrowed() as network:
            assert alone.acquire(blocking=False)
            sum(range(5_000))
            alone.release()
            return network

    with ThreadPoolExecutor(4) as threads:
        assert set(threads.map(embed, range(EARNED - 1))) == {0}
    assert pool.loaded == 1


def test_a_thread_waits_for_the_network_that_is_lent() -> None:
    """It gets the same one once that is given back; no other is loaded meanwhile."""
    pool, asked = numbered(), threading.Event()

    def embed() -> int:
        asked.set()
        with pool.borrowed() as network:
            return network

    with ThreadPoolExecutor(1) as threads:
        with pool.borrowed() as first:
            later = threads.submit(embed)
            assert asked.wait(30)
            assert not later.done()
        assert later.result(30) == first
    assert pool.loaded == 1


def test_many_uses_earn_another_network() -> None:
    """Once each was used often enough, whoever would have to wait gets a network of its own; a third has to
    be earned again."""
    pool = numbered()
    use(pool, EARNED)
    with pool.borrowed() as first, pool.borrowed() as second:
        assert {first, second} == {0, 1}
    use(pool, EARNED)
    with pool.borrowed(), pool.borrowed(), pool.borrowed():
        assert pool.loaded == 3


def test_only_one_is_kept_after_much_work() -> None:
    """What was earned is given back, and is loaded again only after as much work as before."""
    pool = numbered()
    use(pool, EARNED)
    with pool.borrowed(), pool.borrowed():
        pool.release()
        assert pool.loaded == 2
    pool.release()
    assert pool.loaded == 1
    use(pool, EARNED - 1)
    assert pool.loaded == 1


def test_what_cannot_be_loaded_is_nobody_s() -> None:
    """A failure to load another network reaches who asked for it; the others go on as before."""
    files = ["network"]

    def load() -> int:
        if not files:
            raise OSError("there is no file")
        return len(files)

    pool = NetworkPool(load)
    use(pool, EARNED)
    files.clear()
    with pool.borrowed():
        with pytest.raises(OSError, match="no file"), pool.borrowed():
            pass
        assert pool.loaded == 1
    use(pool, 1)
