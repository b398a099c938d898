"""A web server on loopback that gives files, and gives them badly when asked to."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class FileServer:
    """``files`` by path; what is not there is a 404. Ranges are answered, except in ``without_ranges``.

    A path in ``cut_short`` breaks off half way through each answer, one in ``status`` is answered with that
    number and no file; ``types`` are content types. ``ranges`` are the first bytes that were asked for.
    ``accepted`` are the answers to POST, by path.
    """

    def __init__(self, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}"
        self.files: dict[str, bytes] = {}
        self.accepted: dict[str, bytes] = {}
        self.cut_short: set[str] = set()
        self.without_ranges: set[str] = set()
        self.without_length: set[str] = set()
        self.status: dict[str, int] = {}
        self.types: dict[str, str] = {}
        self.requests: list[str] = []
        self.ranges: list[int] = []

    def add(self, path: str, content: bytes) -> str:
        """The address at which ``content`` can be had from now on."""
        self.files[path] = content
        return self.address + path


class _Handler(BaseHTTPRequestHandler):
    served: FileServer

    def do_GET(self) -> None:
        served = self.served
        served.requests.append(self.path)
        content = served.files.get(self.path)
        if content is None or self.path in served.status:
            self.send_error(served.status.get(self.path, 404))
            return
        start = self._start()
        served.ranges.append(start)
        self.send_response(206 if start else 200)
        self.send_header("Content-Type", served.types.get(self.path, "application/octet-stream"))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        content = content[start:]
        if self.path not in served.without_length:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[: len(content) // 2] if self.path in served.cut_short else content)

    def do_POST(self) -> None:
        content = self.served.accepted.get(self.path)
        if content is None:
            self.send_error(404)
            return
        self.send_response(202)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _start(self) -> int:
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        return int(asked[1]) if asked and self.path not in self.served.without_ranges else 0

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def file_server() -> Iterator[FileServer]:
    """Runs for the length of the block."""

    class Handler(_Handler):
        pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served = Handler.served = FileServer(server.server_port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield served
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
