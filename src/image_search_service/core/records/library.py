"""The library as a whole, in numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class LibrarySummary:
    """What a library holds.

    alone_faces: in no cluster and of nobody. waiting_suggestions: that a human can answer. engine: None until
    something is indexed. last_decision: its number, 0 if there is none. roots: what was indexed.
    photos_failed: photos that cannot be read.
    """

    photos: int
    photos_failed: int
    faces: int
    named_faces: int
    alone_faces: int
    persons: int
    clusters: int
    waiting_suggestions: int
    last_decision: int
    engine: str | None
    roots: Sequence[Path]
