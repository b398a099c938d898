"""Opening the vector store: the embedded engine, or a Qdrant server."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from image_search_service.core.errors import ImageSearchError
from image_search_service.vector.calls import call_once

if TYPE_CHECKING:
    from qdrant_client import QdrantClient

    from image_search_service.vector.embedded import EmbeddedQdrant


@dataclass(frozen=True, slots=True)
class QdrantServerOptions:
    """How to reach a Qdrant server. timeout: seconds for one request; a batch of writes takes some."""

    url: str
    api_key: str | None = None
    prefer_grpc: bool = True
    grpc_port: int = 6334
    timeout: int = 30


def open_embedded(path: Path) -> EmbeddedQdrant:
    """The engine embedded in ``path``. Raises LibraryInUseError when another process has it open."""
    from image_search_service.vector.embedded import EmbeddedQdrant

    return EmbeddedQdrant(path)


def open_server(options: QdrantServerOptions) -> QdrantClient:
    """A client of the server, which has answered once.

    The client's own check of versions is turned off, since this first answer is the better test.
    Raises UnavailableError when the server does not answer, KeyRefusedError when it refuses the key.
    """
    from qdrant_client import QdrantClient

    client = QdrantClient(
        url=options.url,
        api_key=options.api_key,
        prefer_grpc=options.prefer_grpc,
        grpc_port=options.grpc_port,
        timeout=options.timeout,
        check_compatibility=False,
    )
    try:
        call_once(
            "collection_exists", f"to connect to {options.url}", lambda: client.collection_exists("any")
        )
    except ImageSearchError:
        client.close()
        raise
    return client
