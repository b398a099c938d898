"""Photos, the files that hold them, and runs of indexing."""

from __future__ import annotations

import uuid
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from image_search_service.db.models.base import Base, LocalDateTime, partial_index, utc_now


class IndexRun(Base):
    """One run of indexing; ``finished_at`` stays null if it was interrupted."""

    __tablename__ = "index_runs"

    id: Mapped[int] = mapped_column(primary_key=True)
    started_at: Mapped[datetime] = mapped_column(default=utc_now)
    finished_at: Mapped[datetime | None]


class IndexRoot(Base):
    """A folder, or a single file, that belongs to the library: all of them are indexed when none is named."""

    __tablename__ = "index_roots"

    path: Mapped[Path] = mapped_column(primary_key=True)
    indexed_at: Mapped[datetime | None]
    """When indexing it was last begun; null for one that was only added."""
    excludes: Mapped[list[str]] = mapped_column(JSON, default=list)
    """What is left out of it: lines in gitignore's form, relative to it."""


class ImageAsset(Base):
    """A photo: one content, however many files hold it."""

    __tablename__ = "image_assets"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    content_hash: Mapped[str] = mapped_column(String(64), unique=True)
    format: Mapped[str | None] = mapped_column(String(16))
    width: Mapped[int | None]
    height: Mapped[int | None]
    """Of the upright photo, in pixels."""
    taken_at: Mapped[datetime | None] = mapped_column(LocalDateTime)
    """Local time where the photo was taken, as cameras write it: without a zone."""
    failure: Mapped[str | None]
    """Why the content cannot be read; null for one that can. What may pass is in ``unread_files``."""
    failed_with: Mapped[str | None]
    """The decoders' versions that could not read it: others try again."""
    replaced: Mapped[bool] = mapped_column(default=False)
    """True when no file holds this content: every one that did now holds another (an edited photo's former
    self), or the photo was forgotten. Such a photo is not shown, counted or compared."""
    forgotten: Mapped[bool] = mapped_column(default=False)
    """True when a human left the photo out because no file of it exists any more; it is then ``replaced`` for
    as long as none does."""
    unknown_faces: Mapped[int] = mapped_column(default=0)
    """How many of its faces nobody has named or set aside: kept by triggers (``db/models/kept/``)."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    __table_args__ = (
        # What the list of all photos is read from: in its order, without looking at the rows.
        partial_index(
            "ix_image_assets_shown",
            "taken_at",
            "id",
            "replaced",
            "failure",
            where="failure IS NULL AND replaced = 0",
            on_postgresql="failure IS NULL AND NOT replaced",
        ),
        partial_index(
            "ix_image_assets_unknown",
            "taken_at",
            "id",
            "replaced",
            "failure",
            "unknown_faces",
            where="failure IS NULL AND replaced = 0 AND unknown_faces > 0",
            on_postgresql="failure IS NULL AND NOT replaced AND unknown_faces > 0",
        ),
        # Few rows each, so that a query over all faces learns at once which photos do not count.
        partial_index(
            "ix_image_assets_replaced",
            "replaced",
            "id",
            where="replaced = 1",
            on_postgresql="replaced",
        ),
        partial_index(
            "ix_image_assets_forgotten",
            "forgotten",
            "replaced",
            "id",
            where="forgotten = 1",
            on_postgresql="forgotten",
        ),
        partial_index(
            "ix_image_assets_failed",
            "failure",
            "id",
            where="failure IS NOT NULL",
        ),
    )


class UnreadFile(Base):
    """A file or folder that the last run over it could not read, for a reason that may pass."""

    __tablename__ = "unread_files"

    id: Mapped[int] = mapped_column(primary_key=True)
    path: Mapped[Path] = mapped_column(unique=True)
    reason: Mapped[str]
    noticed_at: Mapped[datetime] = mapped_column(default=utc_now)


class AbsentFolder(Base):
    """A folder, drive or photo that is not there, although files below it are known."""

    __tablename__ = "absent_folders"

    path: Mapped[Path] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(String(8))
    """``away``: it may come back; ``gone``: a human said that it will not."""
    since: Mapped[datetime] = mapped_column(default=utc_now)


def _folder_of(context: Any) -> Path:
    """Of a row that is inserted."""
    path: Path = context.get_current_parameters()["path"]
    return path.parent


class AssetPath(Base):
    """A file that holds (or held, see ``missing_since``) a photo."""

    __tablename__ = "asset_paths"

    id: Mapped[int] = mapped_column(primary_key=True)
    path: Mapped[Path] = mapped_column(unique=True)
    folder: Mapped[Path] = mapped_column(default=_folder_of)
    """The folder that the file is in."""
    asset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("image_assets.id"), index=True)
    size: Mapped[int] = mapped_column(BigInteger)
    modified_ns: Mapped[int] = mapped_column(BigInteger)
    changed_ns: Mapped[int] = mapped_column(BigInteger, default=0)
    """When its name, rights or content last changed: no program can set it back."""
    inode: Mapped[int] = mapped_column(BigInteger, default=0)
    seen_in_run: Mapped[int] = mapped_column(ForeignKey("index_runs.id"))
    missing_since: Mapped[datetime | None]
    """When the file was found to be no more, or to be left out."""
    excluded: Mapped[bool] = mapped_column(default=False)
    """True when the file counts as missing only because excludes leave it out."""

    __table_args__ = (
        partial_index(
            "ix_asset_paths_folder",
            "folder",
            "asset_id",
            "missing_since",
            where="missing_since IS NULL",
        ),
        # What photos are counted by: the present files by photo, and those few that are left out.
        partial_index(
            "ix_asset_paths_present",
            "asset_id",
            "missing_since",
            where="missing_since IS NULL",
        ),
        partial_index(
            "ix_asset_paths_excluded",
            "excluded",
            "asset_id",
            where="excluded = 1",
            on_postgresql="excluded",
        ),
    )


class PersonInFile(Base):
    """A person whom a photo's file names without a place in the picture, as it was last read."""

    __tablename__ = "people_in_files"

    asset_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("image_assets.id"), primary_key=True)
    path: Mapped[Path] = mapped_column(primary_key=True)
    """The photo's file or its sidecar."""
    name_key: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    person_id: Mapped[uuid.UUID | None] = mapped_column(ForeignKey("persons.id"), index=True)
    """Who had this name then; null for one whom the library does not know."""
