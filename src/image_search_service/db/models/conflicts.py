"""Contradictions that are found by comparing faces, which costs too much to be done for each page."""

from __future__ import annotations

import uuid

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from image_search_service.db.models.base import Base, Uuid


class KeptConflict(Base):
    """A contradiction as it was found when its person's centroid was last compared.

    It names persons and faces without referring to them: one that is not so any more is passed over when it
    is read, until its person is compared again.
    """

    __tablename__ = "conflicts"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    kind: Mapped[str] = mapped_column(String(32))
    """far_from_the_others or look_the_same."""
    person_id: Mapped[uuid.UUID] = mapped_column(Uuid, index=True)
    other_id: Mapped[uuid.UUID | None] = mapped_column(Uuid, index=True)
    """The other person of two who look the same."""
    face_instance_id: Mapped[uuid.UUID | None] = mapped_column(Uuid)
    """The face that is unlike its person's others."""
    similarity: Mapped[float]
    """Cosine: of two centroids, or of the face to its person's."""

    __table_args__ = (Index("ix_conflicts_kind", "kind", "similarity", "id"),)
