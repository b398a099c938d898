"""Translates the vendors' errors into the tree of ``core/errors.py``.

    refused connection, timeout, overload, server gone    UnavailableError, a retry may succeed
    key refused                                           KeyRefusedError, a retry does not help
    malformed or impossible request                       InvalidInputError
    collection not there, already there                   NotFoundError, ConflictError
    anything else, such as an answer that is too large    VectorStoreError

The vendors: ``grpc``, ``httpx``, ``qdrant_client`` (server and local mode) and ``qdrant_edge``, which raises
plain ``Exception`` with the reason only in its message.
"""

from __future__ import annotations

import re
from types import TracebackType
from typing import Final

from image_search_service.core.errors import (
    ConflictError,
    ImageSearchError,
    InvalidInputError,
    KeyRefusedError,
    NotFoundError,
    UnavailableError,
    VectorStoreError,
)

ErrorType = type[ImageSearchError]

# https://qdrant.tech/documentation: 429 and 503 are overload, 502 and 504 a gateway whose server is away.
HTTP_ERRORS: Final[dict[int, ErrorType]] = {
    400: InvalidInputError,
    401: KeyRefusedError,
    403: KeyRefusedError,
    404: NotFoundError,
    408: UnavailableError,
    409: ConflictError,
    422: InvalidInputError,
    425: UnavailableError,
    429: UnavailableError,
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
    "RESOURCE_EXHAUSTED": UnavailableError,
    "ABORTED": UnavailableError,
    "UNAVAILABLE": UnavailableError,
}

# gRPC reports a message over the size limit with the code that stands for an overloaded server.
_TOO_LARGE = re.compile(r"larger than max|message length too large", re.IGNORECASE)

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

_UNAVAILABLE_HINT = "See whether Qdrant runs and can be reached, then try again."
_KEY_HINT = "Set IMAGE_SEARCH_QDRANT_API_KEY to a key that the server accepts."


class translated:  # noqa: N801 - reads as a statement: with translated("reading embeddings"):
    """Context manager around calls to a vendor; it raises the vendor's errors as this project's."""

    def __init__(self, doing: str) -> None:
        self._doing = doing

    def __enter__(self) -> None:
        return None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, Exception):
            ours = translate(error, self._doing)
            if ours is not error:
                raise ours from error


def translate(error: Exception, doing: str) -> Exception:
    """The project's error for a vendor's error; other errors are returned unchanged."""
    if isinstance(error, ImageSearchError):
        return error
    kind = _kind(error)
    if kind is None:
        return error
    hints: dict[ErrorType, str] = {UnavailableError: _UNAVAILABLE_HINT, KeyRefusedError: _KEY_HINT}
    return kind(f"Qdrant failed {doing}: {_text(error)}", hint=hints.get(kind))


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
    code = getattr(error, "code", None)
    name = code().name if callable(code) and code() is not None else "UNKNOWN"
    if _TOO_LARGE.search(_text(error)):
        return VectorStoreError
    return GRPC_ERRORS.get(name, VectorStoreError)


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
    status = getattr(error, "status_code", None)  # UnexpectedResponse
    if status is not None:
        return HTTP_ERRORS.get(status, VectorStoreError)
    return UnavailableError if hasattr(error, "retry_after_s") else VectorStoreError


def _message_kind(error: Exception) -> ErrorType:
    for pattern, kind in _MESSAGES:
        if pattern.search(str(error)):
            return kind
    return InvalidInputError if isinstance(error, ValueError) else VectorStoreError


def _text(error: Exception) -> str:
    """The vendor's message, in one line."""
    details = getattr(error, "details", None)  # grpc
    content = getattr(error, "content", None)  # UnexpectedResponse: what the server answered
    if callable(details):
        text = details()
    elif isinstance(content, bytes):
        text = f"{getattr(error, 'status_code', '')} {content.decode(errors='replace')}"
    else:
        text = getattr(error, "source", None) or error
    return " ".join(str(text).split())[:300] or type(error).__name__
