"""Backups by schedule: one a night into a folder, of which some are kept."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from image_search_service.core.types import JsonObject, Progress
from image_search_service.db.models import utc_now
from image_search_service.library.stores import Stores
from image_search_service.services.backup.archive import write_file
from image_search_service.services.backup.last_backup import note_backup
from image_search_service.services.backup.service import BackupService

DAILY: Final = 7
WEEKLY: Final = 4
_STAMP: Final = "%Y%m%dT%H%M%SZ"
_NAME: Final = re.compile(r"library-(\d{8}T\d{6}Z)\.tar")


def back_up(stores: Stores, folder: Path, progress: Progress | None = None) -> JsonObject:
    """Write a backup, which is read again before it gets its name, and remove those that are not kept.

    Raises UnavailableError, DamagedDatabaseError; then every older one stays.
    """
    path = folder / f"library-{utc_now().strftime(_STAMP)}.tar"
    service = BackupService(stores)
    manifest = write_file(path, service.stream(progress=progress), room=service.room())
    note_backup(stores.paths, manifest.created_at, path)
    there = backups_in(folder)
    removed = there.keys() - kept(there)
    for moment in removed:
        there[moment].unlink(missing_ok=True)
    return {"file": str(path), "counts": manifest.counts, "removed": len(removed)}


def backups_in(folder: Path) -> dict[datetime, Path]:
    """The backups that a schedule wrote there, by their moment; other files are nobody's business."""
    named = ((path, _NAME.fullmatch(path.name)) for path in folder.iterdir())
    return {
        datetime.strptime(name[1], _STAMP).replace(tzinfo=UTC): path
        for path, name in named
        if name is not None
    }


def kept(moments: Iterable[datetime], *, daily: int = DAILY, weekly: int = WEEKLY) -> set[datetime]:
    """The newest of each of the last ``daily`` days and ``weekly`` weeks that have one: none goes by age
    alone."""
    newest_first = sorted(moments, reverse=True)
    by_day: dict[Hashable, datetime] = {}
    by_week: dict[Hashable, datetime] = {}
    for moment in newest_first:
        by_day.setdefault(moment.date(), moment)
        by_week.setdefault(moment.isocalendar()[:2], moment)
    return {*list(by_day.values())[:daily], *list(by_week.values())[:weekly]}
