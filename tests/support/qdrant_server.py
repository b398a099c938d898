"""A Qdrant server for tests: Qdrant's own gRPC and REST on loopback over an engine in this process.

``QdrantClient(url=…)`` works against it unmodified, for the calls that the project makes. It is here for
delay and faults. How its answers differ from a real server's: ``tests/contract/test_recorded_answers.py``.
"""

from __future__ import annotations

from threading import Event
from typing import Any, Self

from qdrant_client import QdrantClient

from tests.support.qdrant_gate import Failing, Fault, Gate, Refused
from tests.support.qdrant_grpc import serve_grpc
from tests.support.qdrant_rest import serve_rest

__all__ = ["Failing", "Fault", "QdrantServer", "Refused"]


class QdrantServer:
    """``with QdrantServer(engine) as server: server.client(grpc=True)``.

    engine: anything with QdrantClient's methods. requests: how many have arrived, by operation.
    settings: what a library's settings say of this server. host: loopback, by number or name. tls: what
    gRPC and REST need for it.
    """

    def __init__(self, engine: Any, host: str = "127.0.0.1", tls: tuple[Any, Any] = (None, None)) -> None:
        self.gate = Gate(engine)
        self._host, self._tls = host, tls
        self.requests = self.gate.requests
        self._clients: list[QdrantClient] = []

    def __enter__(self) -> Self:
        self._grpc, self.grpc_port = serve_grpc(self.gate, self._host, self._tls[0])
        self._rest, self.rest_port = serve_rest(self.gate, self._host, self._tls[1])
        self.url = f"http{'s' if any(self._tls) else ''}://{self._host}:{self.rest_port}"
        self.settings: dict[str, Any] = {"qdrant_url": self.url, "qdrant_grpc_port": self.grpc_port}
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        for client in self._clients:
            client.close()

    def stop(self) -> None:
        """Closes both ports at once, whatever is under way."""
        self.gate.answering.set()
        self._grpc.stop(grace=None).wait()
        self._rest.shutdown()
        self._rest.server_close()

    def client(self, *, grpc: bool, **options: Any) -> QdrantClient:
        """A client of this server; it is closed together with it."""
        address: dict[str, Any] = {"url": self.url, "grpc_port": self.grpc_port, "prefer_grpc": grpc}
        self._clients.append(QdrantClient(**address, check_compatibility=False, **options))
        return self._clients[-1]

    def fail(self, fault: Fault | Refused, *operations: str, **when: Any) -> None:
        """From now on requests fail like this, until ``heal``; ``when``: see ``Failing``."""
        self.gate.failing.append(Failing(fault, operations, **when))

    def heal(self) -> None:
        """No request fails any more, and what hangs ends; no key is needed."""
        self.gate.failing.clear()
        self.gate.api_key = None
        self.gate.answering.set()
        self.gate.answering = Event()
