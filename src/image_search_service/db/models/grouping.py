"""A full grouping that was computed and waits to be applied or dropped."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import JSON
from sqlalchemy.orm import Mapped, mapped_column

from image_search_service.db.models.base import Base, utc_now


class GroupingProposal(Base):
    """What a full grouping would change. There is one at most. It is derived: it may be lost."""

    __tablename__ = "grouping_proposals"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    at_decision: Mapped[int]
    """The number of the last decision when it was computed."""
    at_grouping: Mapped[int]
    """The number of the last grouping then. It holds while neither has gone on."""
    faces: Mapped[int]
    """How many faces were compared."""
    parameters: Mapped[dict[str, Any]]
    """What the user chose: method and smallest size of a cluster."""
    clusters: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    """All clusters there would be: id, size, confidence, representative."""
    moves: Mapped[dict[str, Any]]
    """The cluster, or null, of each face that would move."""
    counts: Mapped[dict[str, Any]]
    """``GroupingCounts`` by name."""
    changes: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    """The largest changes, with some faces of each group before and after."""
