"""Versions of what jobs may change between reading and deciding: a cluster's faces, a person's suggestions.

Human changes have decision numbers (``services/decisions/log.py``). Grouping and searching record no
decision, so clusters and suggestion lists carry a version: the number of items and a digest of their ids.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Collection

from image_search_service.core.errors import StaleVersionError

DIGITS = 16
"""Hexadecimal digits of the digest: 64 bits, so that two versions are never equal by chance."""


def version_of(ids: Collection[uuid.UUID]) -> str:
    """Such as ``12-9f86d081884c7d65``, whatever the order of the ids."""
    digest = hashlib.sha256(b"".join(sorted(id_.bytes for id_ in ids))).hexdigest()
    return f"{len(ids)}-{digest[:DIGITS]}"


def refuse_changed(what: str, seen: str | None, ids: Collection[uuid.UUID]) -> None:
    """Raises StaleVersionError if the version that was seen, if any, is not the version of these ids."""
    now = version_of(ids)
    if seen is not None and seen != now:
        before = seen.partition("-")[0]
        raise StaleVersionError(
            f"{what} has changed meanwhile: {len(ids)} now, {before} then, and not the same.",
            version=now,
            size=len(ids),
        )
