"""What to do about an error of the vector store: a text for each kind, with the settings that it concerns."""

from __future__ import annotations

import re
from typing import Final

from image_search_service.core.errors import (
    ImageSearchError,
    KeyRefusedError,
    LostCollectionError,
    RateLimitedError,
    RequestTooLargeError,
    UnavailableError,
)
from image_search_service.vector.server_address import ServerAddress

_NO_ANSWER: Final = "See whether Qdrant runs and can be reached, then try again."
_NO_GRPC: Final = (
    "See whether Qdrant runs and answers gRPC at {grpc}; IMAGE_SEARCH_QDRANT_GRPC_PORT sets that port, "
    "IMAGE_SEARCH_QDRANT_PREFER_GRPC=false uses {rest} alone."
)
_PROXY: Final = " Requests go by the proxy {proxy}; name the host in the variable no_proxy to go directly."
_CERTIFICATE: Final = (
    "The server's certificate is from no authority that is known here: name the file of its authority (PEM) "
    "in IMAGE_SEARCH_QDRANT_CA."
)
_FULL: Final = "Make room on the disk of the Qdrant server; the same command goes on from there."
_FAILING: Final = "Qdrant's own log says more. Try again when all of its nodes run; jobs do so by themselves."
_KEY: Final = "Set IMAGE_SEARCH_QDRANT_API_KEY to a key that the server accepts."
_RIGHTS: Final = (
    "The key in IMAGE_SEARCH_QDRANT_API_KEY is valid, but not for this. It has to allow reading and writing "
    "the library's own collections; to make them, it has to manage the server, once."
)
_RATE: Final = (
    "Wait, or raise the collection's read_rate_limit and write_rate_limit; jobs wait by themselves."
)
_SIZE: Final = (
    "Even the smallest request is too large: raise the limit of the server (max_request_size_mb, strict "
    "mode) or of the proxy in front of it (such as client_max_body_size)."
)
_LOST: Final = (
    "image-search doctor --repair makes the collection again, and the embeddings from the photos; names and "
    "groups are kept."
)

_HINTS: Final[dict[type[ImageSearchError], str]] = {
    KeyRefusedError: _KEY,
    RateLimitedError: _RATE,
    RequestTooLargeError: _SIZE,
    LostCollectionError: _LOST,
}
_OF_THE_SERVER: Final = re.compile(r"^(Service internal error|Service runtime error|\d+ out of \d+ shards)")


def hint(
    kind: type[ImageSearchError], text: str, server: ServerAddress | None, *, is_denied: bool
) -> str | None:
    """What to do about an error of this kind with this text. is_denied: the key is known, but not enough."""
    if kind is KeyRefusedError and is_denied:
        return _RIGHTS
    if kind is UnavailableError:
        return _unavailable(text, server)
    return _HINTS.get(kind)


def _unavailable(text: str, server: ServerAddress | None) -> str:
    if "no space left" in text.lower():
        return _FULL
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return _CERTIFICATE
    if _OF_THE_SERVER.match(text):
        return _FAILING
    if server is None:
        return _NO_ANSWER
    answer = _NO_ANSWER if server.grpc is None else _NO_GRPC.format(grpc=server.grpc, rest=server.rest)
    return answer if server.proxy is None else answer + _PROXY.format(proxy=server.proxy)
