"""Counts of the whole library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class LibrarySummary:
    """Counts of what a library holds.

    alone_faces: faces without a person and a cluster. waiting_suggestions: open suggestions. engine: None
    until something is indexed. last_decision: its number, 0 if there is none. roots: indexed folders and
    files. photos_failed: unreadable photos. photos_waiting: files and folders
    that the next run tries again to read.
    """

    photos: int
    photos_failed: int
    photos_waiting: int
    faces: int
    named_faces: int
    alone_faces: int
    persons: int
    clusters: int
    waiting_suggestions: int
    last_decision: int
    engine: str | None
    roots: Sequence[Path]
