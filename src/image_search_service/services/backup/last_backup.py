"""Remembers in the library's folder of which moment the last backup is, and in which file: one that is too
old is noticed, and embeddings that are lost come from it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from uuid import UUID

from image_search_service.core.errors import ImageSearchError
from image_search_service.core.files import written_whole
from image_search_service.core.logging import get_logger
from image_search_service.core.paths import LibraryPaths
from image_search_service.core.private_files import open_private
from image_search_service.core.types import FloatArray
from image_search_service.library.engine import identity_of
from image_search_service.library.stores import Stores
from image_search_service.services.backup import archive

log = get_logger(__name__)


def note_backup(paths: LibraryPaths, created_at: str, file: Path) -> None:
    """A whole backup of this moment (ISO 8601, with its zone) has been written to ``file``."""
    with (
        written_whole(paths.last_backup) as partial,
        open(partial, "xb", opener=open_private) as note,
    ):
        note.write(f"{created_at}\n".encode("ascii") + os.fsencode(file) + b"\n")


def last_backup(paths: LibraryPaths) -> datetime | None:
    """The moment of the last backup; None if none was made, or what is written there is no moment."""
    try:
        return datetime.fromisoformat(_noted(paths)[0].decode("ascii"))
    except ValueError:
        return None


def last_backup_file(paths: LibraryPaths) -> Path | None:
    """Where the last backup was written to, if it is still there."""
    file = Path(os.fsdecode(_noted(paths)[1]))
    return file if file.is_absolute() and file.is_file() else None


def _noted(paths: LibraryPaths) -> tuple[bytes, bytes]:
    try:
        moment, _, file = paths.last_backup.read_bytes().strip().partition(b"\n")
    except FileNotFoundError:
        return b"", b""
    return moment, file


def embeddings_of_last_backup(stores: Stores) -> Iterator[tuple[list[UUID], FloatArray]]:
    """The embeddings in the last backup of this library, in parts; none if it is not there, is damaged, or
    is of another engine. A face's embedding never changes."""
    file = last_backup_file(stores.paths)
    if file is None:
        return
    try:
        manifest, row = archive.verified(file), stores.binding.require_row()
    except ImageSearchError as error:
        log.warning("The last backup cannot be used", file=str(file), error=error.message)
        return
    if (manifest.engine, manifest.library) != (identity_of(row), row.uid):
        return
    for member in archive.members(file):
        if member.name.startswith("embeddings/"):
            yield archive.embeddings_from_bytes(member.content, manifest.engine.dimension)
