"""What every request to the stand-in server passes: counted, delayed, failed if so arranged, answered."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum
from threading import Condition, Event
from typing import Any

from qdrant_client import models

from image_search_service.core.errors import ImageSearchError
from image_search_service.vector.errors import GRPC_ERRORS, HTTP_ERRORS, translate
from tests.support.waiting import LIMIT

OPERATIONS = {"batch_update_points": "update_payload", "query_batch_points": "search"}
"""What the project's metrics call a request, where it is not the name of the client's method."""
NO_KEY = "Must provide an API key or an Authorization bearer token"


class Fault(Enum):
    """What goes wrong with a request. The text comes with the status over REST and the code over gRPC."""

    OVERLOADED = (429, "RESOURCE_EXHAUSTED", "Rate limiting exceeded: Read rate limit exceeded")
    UNAVAILABLE = (503, "UNAVAILABLE", "shutting down")
    HANGS = (503, "UNAVAILABLE", "no answer until the server is healed or stops")
    DROPS = (0, "UNAVAILABLE", "Socket closed")  # over REST the answer ends in the middle
    TOO_LARGE = (413, "OUT_OF_RANGE", "message length too large: found 9 bytes, the limit is: 1 bytes")
    GARBAGE = (0, "", "an answer that is none")
    INTERNAL = (500, "INTERNAL", "Service internal error")
    REFUSED = (400, "INVALID_ARGUMENT", "Wrong input")
    HALF = (0, "", "half of the points that were asked for")


@dataclass
class Failing:
    """A fault, on which operations (all, if none is named), how often, and for which points (for any).

    after: so many requests that it is meant for pass before it begins.
    """

    fault: Fault
    operations: Collection[str] = ()
    times: int | None = None
    only_with: Collection[object] = ()
    after: int = 0

    def begins(self, operation: str, ids: Collection[str]) -> bool:
        """Whether this request fails; counts it."""
        if (self.operations and operation not in self.operations) or self.times == 0:
            return False
        if self.only_with and set(map(str, self.only_with)).isdisjoint(ids):
            return False
        self.after -= 1
        if self.after >= 0:
            return False
        self.times = None if self.times is None else self.times - 1
        return True


@dataclass
class Gate:
    """delay: seconds added to each request. together: the first requests wait until so many are here at once.

    most_waiting: so many have been. encoded: gives the bytes of embeddings for a request and who makes them.
    """

    engine: Any
    delay: float = 0.0
    together: int = 0
    encoded: Callable[[bytes, Callable[[], bytes]], bytes] = lambda _, encode: encode()
    api_key: str | None = None
    requests: Counter[str] = field(default_factory=Counter)
    failing: list[Failing] = field(default_factory=list)
    answering: Event = field(default_factory=Event)  # requests that hang wait for it
    lock: Condition = field(default_factory=Condition)
    waiting: int = 0
    most_waiting: int = 0

    def enter(self, method: str, ids: Collection[str] = ()) -> Fault | None:
        """Lets a request wait as arranged; the fault that it is to meet."""
        operation = OPERATIONS.get(method, method)
        with self.lock:
            self.requests[operation] += 1
            failing = next((each for each in self.failing if each.begins(operation, ids)), None)
            answering = self.answering
            self.waiting += 1
            self.most_waiting = max(self.waiting, self.most_waiting)
            self.lock.notify_all()
            self.lock.wait_for(lambda: self.most_waiting >= self.together, LIMIT)
        if self.delay:
            time.sleep(self.delay)
        with self.lock:
            self.waiting -= 1
        if failing is not None and failing.fault is Fault.HANGS:
            answering.wait(LIMIT)
        return None if failing is None else failing.fault

    def refusal(self, given: str | None) -> str | None:
        """What a server says to a request with this key; None if it is right."""
        if self.api_key in {None, given}:
            return None
        return "Invalid API key or JWT" if given else NO_KEY

    def call(self, method: str, collection: str, arguments: dict[str, Any], fault: Fault | None) -> Any:
        """The engine's answer; one at a time, since qdrant-client's local mode is not safe in threads."""
        if fault is Fault.HALF and "ids" in arguments:
            arguments["ids"] = arguments["ids"][: len(arguments["ids"]) // 2]
        with self.lock:
            return getattr(self.engine, method)(collection, **arguments)


def status_of(error: Exception) -> tuple[int, str, str]:
    """HTTP status, gRPC code and text for what the engine raised."""
    ours = translate(error, "in the engine")
    statuses = {kind: status for status, kind in reversed(HTTP_ERRORS.items())}
    codes = {kind: code for code, kind in reversed(GRPC_ERRORS.items())}
    kind: Any = type(ours) if isinstance(ours, ImageSearchError) else None
    return statuses.get(kind, 500), codes.get(kind, "INTERNAL"), str(ours)


def collection_info(info: Any) -> models.CollectionInfo:
    """What a server tells of a collection; an engine in this process has nothing to say of its settings."""
    optimizers = {"deleted_threshold": 0.2, "vacuum_min_vector_number": 1000, "default_segment_number": 0}
    config: Any = {
        "params": {"vectors": info.config.params.vectors},
        "hnsw_config": {"m": 16, "ef_construct": 100, "full_scan_threshold": 10000},
        "optimizer_config": optimizers | {"flush_interval_sec": 5},
        "wal_config": {"wal_capacity_mb": 32, "wal_segments_ahead": 0},
    }
    state: dict[str, Any] = {"status": "green", "optimizer_status": "ok", "segments_count": 1}
    return models.CollectionInfo(**state, points_count=info.points_count, payload_schema={}, config=config)


RENAMED = {
    "with_vector": "with_vectors",
    "searches": "requests",
    "query_points": "requests",
    "operations": "update_operations",
    "vectors": "vectors_config",
    "field_type": "field_schema",
}


def arguments_of(method: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """A request's fields as the client's method calls them."""
    own = {"filter": f"{method.removesuffix('_points')}_filter"}
    if method == "delete":
        own["points"] = "points_selector"
    return {(RENAMED | own).get(name, name): value for name, value in fields.items() if value is not None}
