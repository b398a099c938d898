"""Counts of the whole library."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self
from uuid import uuid4

from image_search_service.core.types import JsonObject


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


@dataclass(frozen=True, slots=True)
class StoreMark:
    """What each store of a library has alike, and another library's store has not. value: random, made anew
    whenever a process opens the library's vectors. opened_by: that process's machine and folder, for humans;
    opened_at: when, by that machine's clock."""

    value: str
    opened_by: str
    opened_at: str

    @classmethod
    def new(cls, opened_by: str, now: datetime) -> Self:
        return cls(uuid4().hex, opened_by, f"{now:%Y-%m-%d %H:%M} UTC")

    @classmethod
    def of_json(cls, document: object) -> Self | None:
        """The mark that ``to_json`` made; None for anything else."""
        if not isinstance(document, dict):
            return None
        fields = [document.get(name) for name in ("value", "opened_by", "opened_at")]
        return cls(*map(str, fields)) if all(isinstance(field, str) for field in fields) else None

    def to_json(self) -> JsonObject:
        return {"value": self.value, "opened_by": self.opened_by, "opened_at": self.opened_at}
