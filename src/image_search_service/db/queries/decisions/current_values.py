"""Reads and writes the values of facts as JSON."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import Any

from image_search_service.core.decisions import Key

Values = dict[Key, Any]


def pairs_exist(rows: Iterable[Any], keys: Sequence[Key]) -> Values:
    """For each fact about two ids, whether ``rows`` has this pair."""
    existing = {(row[0], row[1]) for row in rows}
    return {key: (key.id, key.other) in existing for key in keys}


def as_text(value: uuid.UUID | None) -> str | None:
    return None if value is None else str(value)


def as_uuid(value: str | None) -> uuid.UUID | None:
    return None if value is None else uuid.UUID(value)
