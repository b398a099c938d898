"""The vector store that the settings ask for: the embedded engine, or a Qdrant server."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from image_search_service.core.errors import ImageSearchError
from image_search_service.vector.calls import call_once

if TYPE_CHECKING:
    from image_search_service.vector.transport import AnyQdrant

TIMEOUT = 30
"""Seconds for one request: a batch of writes to a busy server takes some."""


def open_client(
    *, path: Path, url: str | None = None, api_key: str | None = None, prefer_grpc: bool = True
) -> AnyQdrant:
    """The engine embedded in ``path``; with ``url`` a client of that server, which has answered once.

    The client's own check of versions is left out: it warns of what that answer tells with more certainty.
    Raises UnavailableError when the server does not answer, KeyRefusedError when it refuses the key,
    LibraryInUseError when another process has ``path`` open.
    """
    if url is None:
        from image_search_service.vector.embedded import EmbeddedQdrant

        return EmbeddedQdrant(path)
    from qdrant_client import QdrantClient

    client = QdrantClient(
        url=url, api_key=api_key, prefer_grpc=prefer_grpc, timeout=TIMEOUT, check_compatibility=False
    )
    try:
        call_once("collection_exists", f"to connect to {url}", lambda: client.collection_exists("any"))
    except ImageSearchError:
        client.close()
        raise
    return client
