"""Remembers in the library's folder of which moment the last backup is: one that is too old is noticed."""

from __future__ import annotations

from datetime import datetime

from image_search_service.core.files import written_whole
from image_search_service.core.paths import LibraryPaths
from image_search_service.core.private_files import open_private


def note_backup(paths: LibraryPaths, created_at: str) -> None:
    """A whole backup of this moment (ISO 8601, with its zone) has been written."""
    with (
        written_whole(paths.last_backup) as partial,
        open(partial, "x", encoding="ascii", opener=open_private) as file,
    ):
        file.write(f"{created_at}\n")


def last_backup(paths: LibraryPaths) -> datetime | None:
    """The moment of the last backup; None if none was made, or what is written there is no moment."""
    try:
        return datetime.fromisoformat(paths.last_backup.read_text(encoding="ascii").strip())
    except (FileNotFoundError, ValueError):
        return None
