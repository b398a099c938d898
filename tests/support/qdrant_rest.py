"""The stand-in server's REST side: JSON to qdrant_client.models and back, on http.server.

Faults: overloaded 429, unavailable 503, too large 413, internal 500, refused 400; a dropped answer ends in
the middle; garbage is a page of HTML with status 200.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import numpy as np
from pydantic import TypeAdapter
from pydantic_core import to_json, to_jsonable_python
from qdrant_client import models

from tests.support.qdrant_answers import collection_info, run, status_of

if TYPE_CHECKING:
    from tests.support.qdrant_server import Fault, Gate

FAULTS = {
    "OVERLOADED": (429, "too many requests"),
    "UNAVAILABLE": (503, "shutting down"),
    "HANGS": (503, "stopped"),
    "TOO_LARGE": (413, "Payload Too Large"),
    "INTERNAL": (500, "Service internal error"),
    "REFUSED": (400, "Wrong input"),
}

FLOAT32 = frozenset({"vector", "score"})

Answer = Callable[["Gate", str, Any], Any]


def serve_rest(gate: Gate) -> tuple[ThreadingHTTPServer, int]:
    """A server on a free port, started."""
    handler = type("Handler", (_Handler,), {"gate": gate})
    server = _Server(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    return server, server.server_address[1]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    gate: Gate
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body leave together

    def do_GET(self) -> None:
        self._handle("GET")

    def do_PUT(self) -> None:
        self._handle("PUT")

    def do_POST(self) -> None:
        self._handle("POST")

    def do_DELETE(self) -> None:
        self._handle("DELETE")

    def log_message(self, *_: Any) -> None:
        """Tests are quiet."""

    def _handle(self, method: str) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = urlsplit(self.path).path
        for route, pattern, operation, kind, answer in ROUTES:
            match = re.fullmatch(pattern, path)
            if route == method and match:
                self._answer(
                    operation, unquote(match[1]), TypeAdapter(kind).validate_json(body or b"null"), answer
                )
                return
        self._send(404, to_json({"status": {"error": f"no route {method} {path}"}}))

    def _answer(self, operation: str, collection: str, request: Any, answer: Answer) -> None:
        ids = [str(each) for each in request.ids] if isinstance(request, models.PointRequest) else []
        fault = self.gate.enter(operation, ids)
        if self.gate.api_key is not None and self.headers.get("api-key") != self.gate.api_key:
            self._send(401, b"Invalid API key or JWT")
        elif fault is not None and fault.name in FAULTS:
            status, text = FAULTS[fault.name]
            self._send(status, to_json({"status": {"error": text}, "time": 0}))
        elif fault is not None and fault.name == "GARBAGE":
            self._send(200, b"<html>Welcome to nginx!</html>")
        else:
            self._answer_truly(collection, _halved(request, fault), answer, fault)

    def _answer_truly(self, collection: str, request: Any, answer: Answer, fault: Fault | None) -> None:
        try:
            result = answer(self.gate, collection, request)
            body = result if isinstance(result, bytes) else to_json(_shortest(to_jsonable_python(result)))
        except Exception as error:  # noqa: BLE001 - here a request ends
            status, _, text = status_of(error)
            self._send(status, to_json({"status": {"error": text}, "time": 0}))
            return
        whole = b'{"result":' + body + b',"status":"ok","time":0.0}'
        self._send(200, whole, cut=fault is not None and fault.name == "DROPS")

    def _send(self, status: int, body: bytes, *, cut: bool = False) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)
        self.close_connection = cut or self.close_connection


def _shortest(value: Any, *, single: bool = False) -> Any:
    """Numbers of vectors, and scores, with as many digits as a float32 has, as Qdrant writes them."""
    if isinstance(value, dict):
        return {key: _shortest(each, single=single or key in FLOAT32) for key, each in value.items()}
    if isinstance(value, list):
        return [_shortest(each, single=single) for each in value]
    return float(str(np.float32(value))) if single and isinstance(value, float) else value


def _halved(request: Any, fault: Fault | None) -> Any:
    if fault is not None and fault.name == "HALF" and isinstance(request, models.PointRequest):
        return request.model_copy(update={"ids": request.ids[: len(request.ids) // 2]})
    return request


def _retrieve(gate: Gate, collection: str, request: models.PointRequest) -> Any:
    if gate.remembers:
        return (
            b"[" + b",".join(filter(None, _remembered(gate, collection, list(map(str, request.ids))))) + b"]"
        )
    return run(
        gate,
        "retrieve",
        collection,
        request.ids,
        with_payload=request.with_payload,
        with_vectors=request.with_vector,
    )


def _remembered(gate: Gate, collection: str, ids: Sequence[str]) -> list[bytes]:
    """Points as they stand in an answer, with as many digits as a float32 has, as Qdrant writes them."""
    new = [point_id for point_id in ids if (collection, point_id) not in gate.encoded]
    for record in (
        run(gate, "retrieve", collection, new, with_payload=False, with_vectors=True) if new else ()
    ):
        vector = [float(str(number)) for number in np.asarray(record.vector, dtype=np.float32)]
        gate.encoded[collection, str(record.id)] = json.dumps(
            {"id": str(record.id), "vector": vector}, separators=(",", ":")
        ).encode()
    return [gate.encoded.get((collection, point_id), b"") for point_id in ids]


def _upsert(gate: Gate, collection: str, request: models.PointsList) -> Any:
    return run(gate, "upsert", collection, request.points)


def _delete(gate: Gate, collection: str, request: Any) -> Any:
    return run(gate, "delete", collection, request)


def _update_batch(gate: Gate, collection: str, request: models.UpdateOperations) -> Any:
    return run(gate, "batch_update_points", collection, request.operations)


def _scroll(gate: Gate, collection: str, request: models.ScrollRequest) -> Any:
    points, offset = run(
        gate,
        "scroll",
        collection,
        scroll_filter=request.filter,
        limit=request.limit or 10,
        offset=request.offset,
        with_payload=request.with_payload,
        with_vectors=request.with_vector,
    )
    return {"points": points, "next_page_offset": offset}


def _count(gate: Gate, collection: str, request: models.CountRequest) -> Any:
    return run(gate, "count", collection, count_filter=request.filter, exact=request.exact)


def _search(gate: Gate, collection: str, request: models.QueryRequestBatch) -> Any:
    return run(gate, "query_batch_points", collection, request.searches)


def _create_index(gate: Gate, collection: str, request: models.CreateFieldIndex) -> Any:
    return run(
        gate, "create_payload_index", collection, request.field_name, field_schema=request.field_schema
    )


def _exists(gate: Gate, collection: str, _: None) -> Any:
    return {"exists": run(gate, "collection_exists", collection)}


def _info(gate: Gate, collection: str, _: None) -> Any:
    return collection_info(gate, collection)


def _create(gate: Gate, collection: str, request: models.CreateCollection) -> Any:
    given = {
        name: getattr(request, name)
        for name in ("shard_number", "replication_factor", "quantization_config")
        if getattr(request, name) is not None
    }
    return run(
        gate,
        "create_collection",
        collection,
        vectors_config=request.vectors,
        metadata=request.metadata,
        **given,
    )


def _drop(gate: Gate, collection: str, _: None) -> Any:
    return run(gate, "delete_collection", collection)


NAME = "/collections/([^/]+)"
ROUTES: list[tuple[str, str, str, Any, Answer]] = [
    ("POST", f"{NAME}/points", "retrieve", models.PointRequest, _retrieve),
    ("PUT", f"{NAME}/points", "upsert", models.PointsList, _upsert),
    ("POST", f"{NAME}/points/delete", "delete", models.PointIdsList | models.FilterSelector, _delete),
    ("POST", f"{NAME}/points/batch", "update_payload", models.UpdateOperations, _update_batch),
    ("POST", f"{NAME}/points/scroll", "scroll", models.ScrollRequest, _scroll),
    ("POST", f"{NAME}/points/count", "count", models.CountRequest, _count),
    ("POST", f"{NAME}/points/query/batch", "search", models.QueryRequestBatch, _search),
    ("PUT", f"{NAME}/index", "create_payload_index", models.CreateFieldIndex, _create_index),
    ("GET", f"{NAME}/exists", "collection_exists", None, _exists),
    ("GET", NAME, "get_collection", None, _info),
    ("PUT", NAME, "create_collection", models.CreateCollection, _create),
    ("DELETE", NAME, "delete_collection", None, _drop),
]
