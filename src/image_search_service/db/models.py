"""The tables. SQL is the truth: whatever Qdrant holds besides the embeddings is derived from these rows."""

from __future__ import annotations

import os
import uuid
from datetime import UTC, date, datetime
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
    name_key: Mapped[str]
    """The name as it is compared: normalised, without regard to case or surrounding space. No two have the
    same who are there."""
    gone: Mapped[bool] = mapped_column(default=False)
    """True for one who was merged into another, or whose making was taken back: kept, and not shown."""
    merged_into: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("persons.id"))
    hidden: Mapped[bool] = mapped_column(default=False)
    birth_date: Mapped[date | None]
    cover_face_id: Mapped[uuid.UUID | None] = mapped_column(Uuid)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    __table_args__ = (
        Index(
            "uq_persons_name_key",
            "name_key",
            unique=True,
            sqlite_where=text("NOT gone"),
            postgresql_where=text("NOT gone"),
        ),
    )


class PersonDifference(Base):
    """Two persons of whom a human has said that they are two. ``person_id`` is the smaller id."""

    __tablename__ = "person_differences"

    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("persons.id"), primary_key=True)
    other_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("persons.id"), primary_key=True)


class FaceDifference(Base):
    """A face of one of two groups of which a human has said that they are different people."""

    __tablename__ = "face_differences"

    difference_id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    """One for each time that somebody said so."""
    face_instance_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("face_instances.id"), primary_key=True, index=True
    )
    side: Mapped[int]
    """0 or 1. A face of one side and a face of the other never go together."""


class Decision(Base):
    """Something a human has said: an event, appended and never changed."""

    __tablename__ = "decisions"

    id: Mapped[int] = mapped_column(primary_key=True)
    """In the order in which they were made."""
    kind: Mapped[str] = mapped_column(String(32))
    actor: Mapped[str] = mapped_column(String(128))
    at: Mapped[datetime] = mapped_column(default=utc_now)
    undoes: Mapped[int | None] = mapped_column(ForeignKey("decisions.id"), index=True)
    """The decision that this one takes back."""
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What it was said about beside the facts that it changed, such as a cluster."""


class DecisionChange(Base):
    """One fact that a decision has changed (``core/decisions.py``)."""

    __tablename__ = "decision_changes"

    id: Mapped[int] = mapped_column(primary_key=True)
    decision_id: Mapped[int] = mapped_column(ForeignKey("decisions.id"), index=True)
    fact: Mapped[str] = mapped_column(String(32))
    subject_id: Mapped[uuid.UUID] = mapped_column(Uuid)
    other_id: Mapped[uuid.UUID | None] = mapped_column(Uuid)
    old: Mapped[Any] = mapped_column(JSON(none_as_null=True), nullable=True)
    new: Mapped[Any] = mapped_column(JSON(none_as_null=True), nullable=True)

    __table_args__ = (Index("ix_decision_changes_subject", "subject_id", "fact"),)


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
    recognizable: Mapped[bool] = mapped_column(default=True)
    """False for a face that cannot be told from others; it is kept and shown, but no job groups it."""
    is_face: Mapped[bool] = mapped_column(default=True)
    """False where a human has said that it is none."""
    cluster_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("clusters.id"), index=True)
    group_id: Mapped[uuid.UUID | None] = mapped_column(Uuid)
    """The cluster that a human put it into: no job takes it out. Null for all others, and for the named."""
    person_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("persons.id"), index=True)
    assigned_by: Mapped[str | None] = mapped_column(String(16))
    """Who gave it to the person, ``human`` or ``machine``; null while it has none."""
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


class PersonPrototype(Base):
    """A face chosen to stand for a person in searches."""

    __tablename__ = "person_prototypes"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("persons.id"), index=True)
    face_instance_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("face_instances.id"))
    role: Mapped[str] = mapped_column(String(16))
    """primary, exemplar, temporal or fallback."""
    pinned: Mapped[bool] = mapped_column(default=False)
    """True for one that a human chose; no job takes it away."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    __table_args__ = (UniqueConstraint("person_id", "face_instance_id"),)


class PersonCentroid(Base):
    """A person's trimmed mean embedding; its id is that of its point in the collection of centroids."""

    __tablename__ = "person_centroids"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("persons.id"))
    state: Mapped[str] = mapped_column(String(16))
    """building, active or retired. A person has at most one that is active."""
    algorithm_version: Mapped[int]
    faces: Mapped[int]
    """How many faces the person had."""
    faces_used: Mapped[int]
    """How many of them the trimmed mean is of."""
    source_hash: Mapped[str] = mapped_column(String(64))
    """Of the ids of the faces it was computed from: another set of faces makes it stale."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    __table_args__ = (
        Index(
            "uq_person_centroids_active",
            "person_id",
            unique=True,
            sqlite_where=text("state = 'active'"),
            postgresql_where=text("state = 'active'"),
        ),
    )


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
    """Whose centroid the face resembles most beside the person's; null if nobody else has one."""
    second_similarity: Mapped[float | None]
    margin: Mapped[float | None]
    """How much more it resembles the person's own centroid; null if the person has none."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    reviewed_at: Mapped[datetime | None]

    __table_args__ = (
        Index(
            "uq_face_suggestions_pending",
            "face_instance_id",
            "person_id",
            unique=True,
            sqlite_where=text("state = 'pending'"),
            postgresql_where=text("state = 'pending'"),
        ),
        Index("ix_face_suggestions_face_person", "face_instance_id", "person_id"),
    )


class Job(Base):
    """Something to be done in the background, what has become of it, and how far it is."""

    __tablename__ = "jobs"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    kind: Mapped[str] = mapped_column(String(64))
    parameters: Mapped[dict[str, Any]]
    key: Mapped[str] = mapped_column(String(64))
    """Equal for jobs that would do the same: one of them at a time waits or runs."""
    state: Mapped[str] = mapped_column(String(16))
    """queued, running, succeeded, failed or cancelled."""
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int | None]
    counts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What it found and did, by name."""
    error: Mapped[str | None]
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    attempts: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    heartbeat_at: Mapped[datetime | None]
    """When its worker last said that it lives; one that has not for long was killed."""

    __table_args__ = (
        Index(
            "uq_jobs_active_key",
            "key",
            unique=True,
            sqlite_where=text("state IN ('queued', 'running')"),
            postgresql_where=text("state IN ('queued', 'running')"),
        ),
        Index("ix_jobs_created_at", "created_at", "id"),
    )
