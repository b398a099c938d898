"""Whoever asks first gets the lock first, and nobody is left waiting for one who has gone."""

from __future__ import annotations

import threading

import pytest

from image_search_service.core.errors import UnavailableError
from image_search_service.core.fair_lock import FairLock
from tests.support.waiting import LIMIT, wait_until


def test_first_come_first_served() -> None:
    """Threads get it in the order in which they asked, and one that lets go is not first again."""
    lock, order = FairLock("the store", LIMIT), []

    def ask(number: int) -> None:
        with lock.held():
            order.append(number)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(5)]
    with lock.held():
        for number, thread in enumerate(threads):
            thread.start()
            wait_until(lambda asked=number + 1: lock.waiting == asked)  # type: ignore[misc]
    with lock.held():
        order.append(99)
    for thread in threads:
        thread.join(LIMIT)
    assert order == [0, 1, 2, 3, 4, 99]


def test_who_gives_up_holds_up_nobody() -> None:
    """Without a turn in time it is an error that says what is busy, and the next one gets the lock."""
    lock = FairLock("the store", 0.01)
    with lock.held(), pytest.raises(UnavailableError, match="keep the store busy"), lock.held():
        pass
    assert lock.waiting == 0
    with lock.held():
        pass


def test_an_error_lets_go() -> None:
    """Whatever is raised while it is held, the next one gets it."""
    lock = FairLock("the store", 0.01)
    with pytest.raises(KeyError), lock.held():
        raise KeyError
    with lock.held():
        pass
