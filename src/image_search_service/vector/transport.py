"""Three ways to read points by id: gRPC, REST and an engine in this process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np

from image_search_service.vector.calls import REQUESTS, SECONDS, call_once
from image_search_service.vector.embedding_batch import RawPoint, RawVector
from image_search_service.vector.errors import translated
from image_search_service.vector.grpc_stub import get_points

if TYPE_CHECKING:
    from qdrant_client import QdrantClient

    from image_search_service.vector.embedded import EmbeddedQdrant

    AnyQdrant: TypeAlias = QdrantClient | EmbeddedQdrant

OPERATION = "retrieve"
DOING = "in reading embeddings by id"


class PendingResponse(Protocol):
    """The response of a request in flight."""

    def points(self) -> Iterator[RawPoint]:
        """Wait for the existing points. Raises the errors of ``core/errors.py``."""

    def cancel(self) -> object:
        """Cancel the request."""


class Transport(Protocol):
    in_flight: int
    """The number of requests in flight at which it is fastest."""
    ids_in_flight: int
    """The most ids in flight, which bounds the memory of responses; a request has at most half of them."""

    def start(self, ids: Sequence[str]) -> PendingResponse:
        """Sends a request for points by id."""

    def close(self) -> None:
        """Release resources; no more requests will be sent."""


def transport_for(client: Any, collection_name: str) -> Transport:
    """The fastest transport that ``client`` supports."""
    if is_in_process(client):
        return InProcess(client, collection_name)
    if client.init_options["prefer_grpc"]:
        return Grpc(client, collection_name)
    return Rest(client, collection_name)


def is_in_process(client: Any) -> bool:
    """Whether the engine is EmbeddedQdrant or qdrant-client's local mode."""
    options = getattr(client, "init_options", None)
    return options is None or options["path"] is not None or options["location"] == ":memory:"


class Grpc:
    """gRPC calls; numbers go from the message into the array without becoming Python objects."""

    in_flight = 10
    ids_in_flight = 10_000

    def __init__(self, client: Any, collection_name: str) -> None:
        from qdrant_client import grpc

        self._grpc = grpc
        self._client = client
        self._get = get_points(client)
        self._collection_name = collection_name

    def start(self, ids: Sequence[str]) -> PendingResponse:
        request = self._grpc.GetPoints(
            collection_name=self._collection_name,
            with_vectors=self._grpc.WithVectorsSelector(enable=True),
            with_payload=self._grpc.WithPayloadSelector(enable=False),
        )
        for point_id in ids:
            request.ids.add().uuid = point_id
        REQUESTS.labels(OPERATION).inc()
        with translated(DOING, self._client):
            return GrpcResponse(self._get(request), self._client)

    def close(self) -> None:
        """The channel stays open for the next call."""


class GrpcResponse:
    def __init__(self, future: Any, client: Any) -> None:
        self._future = future
        self._client = client
        self._sent = time.perf_counter()

    def points(self) -> Iterator[RawPoint]:
        with translated(DOING, self._client):
            points = self._future.result().result
        SECONDS.labels(OPERATION).observe(time.perf_counter() - self._sent)
        return ((point.id.uuid, _vector(point.vectors)) for point in points)

    def cancel(self) -> object:
        return self._future.cancel()


def _vector(vectors: Any) -> RawVector:
    if vectors.HasField("vectors"):
        return {name: _numbers(vector) for name, vector in vectors.vectors.vectors.items()}
    return _numbers(vectors.vector)


def _numbers(vector: Any) -> RawVector:
    """A dense vector's numbers: in a field of their own since Qdrant 1.16, in ``data`` before."""
    return _unpacked(vector.dense) if vector.HasField("dense") else vector.data


def _unpacked(dense: Any) -> RawVector:
    """The numbers, read from the end of the message's encoding, in half the time of reading its field."""
    encoded = dense.SerializeToString()
    size = 4 * len(dense.data)
    header = 1 + (size.bit_length() + 6) // 7  # the field's tag, and its size in groups of seven bits
    if len(encoded) != header + size:  # empty, or with a field that these messages do not know
        return dense.data
    return np.frombuffer(encoded, "<f4", offset=header)


class Rest:
    """``client.retrieve`` in threads. Decoding takes longer than waiting, and eight times the rows' space."""

    in_flight = 5
    ids_in_flight = 500

    def __init__(self, client: Any, collection_name: str) -> None:
        self._retrieve = _retriever(client, collection_name)
        self._threads = ThreadPoolExecutor(self.in_flight, thread_name_prefix="qdrant-rest")

    def start(self, ids: Sequence[str]) -> PendingResponse:
        future = self._threads.submit(self._retrieve, ids)
        return DeferredResponse(future.result, future.cancel)

    def close(self) -> None:
        """Waits for requests under way: one that outlived the client would leave its connection open."""
        self._threads.shutdown(cancel_futures=True)


class InProcess:
    """An engine in this process: a call takes microseconds and is made when its response is read."""

    in_flight = 1
    ids_in_flight = 10_000

    def __init__(self, client: Any, collection_name: str) -> None:
        self._retrieve = _retriever(client, collection_name)

    def start(self, ids: Sequence[str]) -> PendingResponse:
        return DeferredResponse(lambda: self._retrieve(ids), lambda: None)

    def close(self) -> None:
        """Does nothing: nothing was opened."""


@dataclass(frozen=True, slots=True)
class DeferredResponse:
    """The response of a call that runs in a thread, or when it is read."""

    points: Callable[[], Iterator[RawPoint]]
    cancel: Callable[[], object]


def _retriever(client: Any, collection_name: str) -> Callable[[Sequence[str]], Iterator[RawPoint]]:
    def send(ids: Sequence[str]) -> Iterator[RawPoint]:
        if hasattr(client, "read_vectors"):  # EmbeddedQdrant, which needs no records
            return iter(client.read_vectors(collection_name, ids))
        records = client.retrieve(collection_name, list(ids), with_payload=False, with_vectors=True)
        return ((str(record.id), record.vector) for record in records)

    return lambda ids: call_once(OPERATION, DOING, lambda: send(ids), client)
