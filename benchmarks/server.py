"""The stand-in Qdrant server of ``tests/support`` in a process of its own, as slow as is asked for.

    python -m benchmarks.server NUMBER DIMENSION

It keeps the bytes of its answers, so that the client is what is measured. ``NUMBER`` made-up faces lie in
``COLLECTION`` from the start. It prints its ports; then each line of standard input is a number of seconds to
add to each request from now on, and is answered by a line.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

from qdrant_client import QdrantClient

from image_search_service.vector.embedded import EmbeddedQdrant
from image_search_service.vector.face_qdrant import FaceQdrantClient
from tests.support.backends import face_points
from tests.support.qdrant_server import QdrantServer

COLLECTION = "faces_bench"
DELAYS = (0.0, 0.005, 0.020)
"""Seconds that are added to each request."""


def serve(number: int, dimension: int) -> None:
    """The server's process: serves until standard input ends."""
    with tempfile.TemporaryDirectory() as folder, EmbeddedQdrant(Path(folder)) as engine:
        faces = FaceQdrantClient(engine, COLLECTION, dimension)
        faces.ensure_collection()
        faces.upsert_faces(face_points(number, dimension))
        with QdrantServer(engine) as server:
            server.gate.encoded = Remembered()
            print(server.rest_port, server.grpc_port, flush=True)
            for line in sys.stdin:
                server.gate.delay = float(line)
                print(line, end="", flush=True)


class Remembered(dict[bytes, bytes]):
    """Answers by the bytes of their requests: only the first costs this process anything to speak of."""

    def __call__(self, request: bytes, encode: Callable[[], bytes]) -> bytes:
        if request not in self:
            self[request] = encode()
        return self[request]


def ids_of(number: int) -> list[UUID]:
    """The ids of the faces in ``COLLECTION``."""
    return [UUID(int=row + 1) for row in range(number)]


class SlowServer:
    """The server in its process, seen from here."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._to, self._from = process.stdin, process.stdout
        self._rest_port, self._grpc_port = map(int, self._from.readline().split())
        self._clients: list[QdrantClient] = []

    def set_delay(self, seconds: float) -> None:
        """Adds ``seconds`` to each request from now on."""
        print(seconds, file=self._to, flush=True)
        self._from.readline()

    def client(self, *, grpc: bool) -> QdrantClient:
        self._clients.append(
            QdrantClient(
                url=f"http://127.0.0.1:{self._rest_port}",
                grpc_port=self._grpc_port,
                prefer_grpc=grpc,
                check_compatibility=False,
                timeout=60,
            )
        )
        return self._clients[-1]

    def close(self) -> None:
        for client in self._clients:
            client.close()
        self._to.close()


@contextmanager
def slow_server(number: int, dimension: int) -> Iterator[SlowServer]:
    """``with slow_server(1000, 512) as server:``"""
    command = [sys.executable, "-m", "benchmarks.server", str(number), str(dimension)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        server = SlowServer(process)
        try:
            yield server
        finally:
            server.close()


if __name__ == "__main__":
    serve(int(sys.argv[1]), int(sys.argv[2]))
