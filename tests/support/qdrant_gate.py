"""What every request to the stand-in server passes: counted, delayed, failed if so arranged, answered."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum
from threading import Condition, Event
from typing import Any

from qdrant_client import models

from image_search_service.vector.errors import GRPC_ERRORS, HTTP_ERRORS, translate
from tests.support.waiting import LIMIT

VERSION = models.VersionInfo(title="qdrant - vector search engine", version="1.18.3", commit="db8fa43")
OPERATIONS = {"batch_update_points": "update_payload", "query_batch_points": "search"}
"""What the project's metrics call a request, where it is not the name of the client's method."""
NO_KEY = "Must provide an API key or an Authorization bearer token"


class Fault(Enum):
    """What goes wrong with a request: status over REST, code over gRPC, and the words of a real server."""

    OVERLOADED = (
        429,
        "RESOURCE_EXHAUSTED",
        "Rate limiting exceeded: Read rate limit exceeded. Retry after 5s",
    )
    UNAVAILABLE = (503, "UNAVAILABLE", "shutting down")
    HANGS = (503, "UNAVAILABLE", "no answer until the server is healed or stops")
    DROPS = (0, "UNAVAILABLE", "Socket closed")  # over REST the answer ends in the middle
    TOO_LARGE = (400, "OUT_OF_RANGE", "JSON payload (9 bytes) is larger than allowed (limit: 1 bytes).")
    GARBAGE = (0, "", "an answer that is none")
    INTERNAL = (500, "INTERNAL", "Service internal error: 1 of 1 read operations failed")
    REFUSED = (400, "INVALID_ARGUMENT", "Wrong input")
    HALF = (0, "", "half of the points that were asked for")


class Refused(Exception):  # noqa: N818 - an answer, as a fault is
    """Status, code and words: raised by an engine, or a fault that a test makes up."""

    WAIT = re.compile(r"Retry after (\d+)s")  # what is in a header, too
    value = property(lambda self: self.args)


@dataclass
class Failing:
    """A fault, on which operations (all, if none is named), how often, for which points; after so many."""

    fault: Fault | Refused
    operations: Collection[str] = ()
    times: int | None = None
    only_with: Collection[object] = ()
    after: int = 0

    def begins(self, operation: str, ids: Collection[str]) -> bool:
        """Whether this request fails; counts it."""
        meant = self.times != 0 and (not self.operations or operation in self.operations)
        if not meant or (self.only_with and set(map(str, self.only_with)).isdisjoint(ids)):
            return False
        self.after -= 1
        if self.after < 0 and self.times is not None:
            self.times -= 1
        return self.after < 0


@dataclass
class Gate:
    """delay: seconds added to each request. together: the first requests wait until so many are here at once.

    most_waiting: so many have been. encoded: gives the bytes of embeddings for a request and who makes them.
    prefix: of the paths over REST, as a proxy may have one.
    """

    engine: Any
    delay: float = 0.0
    together: int = 0
    encoded: Callable[[bytes, Callable[[], bytes]], bytes] = lambda _, encode: encode()
    api_key: str | None = None
    prefix: str = ""
    requests: Counter[str] = field(default_factory=Counter)
    failing: list[Failing] = field(default_factory=list)
    answering: Event = field(default_factory=Event)  # requests that hang wait for it
    lock: Condition = field(default_factory=Condition)
    waiting: int = 0
    most_waiting: int = 0

    def enter(self, method: str, ids: Collection[str] = ()) -> Fault | Refused | None:
        """Lets a request wait as arranged; the fault that it is to meet."""
        operation, answering = OPERATIONS.get(method, method), self.answering
        with self.lock:
            self.requests[operation] += 1
            failing = next((each for each in self.failing if each.begins(operation, ids)), None)
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
        return None if self.api_key in {None, given} else "Invalid API key or JWT" if given else NO_KEY

    def call(self, method: str, collection: str, arguments: dict[str, Any], fault: object) -> Any:
        """The engine's answer; one at a time, since qdrant-client's local mode is not safe in threads."""
        if fault is Fault.HALF and "ids" in arguments:
            arguments["ids"] = arguments["ids"][: len(arguments["ids"]) // 2]
        with self.lock:
            return getattr(self.engine, method)(collection, **arguments)


def status_of(error: Exception) -> tuple[int, str, str]:
    """HTTP status, gRPC code and a server's text for what the engine raised."""
    if isinstance(error, Refused):
        return error.args
    kinds = type(translate(error, "in the engine")).__mro__
    status = next((status for status, kind in HTTP_ERRORS.items() if kind in kinds), 500)
    code = next((code for code, kind in GRPC_ERRORS.items() if kind in kinds), "INTERNAL")
    return status, code, f"Not found: {error}" if status == 404 else str(error)


CONFIG: dict[str, Any] = {
    "hnsw_config": {"m": 16, "ef_construct": 100, "full_scan_threshold": 10000},
    "optimizer_config": dict.fromkeys(("default_segment_number", "flush_interval_sec"), 5)
    | {"deleted_threshold": 0.2, "vacuum_min_vector_number": 1000},
    "wal_config": {"wal_capacity_mb": 32, "wal_segments_ahead": 0},
}


def collection_info(info: Any) -> models.CollectionInfo:
    """What a server tells of a collection; an engine in this process has little to say of its settings."""
    params = {"vectors": info.config.params.vectors, "shard_number": 1, "replication_factor": 1}
    own = {name: getattr(info.config, name, None) for name in ("quantization_config", "strict_mode_config")}
    known = {name: getattr(info, name) for name in ("points_count", "segments_count", "payload_schema")}
    state = {"status": "green", "optimizer_status": "ok", "config": CONFIG | own | {"params": params}}
    return models.CollectionInfo.model_validate(state | known)


RENAMED = {"with_vector": "with_vectors", "searches": "requests", "query_points": "requests"}
RENAMED |= {"operations": "update_operations", "vectors": "vectors_config", "field_type": "field_schema"}


def arguments_of(method: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """A request's fields as the client's method calls them."""
    own = {"filter": f"{method.removesuffix('_points')}_filter"}
    if method == "delete":
        own["points"] = "points_selector"
    return {(RENAMED | own).get(name, name): value for name, value in fields.items() if value is not None}
