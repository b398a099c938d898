"""The stand-in server's gRPC side: Qdrant's messages, converted by qdrant-client's own conversions."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from qdrant_client import grpc as q
from qdrant_client.conversions.conversion import GrpcToRest as G, RestToGrpc as R, grpc_to_payload

from tests.support.qdrant_gate import VERSION, Fault, Gate, Refused, arguments_of, collection_info, status_of

PLAIN = {"limit", "exact", "field_name", "shard_number", "replication_factor"}
selected, struct = G.convert_points_selector, G.convert_point_struct
CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    "ids": lambda ids: [G.convert_point_id(one) for one in ids],
    "points": lambda it: selected(it) if hasattr(it, "points") else list(map(struct, it)),
    "operations": lambda given: [G.convert_points_update_operation(one) for one in given],
    "query_points": lambda given: [G.convert_query_points(one) for one in given],
    "filter": G.convert_filter,
    "offset": G.convert_point_id,
    "with_payload": G.convert_with_payload_selector,
    "with_vectors": G.convert_with_vectors_selector,
    "field_type": lambda kind: q.FieldType.Name(kind).removeprefix("FieldType").lower(),
    "vectors_config": G.convert_vectors_config,
    "quantization_config": G.convert_quantization_config,
    "metadata": grpc_to_payload,
}
"""What a message's field is to the client's method; the others are for a cluster."""


def fields_of(request: Any) -> dict[str, Any]:
    given = {field.name: value for field, value in request.ListFields()}
    converted = {name: convert(given[name]) for name, convert in CONVERSIONS.items() if name in given}
    return converted | {name: given[name] for name in PLAIN & given.keys()}


def serve_grpc(gate: Gate, host: str, credentials: Any = None) -> tuple[Any, int]:
    """A server on a free port, started; with TLS where there are credentials."""
    server = grpc.server(ThreadPoolExecutor(16, thread_name_prefix="qdrant-grpc"))
    for service, methods in SERVICES.items():
        handlers = {name: _handler(gate, *method) for name, method in methods.items()}
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
    place = f"{host}:0"
    port = server.add_secure_port(place, credentials) if credentials else server.add_insecure_port(place)
    server.start()
    return server, port


def _handler(gate: Gate, method: str, request_type: Any, message_of: Any) -> Any:
    def handle(request: Any, context: Any) -> bytes:
        known = isinstance(request, q.GetPoints)
        fault = gate.enter(method, [each.uuid for each in request.ids] if known else ())
        if refusal := gate.refusal(dict(context.invocation_metadata()).get("api-key")):
            context.abort(grpc.StatusCode.UNAUTHENTICATED, refusal)
        if fault is Fault.GARBAGE:
            return b"\xff\xff\xff<html>"
        if fault is not None and fault.value[1]:
            _abort(context, *fault.value[1:])

        def encode() -> bytes:
            if method == "info":
                return bytes(R.convert_health_check_reply(VERSION).SerializeToString())
            arguments = arguments_of(method, fields_of(request))
            result = gate.call(method, request.collection_name, arguments, fault)
            return bytes(message_of(result).SerializeToString())

        try:
            return gate.encoded(request.SerializeToString(), encode) if known else encode()
        except Exception as error:  # noqa: BLE001 - here a request ends
            return _abort(context, *status_of(error)[1:])

    return grpc.unary_unary_rpc_method_handler(handle, request_deserializer=request_type.FromString)


def _abort(context: Any, code: str, text: str) -> bytes:
    if wait := Refused.WAIT.search(text):
        context.set_trailing_metadata((("retry-after", wait[1]),))
    return bytes(context.abort(grpc.StatusCode[code], text))


def _points(records: Any) -> list[Any]:
    """qdrant-client's conversion wants a payload, be it an empty one."""
    whole = (record.model_copy(update={"payload": record.payload or {}}) for record in records)
    return [R.convert_retrieved_point(record) for record in whole]


def _scrolled(found: Any) -> Any:
    offset = None if found[1] is None else R.convert_extended_point_id(found[1])
    return q.ScrollResponse(result=_points(found[0]), next_page_offset=offset)


def _searched(answers: Any) -> Any:
    points = ([R.convert_scored_point(point) for point in answer.points] for answer in answers)
    return [q.BatchResult(result=found) for found in points]


def _in(kind: Any, convert: Callable[[Any], Any] = lambda result: result) -> Callable[[Any], Any]:
    return lambda result: kind(result=convert(result))


DONE = _in(q.PointsOperationResponse, R.convert_update_result)
ALL_DONE = _in(q.UpdateBatchResponse, lambda done: list(map(R.convert_update_result, done)))
MADE = _in(q.CollectionOperationResponse)
EXISTS = _in(q.CollectionExistsResponse, lambda there: q.CollectionExists(exists=there))
INFO = _in(q.GetCollectionInfoResponse, lambda info: R.convert_collection_info(collection_info(info)))
SERVICES: dict[str, dict[str, tuple[str, Any, Callable[[Any], Any]]]] = {
    "qdrant.Points": {
        "Get": ("retrieve", q.GetPoints, _in(q.GetResponse, _points)),
        "Upsert": ("upsert", q.UpsertPoints, DONE),
        "Delete": ("delete", q.DeletePoints, DONE),
        "UpdateBatch": ("batch_update_points", q.UpdateBatchPoints, ALL_DONE),
        "Scroll": ("scroll", q.ScrollPoints, _scrolled),
        "Count": ("count", q.CountPoints, _in(q.CountResponse, R.convert_count_result)),
        "QueryBatch": ("query_batch_points", q.QueryBatchPoints, _in(q.QueryBatchResponse, _searched)),
        "CreateFieldIndex": ("create_payload_index", q.CreateFieldIndexCollection, DONE),
    },
    "qdrant.Collections": {
        "CollectionExists": ("collection_exists", q.CollectionExistsRequest, EXISTS),
        "Get": ("get_collection", q.GetCollectionInfoRequest, INFO),
        "Create": ("create_collection", q.CreateCollection, MADE),
        "Delete": ("delete_collection", q.DeleteCollection, MADE),
    },
    "qdrant.Qdrant": {"HealthCheck": ("info", q.HealthCheckRequest, DONE)},
}
"""The client's method, the request's type, the answer's message."""
