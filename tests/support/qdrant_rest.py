"""The stand-in server's REST side: JSON to qdrant_client.models and back, on http.server."""

from __future__ import annotations

import re
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import unquote, urlsplit

import numpy as np
from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_json, to_jsonable_python
from qdrant_client import models

from tests.support.qdrant_gate import Fault, Gate, arguments_of, collection_info, status_of

ROUTES: list[tuple[str, str, str, Any]] = [
    ("POST", "/points", "retrieve", models.PointRequest),
    ("PUT", "/points", "upsert", models.PointsList),
    ("POST", "/points/delete", "delete", models.PointIdsList | models.FilterSelector),
    ("POST", "/points/payload", "set_payload", models.SetPayload),
    ("POST", "/points/payload/delete", "delete_payload", models.DeletePayload),
    ("POST", "/points/batch", "batch_update_points", models.UpdateOperations),
    ("POST", "/points/scroll", "scroll", models.ScrollRequest),
    ("POST", "/points/count", "count", models.CountRequest),
    ("POST", "/points/query", "query_points", models.QueryRequest),
    ("POST", "/points/query/batch", "query_batch_points", models.QueryRequestBatch),
    ("PUT", "/index", "create_payload_index", models.CreateFieldIndex),
    ("GET", "/exists", "collection_exists", None),
    ("GET", "", "get_collection", None),
    ("PUT", "", "create_collection", models.CreateCollection),
    ("DELETE", "", "delete_collection", None),
]
"""Verb, path below a collection, the client's method, the body's type."""
ANSWERS: dict[str, Callable[[Any], Any]] = {
    "scroll": lambda found: {"points": found[0], "next_page_offset": found[1]},
    "collection_exists": lambda there: {"exists": there},
    "get_collection": collection_info,
}


def parsed(verb: str, path: str, body: bytes) -> tuple[str, str, dict[str, Any]] | None:
    """The client's method, the collection and the other arguments; None where no such thing is asked for.

    Raises ValidationError for a body that is none.
    """
    for route, below, method, kind in ROUTES:
        match = re.fullmatch(f"/collections/([^/]+){below}", path)
        if route == verb and match:
            request = TypeAdapter(kind).validate_json(body or b"null")
            fields = {name: getattr(request, name) for name in getattr(request, "model_fields_set", ())}
            if method == "delete":
                fields = {"points": request}
            return method, unquote(match[1]), arguments_of(method, fields)
    return None


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

    def log_message(self, *_: Any) -> None:
        """Tests are quiet."""

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if refusal := self.gate.refusal(self.headers.get("api-key")):
            return self._send(401, refusal.encode())
        try:
            found = parsed(self.command, urlsplit(self.path).path, body)
        except ValidationError as error:
            return self._fail(400, f"Format error in JSON body: {error}")
        if found is None:
            return self._fail(501, f"no route {self.command} {self.path}")
        method, collection, arguments = found
        fault = self.gate.enter(method, [str(each) for each in arguments.get("ids", ())])
        if fault is Fault.GARBAGE:
            return self._send(200, b"<html>Welcome to nginx!</html>")
        if fault is not None and fault.value[0]:
            return self._fail(fault.value[0], fault.value[2])
        return self._answer(method, collection, arguments, body, fault)

    do_GET = do_PUT = do_POST = do_DELETE = _handle  # noqa: N815 - http.server's names

    def _answer(
        self, method: str, collection: str, arguments: dict[str, Any], body: bytes, fault: Fault | None
    ) -> None:
        def encode() -> bytes:
            result = self.gate.call(method, collection, arguments, fault)
            return to_json({"result": rendered(method, result), "status": "ok", "time": 0.0})

        try:
            known = method == "retrieve"
            whole = self.gate.encoded(collection.encode() + body, encode) if known else encode()
        except Exception as error:  # noqa: BLE001 - here a request ends
            status, _, text = status_of(error)
            return self._fail(status, text)
        return self._send(200, whole, cut=fault is Fault.DROPS)

    def _fail(self, status: int, text: str) -> None:
        self._send(status, to_json({"status": {"error": text}, "time": 0}))

    def _send(self, status: int, body: bytes, *, cut: bool = False) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if cut else body)
        self.close_connection = cut or self.close_connection


def rendered(method: str, result: Any) -> Any:
    """What the engine has answered, as JSON has it."""
    return _shortest(to_jsonable_python(ANSWERS.get(method, lambda it: it)(result)))


def _shortest(value: Any, *, single: bool = False) -> Any:
    """Numbers of vectors, and scores, with as many digits as a float32 has, as Qdrant writes them."""
    if isinstance(value, dict):
        return {k: _shortest(one, single=single or k in {"vector", "score"}) for k, one in value.items()}
    if isinstance(value, list):
        return [_shortest(one, single=single) for one in value]
    return float(str(np.float32(value))) if single and isinstance(value, float) else value
