"""Records of decisions."""

from __future__ import annotations

import uuid
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MadeDecision:
    """A decision in brief. id: its number."""

    id: int
    kind: str
    actor: str


@dataclass(frozen=True, slots=True)
class DecisionFilter:
    """Which decisions are listed. subject: those about this face or person; actor: those that they made."""

    subject: uuid.UUID | None = None
    actor: str | None = None


EVERY_DECISION = DecisionFilter()


@dataclass(frozen=True, slots=True)
class DecidingActor:
    """Somebody who made decisions, and how many."""

    actor: str
    decisions: int
