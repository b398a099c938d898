"""What both protocols of the stand-in server have in common: calling the engine, telling errors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from image_search_service.core.errors import (
    ConflictError,
    ImageSearchError,
    InvalidInputError,
    NotFoundError,
    UnavailableError,
)
from image_search_service.vector.errors import translate

if TYPE_CHECKING:
    from tests.support.qdrant_server import Gate

STATUS: list[tuple[type[ImageSearchError], int, str]] = [
    (NotFoundError, 404, "NOT_FOUND"),
    (ConflictError, 409, "ALREADY_EXISTS"),
    (InvalidInputError, 400, "INVALID_ARGUMENT"),
    (UnavailableError, 503, "UNAVAILABLE"),
    (ImageSearchError, 500, "INTERNAL"),
]

WRITES = frozenset({"upsert", "delete", "delete_collection"})


def status_of(error: Exception) -> tuple[int, str, str]:
    """HTTP status, gRPC code and text for what the engine raised."""
    ours = translate(error, "in the engine")
    for kind, status, code in STATUS:
        if isinstance(ours, kind):
            return status, code, str(ours)
    return 500, "INTERNAL", repr(error)


def run(gate: Gate, method: str, *args: Any, **kwargs: Any) -> Any:
    """One call of the engine; one at a time, since qdrant-client's local mode is not safe in threads."""
    with gate.lock:
        if method in WRITES:
            gate.encoded.clear()
        return getattr(gate.engine, method)(*args, **kwargs)
