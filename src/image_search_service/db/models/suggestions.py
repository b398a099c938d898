"""Faces that may be a person."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from image_search_service.db.models.base import Base, Uuid, partial_index, utc_now


class FaceSuggestion(Base):
    """A face that may be a person. Rejected ones stay for good, so that the pair is not brought back."""

    __tablename__ = "face_suggestions"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    face_instance_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("face_instances.id"))
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("persons.id"), index=True)
    state: Mapped[str] = mapped_column(String(16))
    """pending, accepted, rejected or expired."""
    confidence: Mapped[float]
    """The similarity that it was ranked by: the best of its evidence's, −1 to 1."""
    source: Mapped[str] = mapped_column(String(32))
    """prototype, multi_prototype, centroid or assignment."""
    evidence: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    """The prototypes (``face_instance_id``) or the centroid (``centroid_id``) that it resembles, each with
    its ``similarity``, the best first."""
    threshold: Mapped[float | None]
    """The least similarity that was asked for when it was found."""
    second_person_id: Mapped[uuid.UUID | None] = mapped_column(Uuid)
    """The other person whose centroid the face resembles most; null without one."""
    second_similarity: Mapped[float | None]
    margin: Mapped[float | None]
    """How much more it resembles the person's own centroid; null if the person has none."""
    answerable: Mapped[bool] = mapped_column(default=False)
    """Whether it is undecided and can still be right: kept by triggers (``db/models/kept/``)."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    __table_args__ = (
        partial_index(
            "uq_face_suggestions_pending",
            "face_instance_id",
            "person_id",
            unique=True,
            where="state = 'pending'",
        ),
        Index("ix_face_suggestions_face_person", "face_instance_id", "person_id"),
        partial_index(
            "ix_face_suggestions_waiting",
            "answerable",
            "person_id",
            "margin",
            "confidence",
            "id",
            "face_instance_id",
            where="answerable = 1",
            on_postgresql="answerable",
        ),
    )
