"""Photos, the files that hold them, and runs of indexing."""

from __future__ import annotations

import uuid
from datetime import datetime
from pathlib import Path

from sqlalchemy import BigInteger, DateTime, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from image_search_service.db.models.base import Base, utc_now


class IndexRun(Base):
    """One run of indexing; ``finished_at`` stays null if it was interrupted."""

    __tablename__ = "index_runs"

    id: Mapped[int] = mapped_column(primary_key=True)
    started_at: Mapped[datetime] = mapped_column(default=utc_now)
    finished_at: Mapped[datetime | None]


class ImageAsset(Base):
    """A photo: one content, however many files hold it."""

    __tablename__ = "image_assets"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    content_hash: Mapped[str] = mapped_column(String(64), unique=True)
    format: Mapped[str | None] = mapped_column(String(16))
    width: Mapped[int | None]
    height: Mapped[int | None]
    """Of the upright photo, in pixels."""
    taken_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=False))
    """Local time where the photo was taken, as cameras write it: without a zone."""
    failure: Mapped[str | None]
    """Why the photo cannot be read; null for one that can."""
    replaced: Mapped[bool] = mapped_column(default=False)
    """True when every file that held this content now holds another: an edited photo's former self."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class AssetPath(Base):
    """A file that holds (or held, see ``missing_since``) a photo."""

    __tablename__ = "asset_paths"

    id: Mapped[int] = mapped_column(primary_key=True)
    path: Mapped[Path] = mapped_column(unique=True)
    asset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("image_assets.id"), index=True)
    size: Mapped[int] = mapped_column(BigInteger)
    modified_ns: Mapped[int] = mapped_column(BigInteger)
    seen_in_run: Mapped[int] = mapped_column(ForeignKey("index_runs.id"))
    missing_since: Mapped[datetime | None]
