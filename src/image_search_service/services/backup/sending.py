"""A backup that is sent: written to a file first, so that a slow reader holds neither database nor vector
store."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import BinaryIO, Final
from uuid import uuid4

from image_search_service.core.errors import UnavailableError
from image_search_service.library.stores import Stores
from image_search_service.services.backup.archive import write_file
from image_search_service.services.backup.service import BackupService

SENT_AT_ONCE: Final = 2
"""Backups that are made or sent at a time; each takes its size on the library's disk."""
PIECE: Final = 2**20
_slots = threading.BoundedSemaphore(SENT_AT_ONCE)


class SentBackup(Iterator[bytes]):
    """A finished backup in pieces of a megabyte; gone when it was read, or closed.

    size: in bytes. Raises UnavailableError when as many are being sent already, or there is no room for it.
    """

    def __init__(self, stores: Stores, *, pictures: bool) -> None:
        self._file: BinaryIO | None = None
        if not _slots.acquire(blocking=False):
            raise UnavailableError(
                f"{SENT_AT_ONCE} backups are being sent already.",
                hint="Try again when one of them is through.",
            )
        try:
            self._file = _finished(stores, pictures=pictures)
        finally:
            if self._file is None:
                _slots.release()
        self.size = self._file.seek(0, 2)
        self._file.seek(0)

    def __next__(self) -> bytes:
        piece = b"" if self._file is None else self._file.read(PIECE)
        if not piece:
            self.close()
            raise StopIteration
        return piece

    def close(self) -> None:
        """Remove the file and let the next one have the turn; whoever sends it calls this in the end."""
        file, self._file = self._file, None
        if file is not None:
            file.close()
            _slots.release()

    def __del__(self) -> None:
        """For an answer that was never begun."""
        self.close()


def _finished(stores: Stores, *, pictures: bool) -> BinaryIO:
    """The file, open and without a name, so that no crash leaves it behind."""
    path = stores.paths.backups / f"{uuid4().hex}.tar"
    service = BackupService(stores)
    write_file(path, service.stream(pictures=pictures), room=service.room(pictures=pictures))
    try:
        return path.open("rb")
    finally:
        path.unlink()
