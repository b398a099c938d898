"""A gRPC stub whose ``.future`` does not wait.

qdrant-client (1.20) looks at the answer of every call in an interceptor, so that its own stub's ``.future``
returns when the answer has come: ten calls take ten times as long as one. Hence a channel beside the
client's, to the same server with the same options and credentials, and without that interceptor.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias
from urllib.parse import urlsplit

Get: TypeAlias = Callable[[Any], Any]
"""Sends a ``GetPoints`` and returns its future."""

TIMEOUT = 5  # seconds; qdrant-client's own default

_gets: weakref.WeakKeyDictionary[Any, Get] = weakref.WeakKeyDictionary()


def get_points(client: Any) -> Get:
    """``Points/Get`` on a channel that lives as long as ``client``."""
    if client not in _gets:
        _gets[client] = _open(client, client.init_options)
    return _gets[client]


def _open(client: Any, options: dict[str, Any]) -> Get:
    from qdrant_client import grpc as messages

    channel = _channel(options)
    weakref.finalize(client, channel.close)
    stub = messages.PointsStub(channel)  # type: ignore[no-untyped-call]
    timeout = options["timeout"] or TIMEOUT

    def get(request: Any) -> Any:
        return stub.Get.future(request, timeout=timeout, metadata=_metadata(options))

    return get


def _channel(options: dict[str, Any]) -> Any:
    import grpc
    from qdrant_client.connection import parse_channel_options, parse_ssl_credentials

    url = urlsplit(_url(options))
    target = f"{url.hostname}:{options['grpc_port']}"
    settings = dict(options["grpc_options"] or {})
    credentials = parse_ssl_credentials(settings)
    if url.scheme == "https":
        return grpc.secure_channel(
            target, grpc.ssl_channel_credentials(**credentials), parse_channel_options(settings)
        )
    return grpc.insecure_channel(target, parse_channel_options(settings))


def _url(options: dict[str, Any]) -> str:
    """The server's address with its scheme, by qdrant-client's rules: a key implies https unless told."""
    address = options["url"] or options["location"] or options["host"] or "localhost"
    if "://" in address:
        return str(address)
    secure = options["https"] if options["https"] is not None else options["api_key"] is not None
    return f"{'https' if secure else 'http'}://{address}"


def _metadata(options: dict[str, Any]) -> Sequence[tuple[str, str]]:
    """What identifies us, for each call anew: a token may expire."""
    pairs = list((options["headers"] or {}).items())
    if options["api_key"] is not None:
        pairs.append(("api-key", options["api_key"]))
    if options["auth_token_provider"] is not None:
        pairs.append(("authorization", f"Bearer {options['auth_token_provider']()}"))
    return [(name.lower(), value) for name, value in pairs]
