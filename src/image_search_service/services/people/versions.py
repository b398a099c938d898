"""Versions of what jobs may change between looking and deciding: a cluster's faces, a person's suggestions.

What humans have decided meanwhile is known by the numbers of decisions (``decision_log``). A grouping or a
search for suggestions makes no decision, so what it may change has a version of its own: how many items it
has, and a digest of which.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Collection

from image_search_service.core.errors import StaleVersionError

DIGITS = 16
"""Of the digest, in hexadecimal: 64 bits, so that two versions of a thing are never alike by chance."""


def version_of(ids: Collection[uuid.UUID]) -> str:
    """Such as ``12-9f86d081884c7d65``, whatever the order of the ids."""
    digest = hashlib.sha256(b"".join(sorted(id_.bytes for id_ in ids))).hexdigest()
    return f"{len(ids)}-{digest[:DIGITS]}"


def refuse_changed(what: str, seen: str | None, ids: Collection[uuid.UUID]) -> None:
    """Raises StaleVersionError if the version that was seen, if any, is not that of these ids."""
    now = version_of(ids)
    if seen is not None and seen != now:
        before = seen.partition("-")[0]
        raise StaleVersionError(
            f"{what} has changed meanwhile: {len(ids)} now, {before} then, and not the same.",
            version=now,
            size=len(ids),
        )
