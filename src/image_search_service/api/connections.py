"""How long a client may take, and how many connections there may be: uvicorn's protocol, with a clock.

By itself uvicorn waits for the rest of a request for ever, and accepts connections until the system has no
more files for it.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Final

from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS: Final = 20.0
"""For a request's head, from its first byte on, or from the connection on."""
STALL_SECONDS: Final = 60.0
"""Without a further byte of a body, or without taking a further part of an answer."""
SLOWEST: Final = 1_000
"""Bytes a second that a body comes with, after ``STALL_SECONDS``."""
MOST_CONNECTIONS: Final = 512
REFUSED_SECONDS: Final = 1.0
"""How long a connection beyond these is open for its request, to be told so."""
BACKLOG: Final = 128
"""Connections that wait to be accepted, and that are accepted at once."""
_BUSY: Final = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Type: text/plain; charset=utf-8\r\n"
    b"Connection: close\r\nContent-Length: 29\r\n\r\nToo many connections are open"
)

log = logging.getLogger("uvicorn.error")


def most_connections() -> int:
    """Half of the files that the process may open, at most ``MOST_CONNECTIONS``."""
    try:
        import resource
    except ImportError:  # Windows
        return MOST_CONNECTIONS
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST_CONNECTIONS if files == resource.RLIM_INFINITY else min(MOST_CONNECTIONS, max(1, files // 2))


class PatientProtocol(H11Protocol):
    """One connection. At most one timer runs: for the head, the body, or an answer that is not taken."""

    head_seconds = HEAD_SECONDS
    stall_seconds = STALL_SECONDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._timer: asyncio.TimerHandle | None = None
        self._timed = ""
        self._is_refused = False
        self.head_began = 0.0
        self._body_began = 0.0
        self._received = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        if len(self.connections) >= most_connections() and not self._makes_room():
            self._refuse(transport)
            return
        super().connection_made(transport)
        self.head_began = self.loop.time()
        self._time("head", self.head_seconds)

    @property
    def is_waiting(self) -> bool:
        """Whether a request's head has not come yet."""
        return self._timed == "head"

    def give_up_for_others(self) -> None:
        self._give_up("room")
        self.connections.discard(self)

    def _makes_room(self) -> bool:
        """Close the connection that has waited longest for a request's head; False if none waits for one. So
        whoever holds many half-sent requests closes their own."""
        waiting = [each for each in self.connections if isinstance(each, PatientProtocol) and each.is_waiting]
        if not waiting:
            return False
        min(waiting, key=lambda each: each.head_began).give_up_for_others()
        return True

    def _refuse(self, transport: asyncio.Transport) -> None:
        """Answered when its request comes: closed before, the system would take the answer back."""
        log.warning("Too many connections are open; further ones are refused.")
        self.transport = transport
        self._is_refused = True
        self._timer = self.loop.call_later(REFUSED_SECONDS, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._is_refused:
            self.transport.write(_BUSY)
            self.transport.close()
            return
        self._received += len(data)
        super().data_received(data)
        if self.transport.is_closing() or self._timed == "answer":
            return
        if self.cycle is None or self.cycle.response_complete:
            self._head()
        elif self.cycle.more_body:
            self._body()
        else:
            self._stop()

    def _head(self) -> None:
        """A part of a head has come; further parts get no further time."""
        if self._timed != "head":
            self.head_began = self.loop.time()
            self._time("head", self.head_seconds)

    def _body(self) -> None:
        now = self.loop.time()
        if self._timed != "body":
            self._body_began, self._received = now, 0
        elapsed = now - self._body_began
        if elapsed > self.stall_seconds and self._received < SLOWEST * elapsed:
            self._give_up("body")
        else:
            self._time("body", self.stall_seconds)

    def on_response_complete(self) -> None:
        self._stop()
        super().on_response_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._time("answer", self.stall_seconds)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop()

    def _time(self, what: str, seconds: float) -> None:
        self._stop()
        self._timed = what
        self._timer = self.loop.call_later(seconds, self._give_up, what)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._timed = None, ""

    def _give_up(self, what: str) -> None:
        if what == "body" and self.flow.read_paused:  # it is not the client who waits
            self._time(what, self.stall_seconds)
            return
        self._stop()
        log.warning(_GIVEN_UP[what])
        self.transport.abort()


_GIVEN_UP: Final = {
    "room": "Many connections are open; those that have waited longest for a request are closed.",
    "head": "A client did not send the head of a request in time; its connection is closed.",
    "body": "A client did not send the body of a request in time; its connection is closed.",
    "answer": "A client did not take its answer in time; its connection is closed.",
}
