"""The stand-in server's gRPC side: Qdrant's messages, converted by qdrant-client's own conversions."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
from qdrant_client import grpc as q
from qdrant_client.conversions.conversion import GrpcToRest, RestToGrpc, grpc_to_payload

from tests.support.qdrant_gate import Fault, Gate, arguments_of, collection_info, status_of

PLAIN = {"limit", "exact", "field_name", "shard_number", "replication_factor"}
CONVERSIONS: dict[str, Callable[[Any], Any]] = {
    "ids": lambda ids: [GrpcToRest.convert_point_id(one) for one in ids],
    "points": lambda given: (
        GrpcToRest.convert_points_selector(given)
        if isinstance(given, q.PointsSelector)
        else list(map(GrpcToRest.convert_point_struct, given))
    ),
    "operations": lambda given: [GrpcToRest.convert_points_update_operation(one) for one in given],
    "query_points": lambda given: [GrpcToRest.convert_query_points(one) for one in given],
    "filter": GrpcToRest.convert_filter,
    "offset": GrpcToRest.convert_point_id,
    "with_payload": GrpcToRest.convert_with_payload_selector,
    "with_vectors": GrpcToRest.convert_with_vectors_selector,
    "field_type": lambda kind: q.FieldType.Name(kind).removeprefix("FieldType").lower(),
    "vectors_config": GrpcToRest.convert_vectors_config,
    "quantization_config": GrpcToRest.convert_quantization_config,
    "metadata": grpc_to_payload,
}
"""What a message's field is to the client's method; the others are for a cluster."""


def fields_of(request: Any) -> dict[str, Any]:
    given = {field.name: value for field, value in request.ListFields()}
    converted = {name: convert(given[name]) for name, convert in CONVERSIONS.items() if name in given}
    return converted | {name: given[name] for name in PLAIN & given.keys()}


def serve_grpc(gate: Gate) -> tuple[Any, int]:
    """A server on a free port, started."""
    server = grpc.server(ThreadPoolExecutor(16, thread_name_prefix="qdrant-grpc"))
    for service, methods in SERVICES.items():
        handlers = {name: _handler(gate, *method) for name, method in methods.items()}
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
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
            context.abort(grpc.StatusCode[fault.value[1]], fault.value[2])

        def encode() -> bytes:
            arguments = arguments_of(method, fields_of(request))
            result = gate.call(method, request.collection_name, arguments, fault)
            return bytes(message_of(result).SerializeToString())

        try:
            return gate.encoded(request.SerializeToString(), encode) if known else encode()
        except Exception as error:  # noqa: BLE001 - here a request ends
            _, code, text = status_of(error)
            return bytes(context.abort(grpc.StatusCode[code], text))

    return grpc.unary_unary_rpc_method_handler(handle, request_deserializer=request_type.FromString)


def _points(records: Any) -> list[Any]:
    """qdrant-client's conversion wants a payload, be it an empty one."""
    whole = (record.model_copy(update={"payload": record.payload or {}}) for record in records)
    return [RestToGrpc.convert_retrieved_point(record) for record in whole]


def _scrolled(found: Any) -> Any:
    offset = None if found[1] is None else RestToGrpc.convert_extended_point_id(found[1])
    return q.ScrollResponse(result=_points(found[0]), next_page_offset=offset)


def _counted(counted: Any) -> Any:
    return q.CountResponse(result=RestToGrpc.convert_count_result(counted))


def _searched(answers: Any) -> Any:
    points = ([RestToGrpc.convert_scored_point(point) for point in answer.points] for answer in answers)
    return q.QueryBatchResponse(result=[q.BatchResult(result=found) for found in points])


def _done(result: Any) -> Any:
    return q.PointsOperationResponse(result=RestToGrpc.convert_update_result(result))


def _all_done(results: Any) -> Any:
    return q.UpdateBatchResponse(result=[RestToGrpc.convert_update_result(result) for result in results])


def _exists(there: bool) -> Any:
    return q.CollectionExistsResponse(result=q.CollectionExists(exists=there))


def _info(info: Any) -> Any:
    return q.GetCollectionInfoResponse(result=RestToGrpc.convert_collection_info(collection_info(info)))


def _made(result: bool) -> Any:
    return q.CollectionOperationResponse(result=result)


SERVICES: dict[str, dict[str, tuple[str, Any, Callable[[Any], Any]]]] = {
    "qdrant.Points": {
        "Get": ("retrieve", q.GetPoints, lambda found: q.GetResponse(result=_points(found))),
        "Upsert": ("upsert", q.UpsertPoints, _done),
        "Delete": ("delete", q.DeletePoints, _done),
        "UpdateBatch": ("batch_update_points", q.UpdateBatchPoints, _all_done),
        "Scroll": ("scroll", q.ScrollPoints, _scrolled),
        "Count": ("count", q.CountPoints, _counted),
        "QueryBatch": ("query_batch_points", q.QueryBatchPoints, _searched),
        "CreateFieldIndex": ("create_payload_index", q.CreateFieldIndexCollection, _done),
    },
    "qdrant.Collections": {
        "CollectionExists": ("collection_exists", q.CollectionExistsRequest, _exists),
        "Get": ("get_collection", q.GetCollectionInfoRequest, _info),
        "Create": ("create_collection", q.CreateCollection, _made),
        "Delete": ("delete_collection", q.DeleteCollection, _made),
    },
}
"""The client's method, the request's type, the answer's message."""
