"""The stand-in server's gRPC side: Qdrant's messages, converted by qdrant-client's own conversions.

Faults: overloaded RESOURCE_EXHAUSTED; unavailable and dropped UNAVAILABLE; too large OUT_OF_RANGE (as tonic
says it); internal INTERNAL; refused INVALID_ARGUMENT; garbage is bytes that are no message.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import grpc
from qdrant_client import grpc as q
from qdrant_client import models
from qdrant_client.conversions.conversion import (
    GrpcToRest,
    RestToGrpc,
    grpc_field_type_to_payload_schema,
    grpc_to_payload,
)

from tests.support.qdrant_answers import collection_info, run, status_of

if TYPE_CHECKING:
    from tests.support.qdrant_server import Fault, Gate

FAULTS = {
    "OVERLOADED": ("RESOURCE_EXHAUSTED", "too many requests"),
    "UNAVAILABLE": ("UNAVAILABLE", "shutting down"),
    "HANGS": ("UNAVAILABLE", "stopped"),
    "DROPS": ("UNAVAILABLE", "Socket closed"),
    "TOO_LARGE": ("OUT_OF_RANGE", "Error, message length too large: found 9 bytes, the limit is: 1 bytes"),
    "INTERNAL": ("INTERNAL", "Service internal error"),
    "REFUSED": ("INVALID_ARGUMENT", "Wrong input"),
}

Answer = Callable[["Gate", Any], Any]
WORKERS = 16


def serve_grpc(gate: Gate) -> tuple[Any, int]:
    """A server on a free port, started."""
    server = grpc.server(ThreadPoolExecutor(WORKERS, thread_name_prefix="qdrant-grpc"))
    for service, methods in SERVICES.items():
        handlers = {name: _handler(gate, *method) for name, method in methods.items()}
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port


def _handler(gate: Gate, operation: str, request_type: Any, answer: Answer) -> Any:
    def handle(request: Any, context: Any) -> bytes:
        fault = gate.enter(operation, _ids(request))
        _check_key(gate, context)
        if fault is not None and fault.name in FAULTS:
            code, text = FAULTS[fault.name]
            context.abort(grpc.StatusCode[code], text)
        if fault is not None and fault.name == "GARBAGE":
            return b"\xff\xff\xff<html>"
        try:
            return _bytes(answer(gate, _halved(request, fault)))
        except Exception as error:  # noqa: BLE001 - here a request ends
            _, code, text = status_of(error)
            return bytes(context.abort(grpc.StatusCode[code], text))

    return grpc.unary_unary_rpc_method_handler(handle, request_deserializer=request_type.FromString)


def _check_key(gate: Gate, context: Any) -> None:
    given = dict(context.invocation_metadata()).get("api-key")
    if gate.api_key is not None and given != gate.api_key:
        context.abort(grpc.StatusCode.UNAUTHENTICATED, "Invalid API key or JWT")


def _ids(request: Any) -> list[str]:
    return [point_id.uuid for point_id in request.ids] if isinstance(request, q.GetPoints) else []


def _halved(request: Any, fault: Fault | None) -> Any:
    if fault is not None and isinstance(request, q.GetPoints):
        del request.ids[len(request.ids) // 2 :]
    return request


def _bytes(message: Any) -> bytes:
    encoded: bytes = message if isinstance(message, bytes) else message.SerializeToString()
    return encoded


def _get(gate: Gate, request: Any) -> Any:
    ids = [GrpcToRest.convert_point_id(point_id) for point_id in request.ids]
    if gate.remembers:
        return b"".join(_remembered(gate, request.collection_name, [str(point_id) for point_id in ids]))
    return q.GetResponse(
        result=_records(
            gate,
            request.collection_name,
            ids,
            GrpcToRest.convert_with_payload_selector(request.with_payload),
            GrpcToRest.convert_with_vectors_selector(request.with_vectors),
        )
    )


def _records(
    gate: Gate, collection: str, ids: Sequence[Any], with_payload: Any, with_vectors: Any
) -> list[Any]:
    records = run(gate, "retrieve", collection, ids, with_payload=with_payload, with_vectors=with_vectors)
    return [_point(record) for record in records]


def _point(record: models.Record) -> Any:
    """qdrant-client's conversion wants a payload, be it an empty one."""
    return RestToGrpc.convert_retrieved_point(record.model_copy(update={"payload": record.payload or {}}))


def _remembered(gate: Gate, collection: str, ids: Sequence[str]) -> list[bytes]:
    """Points as they stand in an answer: protobuf allows to join the parts of a repeated field."""
    new = [point_id for point_id in ids if (collection, "grpc" + point_id) not in gate.encoded]
    for point in _records(gate, collection, new, False, True) if new else ():
        encoded = q.GetResponse(result=[point]).SerializeToString()
        gate.encoded[collection, "grpc" + point.id.uuid] = encoded
    return [gate.encoded.get((collection, "grpc" + point_id), b"") for point_id in ids]


def _upsert(gate: Gate, request: Any) -> Any:
    points = [GrpcToRest.convert_point_struct(point) for point in request.points]
    return _done(run(gate, "upsert", request.collection_name, points))


def _delete(gate: Gate, request: Any) -> Any:
    selector = GrpcToRest.convert_points_selector(request.points)
    return _done(run(gate, "delete", request.collection_name, selector))


def _update_batch(gate: Gate, request: Any) -> Any:
    operations = [GrpcToRest.convert_points_update_operation(each) for each in request.operations]
    results = run(gate, "batch_update_points", request.collection_name, operations)
    return q.UpdateBatchResponse(result=[RestToGrpc.convert_update_result(result) for result in results])


def _scroll(gate: Gate, request: Any) -> Any:
    records, offset = run(
        gate,
        "scroll",
        request.collection_name,
        scroll_filter=GrpcToRest.convert_filter(request.filter) if request.HasField("filter") else None,
        limit=request.limit,
        offset=GrpcToRest.convert_point_id(request.offset) if request.HasField("offset") else None,
        with_payload=GrpcToRest.convert_with_payload_selector(request.with_payload),
        with_vectors=GrpcToRest.convert_with_vectors_selector(request.with_vectors),
    )
    return q.ScrollResponse(
        result=[_point(record) for record in records],
        next_page_offset=None if offset is None else RestToGrpc.convert_extended_point_id(offset),
    )


def _count(gate: Gate, request: Any) -> Any:
    counted = run(
        gate,
        "count",
        request.collection_name,
        count_filter=GrpcToRest.convert_filter(request.filter) if request.HasField("filter") else None,
        exact=request.exact,
    )
    return q.CountResponse(result=RestToGrpc.convert_count_result(counted))


def _search(gate: Gate, request: Any) -> Any:
    requests = [GrpcToRest.convert_query_points(each) for each in request.query_points]
    answers = run(gate, "query_batch_points", request.collection_name, requests)
    return q.QueryBatchResponse(
        result=[
            q.BatchResult(result=[RestToGrpc.convert_scored_point(point) for point in answer.points])
            for answer in answers
        ]
    )


def _create_index(gate: Gate, request: Any) -> Any:
    schema = grpc_field_type_to_payload_schema(request.field_type)
    return _done(
        run(
            gate,
            "create_payload_index",
            request.collection_name,
            request.field_name,
            field_schema=GrpcToRest.convert_payload_schema_type(schema),
        )
    )


def _done(result: Any) -> Any:
    return q.PointsOperationResponse(result=RestToGrpc.convert_update_result(result))


def _exists(gate: Gate, request: Any) -> Any:
    there = run(gate, "collection_exists", request.collection_name)
    return q.CollectionExistsResponse(result=q.CollectionExists(exists=there))


def _info(gate: Gate, request: Any) -> Any:
    info = collection_info(gate, request.collection_name)
    return q.GetCollectionInfoResponse(result=RestToGrpc.convert_collection_info(info))


def _create(gate: Gate, request: Any) -> Any:
    made = run(
        gate,
        "create_collection",
        request.collection_name,
        vectors_config=GrpcToRest.convert_vectors_config(request.vectors_config),
        metadata=grpc_to_payload(request.metadata) or None,
        **_sharding(request),
    )
    return q.CollectionOperationResponse(result=made)


def _sharding(request: Any) -> dict[str, Any]:
    """What only a server or a cluster can do, where it is asked for."""
    given = {
        name: getattr(request, name)
        for name in ("shard_number", "replication_factor")
        if request.HasField(name)
    }
    if request.HasField("quantization_config"):
        given["quantization_config"] = GrpcToRest.convert_quantization_config(request.quantization_config)
    return given


def _drop(gate: Gate, request: Any) -> Any:
    return q.CollectionOperationResponse(result=run(gate, "delete_collection", request.collection_name))


SERVICES: dict[str, dict[str, tuple[str, Any, Answer]]] = {
    "qdrant.Points": {
        "Get": ("retrieve", q.GetPoints, _get),
        "Upsert": ("upsert", q.UpsertPoints, _upsert),
        "Delete": ("delete", q.DeletePoints, _delete),
        "UpdateBatch": ("update_payload", q.UpdateBatchPoints, _update_batch),
        "Scroll": ("scroll", q.ScrollPoints, _scroll),
        "Count": ("count", q.CountPoints, _count),
        "QueryBatch": ("search", q.QueryBatchPoints, _search),
        "CreateFieldIndex": ("create_payload_index", q.CreateFieldIndexCollection, _create_index),
    },
    "qdrant.Collections": {
        "CollectionExists": ("collection_exists", q.CollectionExistsRequest, _exists),
        "Get": ("get_collection", q.GetCollectionInfoRequest, _info),
        "Create": ("create_collection", q.CreateCollection, _create),
        "Delete": ("delete_collection", q.DeleteCollection, _drop),
    },
}
