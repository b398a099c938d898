"""Cursors: opaque text that tells where the next page begins."""

from __future__ import annotations

import binascii
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Final, TypeVar
from uuid import UUID

from fastapi import Query

from image_search_service.core.errors import InvalidInputError

T = TypeVar("T")

MAX_LIMIT: Final = 200
CURSOR_LENGTH: Final = 1_000

Limit = Annotated[int, Query(ge=1, le=MAX_LIMIT, description="How many items a page has at most.")]
Offset = Annotated[
    int, Query(ge=0, le=2**31 - 1, description="How many items to pass over, as a scrollbar does.")
]
CursorText = Annotated[
    str | None,
    Query(
        max_length=CURSOR_LENGTH,
        description="`next_cursor` of the page before; omit it for the first page.",
    ),
]


def encode_cursor(*key: int | float | str | datetime | UUID) -> str:
    """The sort key of a page's last item as text."""
    plain = [part if isinstance(part, int | float | str) else str(part) for part in key]
    return urlsafe_b64encode(json.dumps(plain).encode()).decode().rstrip("=")


def next_cursor(
    items: Sequence[T], limit: int, key: Callable[[T], tuple[int | float | str | datetime | UUID, ...]]
) -> str | None:
    """The cursor of the page behind these items; None when a short page says that it is the last."""
    return encode_cursor(*key(items[-1])) if len(items) == limit else None


def decode_cursor(cursor: str | None, *read: Callable[[Any], Any]) -> Any:
    """The parts of a sort key, each read by its function; None for the first page.

    Raises InvalidInputError for text that ``encode_cursor`` has not written.
    """
    if cursor is None:
        return None
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        parts = json.loads(urlsafe_b64decode(padded))
        return tuple(function(part) for function, part in zip(read, parts, strict=True))
    except (ValueError, TypeError, OverflowError, AttributeError, RecursionError, binascii.Error):
        raise InvalidInputError(
            "This cursor does not come from here.", hint="Send back `next_cursor` unchanged, or omit it."
        ) from None


def whole_number(value: Any) -> int:
    """Of the size that databases know. Raises ValueError."""
    if type(value) is not int or not -(2**31) <= value < 2**31:
        raise ValueError(value)
    return value


def real_number(value: Any) -> float:
    """Raises ValueError."""
    if type(value) not in (int, float) or value != value or abs(value) > 1e6:  # noqa: PLR0124 - not a number
        raise ValueError(value)
    return float(value)


def text(value: Any) -> str:
    """As databases take it: not longer than a cursor, without the character zero. Raises ValueError."""
    if not isinstance(value, str) or "\0" in value or not value.isprintable():
        raise ValueError(value)
    return value


def moment(value: Any) -> datetime:
    """With a time zone. Raises ValueError or OverflowError."""
    read = datetime.fromisoformat(value)
    if read.tzinfo is None:
        raise ValueError(value)
    read.timestamp()
    return read


def camera_time(value: Any) -> datetime:
    """Without a time zone, as cameras write it. Raises ValueError."""
    read = datetime.fromisoformat(value)
    if read.tzinfo is not None:
        raise ValueError(value)
    return read
