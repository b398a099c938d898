"""Faces, their clusters, differences that humans marked between groups of faces, and faces that are lost."""

from __future__ import annotations

import uuid
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from image_search_service.core.types import Box
from image_search_service.db.models.base import Base, LocalDateTime, Uuid, partial_index, utc_now

HAS_PERSON = "person_id IS NOT NULL"
"""The condition of indexes of persons' faces."""


class ClusterRow(Base):
    """Faces that grouping put together and nobody has named yet."""

    __tablename__ = "clusters"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    size: Mapped[int]
    confidence: Mapped[float]
    """Mean pairwise cosine similarity of its faces, −1 to 1."""
    representative_face_id: Mapped[uuid.UUID] = mapped_column(Uuid)
    set_aside: Mapped[bool] = mapped_column(default=False)
    """True while its faces are set aside; all of them are, or none."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    __table_args__ = (Index("ix_clusters_size", "set_aside", "size", "id"),)


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
    """False if a human marked it as no face."""
    by_hand: Mapped[bool] = mapped_column(default=False)
    """True for one that no detector found: a human drew its box, or a named region in the photo's metadata
    gave it. Its box stays as it is."""
    set_aside: Mapped[bool] = mapped_column(default=False)
    """True if a human set it aside as a stranger's."""
    taken_at: Mapped[datetime | None] = mapped_column(LocalDateTime)
    """Its photo's, which follows from the photo's content: so that a person's faces are read in this order,
    and the years of many persons at once, without looking up each photo."""
    cluster_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("clusters.id"))
    grouped: Mapped[bool] = mapped_column(default=False)
    """False until a grouping has compared it with others, and again when it comes back to the unnamed faces
    without a cluster: the next grouping looks where it belongs."""
    group_id: Mapped[uuid.UUID | None] = mapped_column(Uuid)
    """The cluster that a human put it into: no job takes it out. Null for all others, and for the named."""
    person_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("persons.id"))
    assigned_by: Mapped[str | None] = mapped_column(String(16))
    """Who gave it to the person, ``human`` or ``machine``; null while it has none."""
    name_origin: Mapped[str | None] = mapped_column(String(16))
    """Where a human's name comes from, a ``NameOrigin``; null while it has none."""
    repeats: Mapped[bool] = mapped_column(default=False)
    """Whether another face of its person is in its photo and has a smaller id: kept by triggers
    (``db/models/kept/``)."""
    payload_version: Mapped[int] = mapped_column(default=0)
    """Counts the changes of what Qdrant's payload repeats (person, cluster, whether hidden)."""
    payload_sent: Mapped[int] = mapped_column(default=0)
    """The version that has reached Qdrant; less than ``payload_version`` means: still to be sent."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    __table_args__ = (
        UniqueConstraint("asset_id", "position"),
        # What lists of persons, clusters and unnamed faces are sorted and counted by. Each has every column
        # that such a statement asks for, so that no row is looked up for what is only counted or passed over.
        # None has the faces that it says nothing of: else each naming would take its faces from among the
        # many without a person, each from another page of the index.
        partial_index(
            "ix_face_instances_person_taken", "person_id", "taken_at", "id", "asset_id", where=HAS_PERSON
        ),
        partial_index(
            "ix_face_instances_person_quality",
            "person_id",
            "quality_score",
            "id",
            "asset_id",
            where=HAS_PERSON,
        ),
        partial_index("ix_face_instances_person_asset", "person_id", "asset_id", where=HAS_PERSON),
        partial_index(
            "ix_face_instances_cluster_quality",
            "cluster_id",
            "quality_score",
            "id",
            where="cluster_id IS NOT NULL",
        ),
        Index("ix_face_instances_asset_person", "asset_id", "person_id", "is_face", "set_aside"),
        partial_index(
            "ix_face_instances_unnamed",
            "person_id",
            "cluster_id",
            "is_face",
            "set_aside",
            "quality_score",
            "id",
            "asset_id",
            "recognizable",
            where="person_id IS NULL",
        ),
        partial_index(
            "ix_face_instances_ungrouped",
            "person_id",  # without what it is restricted to, SQLite would rather go through all unnamed faces
            "grouped",
            "recognizable",
            "id",
            where="person_id IS NULL AND grouped = 0 AND recognizable = 1",
            on_postgresql="person_id IS NULL AND NOT grouped AND recognizable",
        ),
        partial_index(
            "ix_face_instances_no_face",
            "is_face",
            "quality_score",
            "id",
            "asset_id",
            where="is_face = 0",
            on_postgresql="NOT is_face",
        ),
        partial_index(
            "ix_face_instances_repeats",
            "person_id",
            "asset_id",
            "repeats",
            where="repeats = 1",
            on_postgresql="repeats",
        ),
        partial_index(
            "ix_face_instances_payload_due",
            "id",
            where="payload_sent < payload_version",
        ),
    )

    @property
    def box(self) -> Box:
        return Box(self.box_x, self.box_y, self.box_width, self.box_height)


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


class FaceLoss(Base):
    """A face with a name whose photo is in no file any more, and that was found in no other photo.

    The face, its embedding and its crop stay. Whether the name is still missing is computed on read
    (``db/queries/lost_faces.py``).
    """

    __tablename__ = "lost_faces"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    """One for each time that it was lost."""
    face_instance_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("face_instances.id"), index=True)
    path_id: Mapped[int | None] = mapped_column(ForeignKey("asset_paths.id"), index=True)
    """The file that showed the face and now holds another content; null where the row was made again from the
    events."""
    answered: Mapped[bool] = mapped_column(default=False)
    """True where a human has said which face it is now, or that it is none."""
    lost_at: Mapped[datetime] = mapped_column(default=utc_now)


class NameInFile(Base):
    """The name that a file has for a face, as it was last read there or written there.

    It tells what another program has changed since.
    """

    __tablename__ = "names_in_files"

    face_instance_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("face_instances.id"), primary_key=True)
    path: Mapped[Path] = mapped_column(primary_key=True)
    """The photo's file or its sidecar."""
    state: Mapped[str] = mapped_column(String(64))
    """SHA-256 of the metadata that the name is in."""
    name: Mapped[str]
    name_key: Mapped[str]
    person_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("persons.id"))
    """Who had this name then; null for one whom the library does not know."""
    changed_after: Mapped[int | None]
    """The last decision that there was when the file was found to have another name than before; null for the
    first name that it was found to have, and for what this program wrote."""
