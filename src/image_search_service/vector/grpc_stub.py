"""A gRPC stub whose ``.future`` does not wait.

qdrant-client (1.20) looks at the answer of every call in an interceptor, so that its own stub's ``.future``
returns when the answer has come: ten calls take ten times as long as one. Hence a channel beside the
client's, without that interceptor. Address, options, credentials and headers are those that the client has
parsed for its own channels.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

Get: TypeAlias = Callable[[Any], Any]
"""Sends a ``GetPoints`` and returns its future."""

_gets: weakref.WeakKeyDictionary[Any, Get] = weakref.WeakKeyDictionary()


def get_points(client: Any) -> Get:
    """``Points/Get`` on a channel that lives as long as ``client``."""
    if client not in _gets:
        _gets[client] = _open(client, client._client)
    return _gets[client]


def _open(client: Any, remote: Any) -> Get:
    from qdrant_client import grpc as messages

    channel = _channel(remote)
    weakref.finalize(client, channel.close)
    stub = messages.PointsStub(channel)  # type: ignore[no-untyped-call]

    def get(request: Any) -> Any:
        return stub.Get.future(request, timeout=remote._timeout, metadata=_metadata(remote))

    return get


def _channel(remote: Any) -> Any:
    """As ``QdrantRemote`` opens its own."""
    import grpc
    from qdrant_client.connection import parse_channel_options, parse_ssl_credentials

    target = f"{remote._host}:{remote._grpc_port}"
    settings = dict(remote._grpc_options)
    credentials = parse_ssl_credentials(settings)  # takes them out of the settings
    options = parse_channel_options(settings)
    if remote._https:
        secured = grpc.ssl_channel_credentials(**credentials)
        return grpc.secure_channel(target, secured, options, remote._grpc_compression)
    return grpc.insecure_channel(target, options, remote._grpc_compression)


def _metadata(remote: Any) -> Sequence[tuple[str, str]]:
    """What identifies us, for each call anew: a token may expire."""
    from qdrant_client.context_headers import get_context_headers

    pairs = [*remote._grpc_headers, *get_context_headers().items()]
    if remote._auth_token_provider is not None:
        pairs.append(("authorization", f"Bearer {remote._auth_token_provider()}"))
    return [(name.lower(), value) for name, value in pairs]
