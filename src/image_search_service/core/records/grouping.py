"""What a full grouping would change."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from image_search_service.core.types import JsonObject


@dataclass(frozen=True, slots=True)
class GroupingCounts:
    """How much changes.

    joined: groups that take in faces of two groups or more. split: groups whose faces come into two or more.
    new: groups of faces that were alone. dissolved: groups whose faces would all be alone. moved: faces whose
    group changes.
    """

    joined: int
    split: int
    new: int
    dissolved: int
    moved: int


@dataclass(frozen=True, slots=True)
class ShownGroup:
    """A group and some of its faces. cluster_id: None for faces that are in no group."""

    cluster_id: uuid.UUID | None
    size: int
    faces: Sequence[uuid.UUID]


@dataclass(frozen=True, slots=True)
class GroupingChange:
    """Groups that exchange faces, as they are and as they would be, the largest first, single faces last."""

    before: Sequence[ShownGroup]
    after: Sequence[ShownGroup]


@dataclass(frozen=True, slots=True)
class ProposalRecord:
    """A full grouping that waits to be applied. is_stale: something was decided or grouped since.
    changes: the largest ones."""

    id: uuid.UUID
    created_at: datetime
    is_stale: bool
    faces: int
    counts: GroupingCounts
    changes: Sequence[GroupingChange]

    def to_json(self) -> JsonObject:
        """How many faces were compared, and how much would change."""
        return {"faces": self.faces, **asdict(self.counts)}
