"""Three ways to read points by id: gRPC, REST and an engine in this process.

Each starts a request and hands its answer to a function row by row, so that an answer never exists twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from image_search_service.vector.calls import REQUESTS, SECONDS, call_once
from image_search_service.vector.embedding_batch import RawVector
from image_search_service.vector.errors import translated

if TYPE_CHECKING:
    from qdrant_client import QdrantClient

    from image_search_service.vector.embedded import EmbeddedQdrant

    AnyQdrant: TypeAlias = QdrantClient | EmbeddedQdrant

Receive: TypeAlias = Callable[[str, RawVector], None]
"""Takes a point's id and its vector."""

_OPERATION = "retrieve"
_DOING = "in reading embeddings by id"
_GRPC_TIMEOUT = 5  # seconds; qdrant-client's own default


class Answer(Protocol):
    """A request on its way."""

    def receive(self, take: Receive) -> None:
        """Waits, then gives every point of the answer to ``take``. Raises errors of ``core/errors.py``."""

    def cancel(self) -> None:
        """The answer is not wanted any more."""


class Transport(Protocol):
    in_flight: int
    """How many requests may be on their way at once."""

    def start(self, ids: Sequence[str]) -> Answer: ...

    def close(self) -> None: ...


def transport_for(client: AnyQdrant, collection_name: str) -> Transport:
    """The fastest way that ``client`` has."""
    options = getattr(client, "init_options", None)
    if options is None or options["path"] is not None or options["location"] == ":memory:":
        return InProcess(client, collection_name)
    return Grpc(client, collection_name) if options["prefer_grpc"] else Rest(client, collection_name)


class Grpc:
    """Calls of the stub, many at once; numbers go from message to array without becoming objects."""

    in_flight = 10

    def __init__(self, client: Any, collection_name: str) -> None:
        from qdrant_client import grpc

        self._client = client
        self._collection_name = collection_name
        self._messages = grpc
        self._everything = grpc.WithVectorsSelector(enable=True)
        self._nothing = grpc.WithPayloadSelector(enable=False)
        self._timeout = client.init_options["timeout"] or _GRPC_TIMEOUT

    def start(self, ids: Sequence[str]) -> Answer:
        REQUESTS.labels(_OPERATION).inc()
        request = self._messages.GetPoints(
            collection_name=self._collection_name,
            ids=[self._messages.PointId(uuid=point_id) for point_id in ids],
            with_vectors=self._everything,
            with_payload=self._nothing,
        )
        with translated(_DOING):
            return _GrpcAnswer(self._client.grpc_points.Get.future(request, timeout=self._timeout))

    def close(self) -> None:
        """Nothing to give back: the channel belongs to the client."""


class _GrpcAnswer:
    def __init__(self, future: Any) -> None:
        self._future = future
        self._started = time.perf_counter()
        future.add_done_callback(self._observe)

    def _observe(self, _future: Any) -> None:
        SECONDS.labels(_OPERATION).observe(time.perf_counter() - self._started)

    def receive(self, take: Receive) -> None:
        with translated(_DOING):
            points = self._future.result().result
        for point in points:
            take(point.id.uuid, _grpc_vector(point.vectors))

    def cancel(self) -> None:
        self._future.cancel()


def _grpc_vector(vectors: Any) -> RawVector:
    kind = vectors.WhichOneof("vectors_options")
    if kind == "vector":
        return _numbers(vectors.vector)
    if kind == "vectors":
        return {name: _numbers(vector) for name, vector in vectors.vectors.vectors.items()}
    return None


def _numbers(vector: Any) -> RawVector:
    """A dense vector's numbers: a field of its own since Qdrant 1.16, the field ``data`` before."""
    return vector.dense.data if vector.HasField("dense") else vector.data


class Rest:
    """``client.retrieve`` in threads; few, since a decoded answer is eight times the size of its rows."""

    in_flight = 3

    def __init__(self, client: Any, collection_name: str) -> None:
        self._retrieve = _retriever(client, collection_name)
        self._threads: ThreadPoolExecutor | None = None

    def start(self, ids: Sequence[str]) -> Answer:
        if self._threads is None:
            self._threads = ThreadPoolExecutor(self.in_flight, thread_name_prefix="qdrant-rest")
        return _ThreadAnswer(self._threads.submit(self._retrieve, ids))

    def close(self) -> None:
        if self._threads is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)


class _ThreadAnswer:
    def __init__(self, future: Future[Iterable[Any]]) -> None:
        self._future = future

    def receive(self, take: Receive) -> None:
        _hand_over(self._future.result(), take)

    def cancel(self) -> None:
        self._future.cancel()


class InProcess:
    """An engine in this process: a call costs microseconds, so that one at a time is enough."""

    in_flight = 1

    def __init__(self, client: Any, collection_name: str) -> None:
        self._retrieve = _retriever(client, collection_name)

    def start(self, ids: Sequence[str]) -> Answer:
        return _LazyAnswer(self._retrieve, ids)

    def close(self) -> None:
        """Nothing to give back."""


class _LazyAnswer:
    def __init__(self, retrieve: Callable[[Sequence[str]], Iterable[Any]], ids: Sequence[str]) -> None:
        self._retrieve = retrieve
        self._ids = ids

    def receive(self, take: Receive) -> None:
        _hand_over(self._retrieve(self._ids), take)

    def cancel(self) -> None:
        """Nothing has been started."""


def _retriever(client: Any, collection_name: str) -> Callable[[Sequence[str]], Iterable[Any]]:
    def retrieve(ids: Sequence[str]) -> Iterable[Any]:
        return call_once(
            _OPERATION,
            _DOING,
            lambda: client.retrieve(collection_name, list(ids), with_payload=False, with_vectors=True),
        )

    return retrieve


def _hand_over(records: Iterable[Any], take: Receive) -> None:
    for record in records:
        take(str(record.id), record.vector)
