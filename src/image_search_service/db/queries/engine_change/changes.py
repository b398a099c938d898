"""Moves of a library from one engine to another: one at a time, each a row that is kept."""

from __future__ import annotations

import uuid
from collections.abc import Mapping

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from image_search_service.core.types import EngineIdentity
from image_search_service.db.models import EngineChange, LibraryRow, StagedFace, StagedPhoto, utc_now


def unfinished_change(session: Session) -> EngineChange | None:
    """The move that has begun and not ended, if there is one."""
    return session.scalar(select(EngineChange).where(EngineChange.finished_at.is_(None)))


def begin_change(
    session: Session, former: EngineIdentity, target: EngineIdentity, files: Mapping[str, str]
) -> EngineChange:
    """Record that the library is to be moved to another engine. files: as in ``LibraryRow.engine_files``."""
    change = EngineChange(
        former_name=former.name,
        former_checksum=former.checksum,
        former_dimension=former.dimension,
        engine_name=target.name,
        engine_checksum=target.checksum,
        dimension=target.dimension,
        engine_files=dict(files),
    )
    session.add(change)
    session.flush()
    return change


def bind_to_new_engine(session: Session, change: EngineChange) -> None:
    """From now on the library belongs to the new engine, and its faces have to be grouped again."""
    session.execute(
        update(LibraryRow).values(
            engine_name=change.engine_name,
            engine_checksum=change.engine_checksum,
            dimension=change.dimension,
            engine_files=change.engine_files,
            grouping_stale=True,
            faces_at_full_grouping=0,
        )
    )
    session.execute(update(EngineChange).where(EngineChange.id == change.id).values(applied_at=utc_now()))
    clear_staging(session)


def finish_change(session: Session, change_id: int) -> None:
    """Nothing of the former engine (or of a move that was given up) is left."""
    session.execute(update(EngineChange).where(EngineChange.id == change_id).values(finished_at=utc_now()))


def clear_staging(session: Session) -> None:
    session.execute(delete(StagedFace))
    session.execute(delete(StagedPhoto))


def new_face_id(asset_id: uuid.UUID, change_id: int, position: int) -> uuid.UUID:
    """The id of a face that only the new engine finds: follows from the photo, and was never used before."""
    return uuid.uuid5(asset_id, f"face {position} of engine change {change_id}")
