"""Opening the vector store: the embedded engine, or a Qdrant server."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from image_search_service.core.addresses import is_loopback

if TYPE_CHECKING:
    from qdrant_client import QdrantClient

    from image_search_service.vector.embedded import EmbeddedQdrant

GRPC_OPTIONS: Final[dict[str, Any]] = {
    # After an outage the next try comes at the latest so many ms later; gRPC's own limit is two minutes.
    "grpc.max_reconnect_backoff_ms": 10_000,
    # A connection that a firewall has swallowed is noticed by a ping without an answer.
    "grpc.keepalive_time_ms": 30_000,
    "grpc.keepalive_timeout_ms": 10_000,
    "grpc.keepalive_permit_without_calls": 1,
}
DEFAULT_PORTS: Final = {"http": 6333, "https": 443}
"""Of an address without a port: Qdrant's own, and what stands before it where there is a certificate."""
DIRECTLY: Final = {"http://": None, "https://": None}
"""httpx's form of "by no proxy", whatever the environment says."""


@dataclass(frozen=True, slots=True)
class QdrantServerOptions:
    """How to reach a Qdrant server.

    url: as ``core/settings_check.py`` lets it pass. timeout: seconds for one request; a batch of writes takes
    some. certificates: file of the authorities that the server's certificate may be from, in PEM; by default
    the usual ones.
    """

    url: str
    api_key: str | None = None
    prefer_grpc: bool = True
    grpc_port: int = 6334
    timeout: int = 30
    certificates: Path | None = None


def open_embedded(path: Path) -> EmbeddedQdrant:
    """The engine embedded in ``path``. Raises LibraryInUseError when another process has it open."""
    from image_search_service.vector.embedded import EmbeddedQdrant

    return EmbeddedQdrant(path)


def open_server(options: QdrantServerOptions) -> QdrantClient:
    """A client of the server, which is not asked for anything yet: a key may allow the library's own
    collections alone. The client's own check of versions is turned off, since it only warns, from a thread.
    """
    from qdrant_client import QdrantClient

    return QdrantClient(
        url=options.url,
        port=DEFAULT_PORTS[urlsplit(options.url).scheme],
        api_key=options.api_key,
        prefer_grpc=options.prefer_grpc,
        grpc_port=options.grpc_port,
        timeout=options.timeout,
        check_compatibility=False,
        grpc_options=_grpc_options(options),
        **_rest_options(options),
    )


def _is_direct(options: QdrantServerOptions) -> bool:
    """Whether proxies of the environment are passed by: none can reach this machine's own loopback."""
    return is_loopback(urlsplit(options.url).hostname)


def _grpc_options(options: QdrantServerOptions) -> dict[str, Any]:
    own: dict[str, Any] = dict(GRPC_OPTIONS)
    if _is_direct(options):
        own["grpc.enable_http_proxy"] = 0
    if options.certificates is not None:
        own["root_certificates"] = options.certificates.read_bytes()
    return own


def _rest_options(options: QdrantServerOptions) -> dict[str, Any]:
    """What qdrant-client hands on to httpx."""
    import ssl

    own: dict[str, Any] = {}
    if _is_direct(options):
        own["mounts"] = DIRECTLY
    if options.certificates is not None:
        own["verify"] = ssl.create_default_context(cafile=str(options.certificates))
    return own
