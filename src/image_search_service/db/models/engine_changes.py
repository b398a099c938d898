"""A library's move to another face engine: newly found faces, staged beside the present ones."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from image_search_service.core.types import EngineIdentity
from image_search_service.db.models.base import Base, utc_now


class EngineChange(Base):
    """A move from one engine to another, from its beginning until nothing of the former engine is left."""

    __tablename__ = "engine_changes"

    id: Mapped[int] = mapped_column(primary_key=True)
    """Part of the ids of the faces that only the new engine finds, so never used twice."""
    former_name: Mapped[str]
    former_checksum: Mapped[str]
    former_dimension: Mapped[int]
    engine_name: Mapped[str]
    engine_checksum: Mapped[str]
    dimension: Mapped[int]
    engine_files: Mapped[dict[str, Any]]
    """As in ``LibraryRow``, for the new engine."""
    started_at: Mapped[datetime] = mapped_column(default=utc_now)
    applied_at: Mapped[datetime | None]
    """When the library was bound to the new engine; null while faces are being found anew."""
    finished_at: Mapped[datetime | None]
    """When the former engine's collections, or those of a move that was given up, were removed."""

    @property
    def former(self) -> EngineIdentity:
        return EngineIdentity(self.former_name, self.former_checksum, self.former_dimension)

    @property
    def target(self) -> EngineIdentity:
        return EngineIdentity(self.engine_name, self.engine_checksum, self.dimension)


class StagedPhoto(Base):
    """A photo whose faces the new engine has embedded; it is not read again when the move goes on."""

    __tablename__ = "staged_photos"

    asset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("image_assets.id"), primary_key=True)
    failure: Mapped[str | None]
    """Why no file of the photo could be read; its faces were then embedded from their small pictures."""


class StagedFace(Base):
    """A face as it will be once the library is bound to the new engine."""

    __tablename__ = "staged_faces"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    """That of the face that lies in the same place; a new one where there is none."""
    asset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("image_assets.id"), index=True)
    origin: Mapped[str] = mapped_column(String(16))
    """found_again, new, kept or from_crop (``services/engine_change/places.py``)."""
    values: Mapped[dict[str, Any]] = mapped_column(JSON)
    """Columns of ``FaceInstance``, as JSON."""
