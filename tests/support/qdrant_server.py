"""A Qdrant server for tests: Qdrant's own gRPC and REST on loopback over an engine in this process.

``QdrantClient(url=…)`` works against it unmodified, for the calls that the project makes. It counts requests,
delays them and fails on demand. What a fault means on a protocol: see ``qdrant_grpc`` and ``qdrant_rest``.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from enum import Enum, auto
from threading import Event, Lock
from typing import Any, Self
from uuid import uuid4

from qdrant_client import QdrantClient

from tests.support.qdrant_grpc import serve_grpc
from tests.support.qdrant_rest import serve_rest


class Fault(Enum):
    """What goes wrong with a request."""

    OVERLOADED = auto()
    UNAVAILABLE = auto()
    HANGS = auto()  # no answer until the server is healed or stops
    DROPS = auto()  # the connection ends in the middle of the answer
    TOO_LARGE = auto()
    GARBAGE = auto()
    INTERNAL = auto()
    REFUSED = auto()  # a malformed request
    HALF = auto()  # half of the points that were asked for


@dataclass
class Failing:
    """A fault, on which operations (all, if none is named), how often, and for which points (for any).

    after: so many requests that it is meant for pass before it begins.
    """

    fault: Fault
    operations: Collection[str] = ()
    times: int | None = None
    only_with: frozenset[str] = frozenset()
    after: int = 0

    def begins(self, operation: str, ids: Collection[str]) -> bool:
        """Whether this request fails; counts it."""
        if not self._is_meant_for(operation, ids) or self.times == 0:
            return False
        if self.after > 0:
            self.after -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True

    def _is_meant_for(self, operation: str, ids: Collection[str]) -> bool:
        return (not self.operations or operation in self.operations) and (
            not self.only_with or not self.only_with.isdisjoint(ids)
        )


@dataclass
class Gate:
    """What every request passes: counted, delayed, and failed if so arranged."""

    engine: Any
    delay: float = 0.0
    api_key: str | None = None
    remembers: bool = False
    requests: Counter[str] = field(default_factory=Counter)
    failing: list[Failing] = field(default_factory=list)
    answering: Event = field(default_factory=Event)  # requests that hang wait for it
    lock: Any = field(default_factory=Lock)
    encoded: dict[tuple[str, str], bytes] = field(default_factory=dict)
    waiting: int = 0
    most_waiting: int = 0  # requests that were being delayed at the same time

    def enter(self, operation: str, ids: Collection[str] = ()) -> Fault | None:
        with self.lock:
            self.requests[operation] += 1
            failing = next((each for each in self.failing if each.begins(operation, ids)), None)
            answering = self.answering
            self.waiting += 1
            self.most_waiting = max(self.waiting, self.most_waiting)
        if self.delay:
            time.sleep(self.delay)
        with self.lock:
            self.waiting -= 1
        if failing is not None and failing.fault is Fault.HANGS:
            answering.wait(60)
        return None if failing is None else failing.fault


class QdrantServer:
    """``with QdrantServer(engine) as server: server.client(grpc=True)``.

    engine: anything with QdrantClient's methods. delay: seconds added to each request.
    remembers: keep each point's encoded form, so that a benchmark measures the client, not this server.
    """

    def __init__(
        self, engine: Any, *, delay: float = 0.0, api_key: str | None = None, remembers: bool = False
    ) -> None:
        self.gate = Gate(engine, delay, api_key, remembers)
        self._api_key = api_key
        self._clients: list[QdrantClient] = []

    def __enter__(self) -> Self:
        self._grpc, self.grpc_port = serve_grpc(self.gate)
        self._rest, self.rest_port = serve_rest(self.gate)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        for client in self._clients:
            client.close()

    def stop(self) -> None:
        """Closes both ports at once, whatever is under way."""
        self.gate.answering.set()
        self._grpc.stop(grace=None).wait()
        self._rest.shutdown()
        self._rest.server_close()

    def client(self, *, grpc: bool, **options: Any) -> QdrantClient:
        """A client of this server; it is closed together with it."""
        client = QdrantClient(
            url=f"http://127.0.0.1:{self.rest_port}",
            grpc_port=self.grpc_port,
            prefer_grpc=grpc,
            check_compatibility=False,
            **options,
        )
        self._clients.append(client)
        return client

    def fail(
        self,
        fault: Fault,
        *operations: str,
        times: int | None = None,
        only_with: Collection[object] = (),
        after: int = 0,
    ) -> None:
        """From now on, or after so many requests, requests fail like this: ``times``, or until ``heal``."""
        self.gate.failing.append(Failing(fault, operations, times, frozenset(map(str, only_with)), after))

    def refuse_key(self) -> None:
        """From now on no client's key is right, until ``heal``."""
        self.gate.api_key = uuid4().hex

    def heal(self) -> None:
        """No request fails any more, and what hangs ends; the key is the one given at first."""
        self.gate.failing.clear()
        self.gate.api_key = self._api_key
        self.gate.answering.set()
        self.gate.answering = Event()

    @property
    def requests(self) -> Counter[str]:
        """How many requests of each operation have arrived."""
        return self.gate.requests
