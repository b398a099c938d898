"""The tables. SQL is the truth: whatever Qdrant holds besides the embeddings is derived from these rows."""

from __future__ import annotations

import os
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    String,
    TypeDecorator,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from image_search_service.core.types import Box


def utc_now() -> datetime:
    return datetime.now(UTC)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment, in UTC on every database (SQLite keeps no time zone)."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        return None if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        return None if value is None else value.replace(tzinfo=UTC) if value.tzinfo is None else value


class FilePath(TypeDecorator[Path]):
    """A path as the bytes that the file system knows: not every name is valid Unicode."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: Path | None, dialect: Dialect) -> bytes | None:  # noqa: ARG002 - SQLAlchemy's signature
        return None if value is None else os.fsencode(value)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> Path | None:  # noqa: ARG002 - SQLAlchemy's signature
        return None if value is None else Path(os.fsdecode(value))


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcDateTime,
        uuid.UUID: Uuid,
        dict[str, Any]: JSON,
        Path: FilePath,
    }


class Library(Base):
    """One row: the engine that the library is bound to, and whether its faces need grouping again."""

    __tablename__ = "library"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    uid: Mapped[uuid.UUID] = mapped_column(default=uuid.uuid4)
    """Tells this library's collections from another's on a shared Qdrant server."""
    engine_name: Mapped[str]
    engine_checksum: Mapped[str]
    dimension: Mapped[int]
    engine_files: Mapped[dict[str, Any]]
    """Paths that the user gave for the engine (``detector``, ``recognizer``), so that they are given once."""
    grouping_stale: Mapped[bool] = mapped_column(default=True)
    """True from the moment faces were added until they have been grouped."""
    grouping: Mapped[dict[str, Any] | None]
    """What the user chose for the last grouping: method and smallest size of a cluster."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


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


class Person(Base):
    """Somebody with a name."""

    __tablename__ = "persons"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    name: Mapped[str]
    name_key: Mapped[str] = mapped_column(unique=True)
    """The name as it is compared: normalised, without regard to case or surrounding space."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Cluster(Base):
    """Faces that grouping put together and nobody has named yet."""

    __tablename__ = "clusters"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    size: Mapped[int]
    confidence: Mapped[float]
    """Mean pairwise cosine similarity of its faces, −1 to 1."""
    representative_face_id: Mapped[uuid.UUID] = mapped_column(Uuid)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class FaceInstance(Base):
    """One face found in one photo. Its embedding is the Qdrant point ``qdrant_point_id``."""

    __tablename__ = "face_instances"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    asset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("image_assets.id"))
    position: Mapped[int]
    """Left to right in the photo, from 0."""
    qdrant_point_id: Mapped[uuid.UUID] = mapped_column(Uuid, unique=True)
    box_x: Mapped[float]
    box_y: Mapped[float]
    box_width: Mapped[float]
    box_height: Mapped[float]
    landmarks: Mapped[list[list[float]]] = mapped_column(JSON)
    detection_confidence: Mapped[float]
    quality_score: Mapped[float]
    quality_parts: Mapped[dict[str, Any]]
    cluster_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("clusters.id"), index=True)
    person_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("persons.id"), index=True)
    payload_version: Mapped[int] = mapped_column(default=0)
    """Counts the changes of what Qdrant's payload repeats (person and cluster)."""
    payload_sent: Mapped[int] = mapped_column(default=0)
    """The version that has reached Qdrant; less than ``payload_version`` means: still to be sent."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    __table_args__ = (
        UniqueConstraint("asset_id", "position"),
        Index(
            "ix_face_instances_payload_due",
            "id",
            sqlite_where=text("payload_sent < payload_version"),
            postgresql_where=text("payload_sent < payload_version"),
        ),
    )

    @property
    def box(self) -> Box:
        return Box(self.box_x, self.box_y, self.box_width, self.box_height)
