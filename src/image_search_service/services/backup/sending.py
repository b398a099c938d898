"""Backups that are sent: a job writes them into the library's folder, and whoever asks is sent the file.

So whoever takes it slowly holds a file, and neither database nor vector store. There are two at most, the
newest with small pictures and the newest without. Each replaces the one before it once it is whole, and goes
when it is a day old.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO, Final

from image_search_service.core.errors import NotFoundError, UnavailableError
from image_search_service.core.files import PARTIAL_PREFIX
from image_search_service.core.paths import LibraryPaths
from image_search_service.core.private_files import make_private_folder
from image_search_service.core.types import JsonObject, Progress
from image_search_service.library.stores import Stores
from image_search_service.services.backup.archive import write_file
from image_search_service.services.backup.service import BackupService

KEPT: Final = timedelta(days=1)
BACKING_UP: Final = "Backing up"
"""The job's step, whose progress is counted in faces."""
TURN: Final = "downloads"
"""Of whoever writes into the folder: what is half written there then was left by a process that is dead."""


def write_backup(stores: Stores, progress: Progress, *, pictures: bool) -> JsonObject:
    """Write the backup that ``open_backup`` opens from then on: its moment, its bytes, its counts.

    progress: told the embeddings, and asked between any two pieces, so that it may end it. What a killed
    process left there is removed first. Raises UnavailableError when there is no room or a store is away,
    DamagedDatabaseError, and NotFoundError for a library in which nothing was indexed; the former one stays.
    """
    told = _Told(progress)
    with stores.database.turn(TURN, told.again):
        make_private_folder(stores.paths.downloads)
        for left in _half_written(stores.paths):
            left.unlink(missing_ok=True)
        path = _place(stores.paths, pictures=pictures)
        service = BackupService(stores)
        stream = service.stream(pictures=pictures, progress=told)
        manifest = write_file(path, stream, room=service.room(pictures=pictures), between=told.again)
        return {
            "created_at": manifest.created_at,
            "bytes": path.stat().st_size,
            "counts": manifest.counts,
        }


def open_backup(paths: LibraryPaths, *, pictures: bool) -> BinaryIO:
    """The file of the last job that ended well, open: it can be read to its end although another replaces it.

    Raises NotFoundError when there is none, UnavailableError when it cannot be read.
    """
    path = _place(paths, pictures=pictures)
    try:
        return path.open("rb")
    except FileNotFoundError as error:
        raise NotFoundError(
            "There is no backup to download.",
            hint="POST /api/v1/backup has one written, as a job; once that has ended, it is here for a day.",
        ) from error
    except OSError as error:
        raise UnavailableError(
            f"{path} cannot be read: {error.strerror}.", hint="Give access to the library's folder."
        ) from error


def remove_old(paths: LibraryPaths) -> None:
    """Remove what is older than a day: backups, and what killed processes left of some. Whoever still reads
    one reads it to its end."""
    oldest = time.time() - KEPT.total_seconds()
    for path in (*paths.downloads.glob("*.tar"), *_half_written(paths)):
        with suppress(OSError):  # another process was quicker, or Windows keeps it for its reader
            if path.stat().st_mtime < oldest:
                path.unlink()


def _place(paths: LibraryPaths, *, pictures: bool) -> Path:
    return paths.downloads / ("library.tar" if pictures else "library-without-pictures.tar")


def _half_written(paths: LibraryPaths) -> Iterator[Path]:
    return paths.downloads.glob(f"{PARTIAL_PREFIX}*")


class _Told:
    """A job's progress, which can be told once more what it was told last: so it ends a job between two
    pieces, whatever they are of."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._last: tuple[int, int | None] = (0, None)

    def __call__(self, done: int, total: int | None) -> None:
        self._last = (done, total)
        self.again()

    def again(self) -> None:
        self._progress(*self._last)
