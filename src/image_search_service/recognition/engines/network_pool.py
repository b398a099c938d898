"""Networks that keep their state while they run: each is used by one thread at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Final, Generic, TypeVar

Network = TypeVar("Network")

EARNED: Final = 64
"""So often each network must have been used before one more is loaded. One of SFace takes 88 MB, and as long
to load as ten faces to embed: a few new photos are read with one."""


class NetworkPool(Generic[Network]):
    """Lends networks to threads. Safe to use from several of them.

    load: makes one; it may raise, and is not called by two threads at once for what one of them can wait for.
    The first is made with the pool, so that a file that is no network is noticed there.
    """

    def __init__(self, load: Callable[[], Network]) -> None:
        self._load = load
        self._free = [load()]
        self._loaded = 1
        self._used = 0
        self._given_back = threading.Condition()

    @property
    def loaded(self) -> int:
        """How many networks there are."""
        return self._loaded

    @contextmanager
    def borrowed(self) -> Iterator[Network]:
        """A network for this thread alone. It waits for one where the others have not earned one more."""
        network = self._take()
        try:
            yield network
        finally:
            with self._given_back:
                self._free.append(network)
                self._given_back.notify()

    def release(self) -> None:
        """Keep only one of the networks that nobody uses; others have to be earned anew."""
        with self._given_back:
            self._loaded -= len(self._free[1:])
            del self._free[1:]
            self._used = 0

    def _take(self) -> Network:
        with self._given_back:
            self._given_back.wait_for(lambda: bool(self._free) or self._has_earned_one())
            self._used += 1
            if self._free:
                return self._free.pop()
            self._loaded += 1
        with ExitStack() as failed:
            failed.callback(self._not_loaded)
            network = self._load()
            failed.pop_all()
        return network

    def _not_loaded(self) -> None:
        """Somebody else may load it."""
        with self._given_back:
            self._loaded -= 1
            self._given_back.notify()

    def _has_earned_one(self) -> bool:
        return self._used >= EARNED * self._loaded
