"""The stand-in server's REST side: JSON to qdrant_client.models and back, on http.server."""

from __future__ import annotations

import re
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import AF_INET, AF_INET6
from threading import Thread
from typing import Any
from urllib.parse import unquote, urlsplit

import numpy as np
from pydantic import TypeAdapter
from pydantic_core import to_json, to_jsonable_python
from qdrant_client import models

from tests.support.qdrant_gate import VERSION, Fault, Gate, Refused, arguments_of, collection_info, status_of

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
    ("PATCH", "", "update_collection", models.UpdateCollection),
    ("DELETE", "", "delete_collection", None),
]
"""Verb, path below a collection, the client's method, the body's type."""
OF_THE_SERVER = {"/": VERSION.model_dump(), "/cluster": {"result": {"status": "disabled"}, "status": "ok"}}
ANSWERS: dict[str, Callable[[Any], Any]] = {
    "scroll": lambda found: {"points": found[0], "next_page_offset": found[1]},
    "collection_exists": lambda there: {"exists": there},
    "get_collection": collection_info,
}


def parsed(verb: str, path: str, body: bytes) -> tuple[str, str, dict[str, Any]] | None:
    """The client's method, collection, other arguments; None for another request. Raises ValidationError."""
    for route, below, method, kind in ROUTES:
        match = re.fullmatch(f"/collections/([^/]+){below}", path)
        if route == verb and match:
            request = TypeAdapter(kind).validate_json(body or b"null")
            fields = {name: getattr(request, name) for name in getattr(request, "model_fields_set", ())}
            if method == "delete":
                fields = {"points": request}
            return method, unquote(match[1]), arguments_of(method, fields)
    return None


SERVER: dict[str, Any] = {"daemon_threads": True, "block_on_close": False, "request_queue_size": 128}
SERVER |= {"handle_error": lambda *_: None}  # a client that went away is no news


def serve_rest(gate: Gate, host: str, context: Any = None) -> tuple[ThreadingHTTPServer, int]:
    """A server on a free port, started; with TLS where there is a context for it."""
    handler = type("Handler", (_Handler,), {"gate": gate})
    own = SERVER | {"address_family": AF_INET6 if ":" in host else AF_INET}
    server = type("Server", (ThreadingHTTPServer,), own)((host.strip("[]"), 0), handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    return server, server.server_address[1]


class _Handler(BaseHTTPRequestHandler):
    gate: Gate
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # headers and body leave together
    log_message = property(lambda _: lambda *_: None)

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            self._send(200, *self._answer(body))
        except Exception as error:  # noqa: BLE001 - here a request ends
            self._fail(*status_of(error)[::2])

    do_GET = do_PUT = do_POST = do_PATCH = do_DELETE = _handle  # noqa: N815 - http.server's names

    def _answer(self, body: bytes) -> tuple[bytes, bool]:
        """The answer, and whether it is cut off."""
        gate, path = self.gate, urlsplit(self.path).path
        if not path.startswith(gate.prefix):
            raise Refused(404, "", "404 page not found")
        path = "/" + path.removeprefix(gate.prefix).lstrip("/")
        if refusal := gate.refusal(self.headers.get("api-key")):
            raise Refused(401, "", refusal)
        found = parsed(self.command, path, body)
        if found is None and path in OF_THE_SERVER:
            gate.enter("info")
            return to_json(OF_THE_SERVER[path]), False
        if found is None:
            raise Refused(501, "", f"no route {self.command} {self.path}")
        method, collection, arguments = found
        fault = gate.enter(method, [str(each) for each in arguments.get("ids", ())])
        if fault is Fault.GARBAGE:
            return b"<html>Welcome to nginx!</html>", False
        if fault is not None and fault.value[0]:
            raise Refused(*fault.value)

        def encode() -> bytes:
            result = gate.call(method, collection, arguments, fault)
            return to_json({"result": rendered(method, result), "status": "ok", "time": 0.0})

        whole = gate.encoded(collection.encode() + body, encode) if method == "retrieve" else encode()
        return whole, fault is Fault.DROPS

    def _fail(self, status: int, text: str) -> None:
        self._send(status, to_json({"status": {"error": text}, "time": 0.0}), wait=Refused.WAIT.search(text))

    def _send(self, status: int, body: bytes, cut: bool = False, wait: Any = None) -> None:
        self.send_response(status)
        if wait:
            self.send_header("Retry-After", wait[1])
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
