"""Turns for requests that cost much, so that a few of them never take all of the server's threads.

A request waits for its turn without a thread and without a connection to the database, and keeps it until its
answer is sent.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

from fastapi import Depends, Request

from image_search_service.core.errors import UnavailableError

WAIT_SECONDS: Final = 10.0
MOST_WAITING: Final = 100


class Turns:
    """So many at once, the others in the order in which they came."""

    def __init__(self, at_once: int, *, wait_seconds: float = WAIT_SECONDS) -> None:
        self._free = at_once
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._wait_seconds = wait_seconds

    async def take(self) -> None:
        """Raises UnavailableError after ``WAIT_SECONDS``, or at once if very many wait already."""
        if self._free:
            self._free -= 1
            return
        if len(self._waiting) >= MOST_WAITING:
            raise _too_many()
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await asyncio.wait_for(asyncio.shield(turn), self._wait_seconds)
        except BaseException as error:
            if turn.done():  # it came at the last moment
                self.give_back()
            else:
                self._waiting.remove(turn)
            if isinstance(error, TimeoutError):
                raise _too_many() from None
            raise

    def give_back(self) -> None:
        if self._waiting:
            self._waiting.popleft().set_result(None)
        else:
            self._free += 1


def _too_many() -> UnavailableError:
    return UnavailableError("Many such requests are being answered already.", hint="Ask again in a moment.")


READS: Final = "reads"
"""What compares faces or looks through the whole library."""
TRANSFERS: Final = "transfers"
"""Whole libraries in or out, for as long as a client takes for them."""


def all_turns() -> dict[str, Turns]:
    """Of one application. Its server has 40 threads."""
    return {READS: Turns(8), TRANSFERS: Turns(4)}


def in_turn(kind: str) -> Any:
    """A route's dependency: the request waits for its turn among those of its kind."""
    return Depends(_waiting(kind))


def _waiting(kind: str) -> Callable[[Request], AsyncIterator[None]]:
    async def turn(request: Request) -> AsyncIterator[None]:
        turns: Turns = request.app.state.turns[kind]
        await turns.take()
        try:
            yield
        finally:
            turns.give_back()

    return turn
