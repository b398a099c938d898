"""Persons, with their centroids, prototypes and differences."""

from __future__ import annotations

import uuid
from datetime import date, datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from image_search_service.db.models.base import Base, Uuid, partial_index, utc_now

NO_VERSION = -1
"""Instead of the version of a person's faces: no version is ever equal to it."""


class PersonRow(Base):
    """Somebody with a name."""

    __tablename__ = "persons"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    name: Mapped[str]
    name_key: Mapped[str]
    """The name as it is compared (``core/names.py``). Two people may have the same; ``note`` tells them
    apart."""
    note: Mapped[str | None]
    deleted: Mapped[bool] = mapped_column(default=False)
    """True for one who was merged into another, or whose making was taken back: kept, and not shown."""
    merged_into: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("persons.id"))
    hidden: Mapped[bool] = mapped_column(default=False)
    birth_date: Mapped[date | None]
    cover_face_id: Mapped[uuid.UUID | None] = mapped_column(Uuid)
    faces_version: Mapped[int] = mapped_column(default=0, server_default="0")
    """The number of the last change of who their faces are (``LibraryRow.changes``), written in the same
    transaction and whoever makes it: by triggers (``db/models/kept/``)."""
    faces: Mapped[int] = mapped_column(default=0)
    """How many there are, without those of replaced photos: kept by triggers (``db/models/kept/``)."""
    waiting: Mapped[int] = mapped_column(default=0)
    """How many suggestions can be answered about them: kept by triggers, too."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    __table_args__ = (
        Index("ix_persons_changed", "faces_version", "id", "deleted"),
        partial_index(
            "ix_persons_name_key",
            "name_key",
            "id",
            where="deleted = 0",
            on_postgresql="NOT deleted",
        ),
        # The lists by name, by most faces and by most suggestions; those with as many are sorted by name when
        # they are reached.
        partial_index(
            "ix_persons_by_name",
            "hidden",
            "name_key",
            "id",
            where="deleted = 0",
            on_postgresql="NOT deleted",
        ),
        partial_index(
            "ix_persons_faces",
            "hidden",
            "faces",
            "name_key",
            "id",
            where="deleted = 0",
            on_postgresql="NOT deleted",
        ),
        partial_index(
            "ix_persons_waiting",
            "hidden",
            "waiting",
            "name_key",
            "id",
            where="deleted = 0",
            on_postgresql="NOT deleted",
        ),
        # Few rows: a query over all suggestions learns at once whose do not count.
        partial_index(
            "ix_persons_deleted",
            "deleted",
            "id",
            where="deleted = 1",
            on_postgresql="deleted",
        ),
        partial_index(
            "ix_persons_hidden",
            "hidden",
            "id",
            where="hidden = 1",
            on_postgresql="hidden",
        ),
    )


class PersonDifference(Base):
    """Two persons of whom a human has said that they are two. ``person_id`` is the smaller id."""

    __tablename__ = "person_differences"

    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("persons.id"), primary_key=True)
    other_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("persons.id"), primary_key=True)


class PersonPrototype(Base):
    """A face chosen to stand for a person in searches."""

    __tablename__ = "person_prototypes"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=uuid.uuid4)
    person_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("persons.id"), index=True)
    face_instance_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("face_instances.id"))
    role: Mapped[str] = mapped_column(String(16))
    """primary, exemplar, temporal or fallback."""
    pinned: Mapped[bool] = mapped_column(default=False)
    """True for one that a human chose; jobs do not remove it."""
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
    faces_version: Mapped[int] = mapped_column(default=NO_VERSION)
    """The person's when their faces were last found to be those that it was computed from, so that none of
    them is read to know that it is fresh; ``NO_VERSION`` where some had no embedding."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    compared: Mapped[bool] = mapped_column(default=False)
    """Whether contradictions were looked for with it (``KeptConflict``)."""

    __table_args__ = (
        partial_index(
            "uq_person_centroids_active",
            "person_id",
            unique=True,
            where="state = 'active'",
        ),
    )
