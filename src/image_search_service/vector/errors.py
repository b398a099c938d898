"""Translates the vendors' errors into the tree of ``core/errors.py``.

    refused connection, timeout, overload, server gone,
    a node or disk of the server that fails               UnavailableError, a retry may succeed
    rate limit                                            RateLimitedError, a retry after the time it says
    key refused                                           KeyRefusedError, a retry does not help
    request larger than server or proxy allow             RequestTooLargeError, a smaller one may succeed
    malformed or impossible request                       InvalidInputError
    collection or point not there, already there          LostCollectionError, NotFoundError, ConflictError
    anything else, such as an answer that is malformed    VectorStoreError

The vendors: ``grpc``, ``httpx``, ``qdrant_client`` (server and local mode) and ``qdrant_edge``, which raises
plain ``Exception`` with the reason only in its message. What a server says is tested with recorded answers.
"""

from __future__ import annotations

import json
import re
from types import TracebackType
from typing import Any, Final

from image_search_service.core.errors import (
    ConflictError,
    ImageSearchError,
    InvalidInputError,
    KeyRefusedError,
    LostCollectionError,
    NotFoundError,
    RateLimitedError,
    RequestTooLargeError,
    UnavailableError,
    VectorStoreError,
)
from image_search_service.vector import error_hints
from image_search_service.vector.server_address import ServerAddress, address_of

ErrorType = type[ImageSearchError]

# https://qdrant.tech/documentation: 503 is overload, 502 and 504 a gateway whose server is away. 500 is what
# a node says that cannot reach a shard's only copy, or whose disk is full.
HTTP_ERRORS: Final[dict[int, ErrorType]] = {
    400: InvalidInputError,
    401: KeyRefusedError,
    403: KeyRefusedError,
    404: NotFoundError,
    408: UnavailableError,
    409: ConflictError,
    413: RequestTooLargeError,
    422: InvalidInputError,
    425: UnavailableError,
    429: RateLimitedError,
    500: UnavailableError,
    502: UnavailableError,
    503: UnavailableError,
    504: UnavailableError,
}

# Names of grpc.StatusCode; grpc itself is imported only when it has raised something.
GRPC_ERRORS: Final[dict[str, ErrorType]] = {
    "CANCELLED": UnavailableError,
    "INVALID_ARGUMENT": InvalidInputError,
    "DEADLINE_EXCEEDED": UnavailableError,
    "NOT_FOUND": NotFoundError,
    "ALREADY_EXISTS": ConflictError,
    "PERMISSION_DENIED": KeyRefusedError,
    "UNAUTHENTICATED": KeyRefusedError,
    "RESOURCE_EXHAUSTED": RateLimitedError,
    "ABORTED": UnavailableError,
    "INTERNAL": UnavailableError,
    "UNAVAILABLE": UnavailableError,
}

# Each comes with several statuses and codes: bodies and messages by bytes (gRPC's own, Qdrant's, proxies'),
# rate limits that cannot be met by waiting, and the limits of strict mode.
_TOO_LARGE: Final = re.compile(
    r"larger than (max|allowed|rate limiter)|message length too large|entity too large|payload too large"
    r"|http2 header with status: 413|Condition size limit reached"
    r"|Limit exceeded \d+ > \d+ for \"((upsert |update )?limit|search batch size)\"",
    re.IGNORECASE,
)
_NO_ROUTE: Final = re.compile(r"http2 header with status: (404|5\d\d)")  # a proxy whose server is away
_UNREADABLE: Final = re.compile(r"deserializing response", re.IGNORECASE)
_COLLECTION: Final = re.compile(r"collection\W.*(not found|doesn't exist|does not exist)", re.IGNORECASE)
_RETRY_AFTER: Final = re.compile(r"Retry after (\d+)s")

# What the engines in this process say; WouldBlock is the log of a shard that another process has open.
# The first pattern that matches decides.
_MESSAGES: Final[tuple[tuple[re.Pattern[str], ErrorType], ...]] = (
    (re.compile(r"already exists", re.IGNORECASE), ConflictError),
    (re.compile(r"not found|no point with id|does not exist|doesn't exist", re.IGNORECASE), NotFoundError),
    (re.compile(r"closed|not initialized|WouldBlock", re.IGNORECASE), ConflictError),
    (re.compile(r"dimension|failed to parse|invalid|wrong input", re.IGNORECASE), InvalidInputError),
)

# qdrant_edge raises Exception and ValueError, the local mode the others.
_PLAIN: Final = frozenset({Exception, ValueError, RuntimeError, AssertionError})


class translated:  # noqa: N801 - reads as a statement: with translated("in reading embeddings", client):
    """Context manager around calls to a vendor; it raises the vendor's errors as this project's."""

    def __init__(self, doing: str, client: Any = None) -> None:
        self._doing = doing
        self._client = client

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, Exception):
            ours = translate(error, self._doing, address_of(self._client))
            if ours is not error:
                raise ours from error


def translate(error: Exception, doing: str, server: ServerAddress | None = None) -> Exception:
    """The project's error for a vendor's error; other errors are returned unchanged.

    server: where the request went, None for an engine in this process.
    """
    if isinstance(error, ImageSearchError):
        return error
    kind = _kind(error)
    if kind is None:
        return error
    text = _text(error)
    if kind is NotFoundError and _COLLECTION.search(text):
        kind = LostCollectionError
    message = f"Qdrant failed {doing}{'' if server is None else f' at {server}'}: {text}"
    hint = error_hints.hint(kind, text, server, is_denied=_status(error) in {403, "PERMISSION_DENIED"})
    if kind is RateLimitedError:
        return RateLimitedError(f"Qdrant's rate limit is reached. {message}", hint=hint, seconds=_wait(error))
    return kind(message, hint=hint)


def _kind(error: Exception) -> ErrorType | None:
    """The project's error class. Vendors are recognized by module name, so that none is imported here."""
    vendor = type(error).__module__.partition(".")[0]
    names = {base.__name__ for base in type(error).__mro__}
    kind: ErrorType | None = None
    if "RpcError" in names:
        kind = _grpc_kind(error)
    elif vendor == "grpc":  # FutureTimeoutError, FutureCancelledError
        kind = UnavailableError
    elif vendor in {"httpx", "httpcore"}:
        kind = _httpx_kind(names)
    elif vendor == "qdrant_client":
        kind = _qdrant_client_kind(error)
    elif names & {"JSONDecodeError", "UnicodeDecodeError"}:  # qdrant-client passes them on as they are
        kind = VectorStoreError
    elif type(error) in _PLAIN or "ValidationError" in names:
        kind = _message_kind(error)
    return kind


def _grpc_kind(error: Exception) -> ErrorType:
    text = _text(error)
    if _TOO_LARGE.search(text):
        return RequestTooLargeError
    if _UNREADABLE.search(text):  # with the code that stands for a server's own failure
        return VectorStoreError
    if _NO_ROUTE.search(text):
        return UnavailableError
    return GRPC_ERRORS.get(str(_status(error)), VectorStoreError)


def _httpx_kind(names: set[str]) -> ErrorType:
    if names & {"UnsupportedProtocol", "LocalProtocolError", "InvalidURL"}:
        return InvalidInputError
    return (
        UnavailableError
        if names & {"TransportError", "TimeoutException", "NetworkError"}
        else VectorStoreError
    )


def _qdrant_client_kind(error: Exception) -> ErrorType:
    source = getattr(error, "source", None)  # ResponseHandlingException wraps what happened
    if isinstance(source, Exception):
        is_transport = type(source).__module__.partition(".")[0] in {"httpx", "httpcore"}
        return (_kind(source) if is_transport else None) or VectorStoreError
    if hasattr(error, "retry_after_s"):  # ResourceExhaustedResponse
        return RateLimitedError
    return _http_kind(error) if hasattr(error, "status_code") else VectorStoreError  # UnexpectedResponse


def _http_kind(error: Exception) -> ErrorType:
    if _TOO_LARGE.search(_text(error)):
        return RequestTooLargeError
    kind = HTTP_ERRORS.get(int(str(_status(error))), VectorStoreError)
    if kind is NotFoundError and not (_said_by_qdrant(error) or "").startswith("Not found"):  # a proxy's page
        return UnavailableError
    return kind


def _message_kind(error: Exception) -> ErrorType:
    for pattern, kind in _MESSAGES:
        if pattern.search(str(error)):
            return kind
    return InvalidInputError if isinstance(error, ValueError) else VectorStoreError


def _status(error: Exception) -> int | str | None:
    """The status of HTTP or the name of gRPC's code; None if there was no answer."""
    code = getattr(error, "code", None)
    if callable(code):
        return code().name if code() is not None else "UNKNOWN"
    return getattr(error, "status_code", None)


def _wait(error: Exception) -> int | None:
    """The seconds after which the server asks to try again, if it does."""
    told = getattr(error, "retry_after_s", None)
    said = _RETRY_AFTER.search(_text(error))
    return int(said[1]) if told is None and said else told


def _text(error: Exception) -> str:
    """The vendor's message, in one line."""
    details = getattr(error, "details", None)  # grpc
    if callable(details):
        text = details()
    elif isinstance(getattr(error, "content", None), bytes):  # UnexpectedResponse: what was answered
        text = _said_by_qdrant(error) or f"{_status(error)} {_title(error)}"
    else:
        text = getattr(error, "source", None) or error
    return " ".join(str(text).split())[:300] or type(error).__name__


def _said_by_qdrant(error: Any) -> str | None:
    """The text of an answer in Qdrant's own form, ``{"status": {"error": text}}``; None for any other."""
    try:
        return str(json.loads(error.content)["status"]["error"])
    except (ValueError, KeyError, TypeError):
        return None


def _title(error: Any) -> str:
    """What a proxy's page or a plain answer says, without its marks."""
    page: str = error.content.decode(errors="replace")
    title = re.search(r"<title>(.*?)</title>", page, re.IGNORECASE | re.DOTALL)
    return title[1] if title else re.sub(r"<[^>]*>", " ", page) or error.reason_phrase
