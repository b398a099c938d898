"""Records of decisions."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MadeDecision:
    """A decision in brief. id: its number."""

    id: int
    kind: str
    actor: str
