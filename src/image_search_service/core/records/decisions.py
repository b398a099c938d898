"""Decisions."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MadeDecision:
    """That a decision was made. id: its number."""

    id: int
    kind: str
    actor: str
