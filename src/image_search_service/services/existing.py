"""Checks that ids exist; raises NotFoundError otherwise."""

from __future__ import annotations

import uuid
from typing import TypeVar

from image_search_service.core.errors import NotFoundError

T = TypeVar("T")


def required(item: T | None, what: str, item_id: uuid.UUID, hint: str | None = None) -> T:
    """``found``, or NotFoundError: "There is no person 3f2a…"."""
    if not item:
        raise NotFoundError(f"There is no {what} {item_id}.", hint=hint)
    return item
