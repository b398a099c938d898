"""What a Qdrant server says of itself: version, nodes, and how a collection is spread over them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from image_search_service.core.errors import ImageSearchError
from image_search_service.vector.calls import call_once
from image_search_service.vector.server_address import address_of

if TYPE_CHECKING:
    from qdrant_client import QdrantClient

    from image_search_service.vector.qdrant_collection import QdrantCollection
    from image_search_service.vector.transport import AnyQdrant


@dataclass(frozen=True, slots=True)
class ServerState:
    """address: with the port for gRPC, where that is used. nodes: None if the key may not ask for them.

    shards, copies: of the library's faces; None before the collection is made.
    """

    address: str
    version: str
    nodes: int | None = None
    shards: int | None = None
    copies: int | None = None


def server_state(client: AnyQdrant, faces: QdrantCollection | None) -> ServerState:
    """Asks the server, once for each. Raises UnavailableError, KeyRefusedError."""
    server = cast("QdrantClient", client)
    address = address_of(client)
    shown = "" if address is None else address.rest
    if address is not None and address.grpc is not None:
        shown += f", gRPC at {address.grpc}"
    version = call_once("info", "in asking for its version", server.info, client).version
    info = None if faces is None else faces.info()
    params = None if info is None else info.config.params
    return ServerState(
        shown,
        version,
        _nodes(server),
        None if params is None else params.shard_number,
        None if params is None else params.replication_factor,
    )


def _nodes(client: QdrantClient) -> int | None:
    """By REST, which may not be reachable where gRPC is, and with rights that a key may lack."""
    with suppress(ImageSearchError):
        status = call_once("cluster", "in asking for its nodes", client.cluster_status, client)
        return len(getattr(status, "peers", None) or [1])
    return None
