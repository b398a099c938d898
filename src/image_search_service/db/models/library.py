"""The library's own row."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import JSON
from sqlalchemy.orm import Mapped, mapped_column

from image_search_service.db.models.base import Base, utc_now
from image_search_service.db.models.tokens import STAYS_HERE


class LibraryRow(Base):
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
    faces: Mapped[int] = mapped_column(default=0)
    """How many there are, those of replaced photos among them: kept by triggers (``db/models/kept/``)."""
    named_faces: Mapped[int] = mapped_column(default=0)
    """How many have a person, but for those of replaced photos; kept likewise."""
    alone_faces: Mapped[int] = mapped_column(default=0)
    """How many are unknown and in no group, but for those of replaced photos; kept likewise."""
    photos: Mapped[int] = mapped_column(default=0)
    """How many are listed; kept likewise."""
    changes: Mapped[int] = mapped_column(default=0)
    """Counts the changes of whose faces are whose (``db/models/kept/``)."""
    grouping_stale: Mapped[bool] = mapped_column(default=True)
    """True from the moment faces were added until they have been grouped."""
    faces_at_full_grouping: Mapped[int] = mapped_column(default=0)
    """How many faces the last grouping of all unnamed faces compared; 0: the next one compares all."""
    grown: Mapped[bool] = mapped_column(default=False)
    """True from the moment new faces were put to what they resemble until all are compared again."""
    groupings: Mapped[int] = mapped_column(default=0)
    """Counts the groupings, of some faces or of all."""
    grouping: Mapped[dict[str, Any] | None]
    """What the user chose for the last grouping: method and smallest size of a cluster."""
    calibration: Mapped[dict[str, Any] | None]
    """What ``image-search calibrate`` measured for this library; None: the engine's own numbers are used."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class StoreMarksRow(Base):
    """One row: by which marks the library's other stores are recognised as its own (``library/marks.py``)."""

    __tablename__ = "store_marks"
    __table_args__ = ({"info": {STAYS_HERE: True}},)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    marks: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    """The newest last. Those before it may be in stores that a process which died did not reach."""


class TurnRow(Base):
    """What only one process at a time may do, on a database server: ``Database.turn``."""

    __tablename__ = "turns"
    __table_args__ = ({"info": {STAYS_HERE: True}},)

    what: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int]
    """How often it was begun. Whoever began it last has the turn; each of their transactions looks here."""
