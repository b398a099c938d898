"""The Qdrant server that is measured: one of one's own, or the tests' stand-in, which adds delay.

    python -m benchmarks.server

is the stand-in's process. It keeps the bytes of its answers, so that the client is what is measured. It
prints its ports; then each line of standard input is a number of seconds to add to each request from now on,
and is answered by a line.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from qdrant_client import QdrantClient

from image_search_service.vector.embedded import EmbeddedQdrant
from tests.support.qdrant_server import QdrantServer

DELAYS = (0.0, 0.005, 0.020)
"""Seconds that the stand-in adds to each request."""
API_KEY = "IMAGE_SEARCH_QDRANT_API_KEY"


class MeasuredServer:
    """A server of one's own, to which nothing is added.

    name: what stands beside its figures. delays: seconds that it can be made slower by.
    """

    delays: tuple[float, ...] = (0.0,)

    def __init__(self, url: str, grpc_port: int) -> None:
        self._url = url
        self._grpc_port = grpc_port
        self._clients: list[QdrantClient] = []

    @property
    def name(self) -> str:
        return f"the Qdrant server {self._url}, version {self.client(grpc=False).info().version}"

    def set_delay(self, seconds: float) -> None:
        """Adds ``seconds`` to each request from now on."""
        assert seconds == 0, "nobody can make this server slower"

    def client(self, *, grpc: bool) -> QdrantClient:
        """A client of this server; it is closed together with it."""
        self._clients.append(
            QdrantClient(
                url=self._url,
                grpc_port=self._grpc_port,
                prefer_grpc=grpc,
                api_key=os.environ.get(API_KEY),
                check_compatibility=False,
                timeout=60,
            )
        )
        return self._clients[-1]

    def close(self) -> None:
        for client in self._clients:
            client.close()


class SlowServer(MeasuredServer):
    """The stand-in in its process, seen from here."""

    delays = DELAYS
    name = "the stand-in server of tests/support, in a process of its own"

    def __init__(self, to: IO[str], out: IO[str]) -> None:
        rest_port, grpc_port = map(int, out.readline().split())
        super().__init__(f"http://127.0.0.1:{rest_port}", grpc_port)
        self._to, self._from = to, out

    def set_delay(self, seconds: float) -> None:
        print(seconds, file=self._to, flush=True)
        self._from.readline()

    def close(self) -> None:
        super().close()
        self._to.close()


def add_server_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--url", help=f"a server of your own instead of the stand-in; its key in {API_KEY}")
    parser.add_argument("--grpc-port", type=int, default=6334, help="of your own server")


@contextmanager
def measured_server(url: str | None, grpc_port: int) -> Iterator[MeasuredServer]:
    """The server at ``url``, or the stand-in, started and stopped."""
    if url is not None:
        server = MeasuredServer(url, grpc_port)
        try:
            yield server
        finally:
            server.close()
        return
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.server"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        slow = SlowServer(process.stdin, process.stdout)
        try:
            yield slow
        finally:
            slow.close()


class Remembered(dict[bytes, bytes]):
    """Answers by the bytes of their requests: only the first costs this process anything to speak of."""

    def __call__(self, request: bytes, encode: Callable[[], bytes]) -> bytes:
        if request not in self:
            self[request] = encode()
        return self[request]


def serve() -> None:
    """The stand-in's process: serves until standard input ends."""
    with (
        tempfile.TemporaryDirectory() as folder,
        EmbeddedQdrant(Path(folder)) as engine,
        QdrantServer(engine) as server,
    ):
        server.gate.encoded = Remembered()
        print(server.rest_port, server.grpc_port, flush=True)
        for line in sys.stdin:
            server.gate.delay = float(line)
            print(line, end="", flush=True)


if __name__ == "__main__":
    serve()
