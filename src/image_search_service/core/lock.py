"""One process at a time: an advisory lock on a library's folder that names who holds it."""

from __future__ import annotations

import fcntl
import os
import sys
from pathlib import Path
from types import TracebackType
from typing import IO

from image_search_service.core.errors import LibraryInUseError


class LibraryLock:
    """Holds ``path`` locked until ``release``; the kernel releases it if the process dies.

    address: where the holder answers, if it is a service; whoever is refused is told.
    Raises LibraryInUseError, naming the holder's process, when another process has it.
    """

    def __init__(self, path: Path, address: str | None = None) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: IO[str] = path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.seek(0)
            holder, _, answers = self._file.read().strip().partition("\n")
            self._file.close()
            raise LibraryInUseError(path.parent, holder, address=answers or None) from None
        self._write_holder(address)

    def _write_holder(self, address: str | None) -> None:
        command = " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]).replace("\n", " ")
        self._file.truncate(0)
        self._file.write(f"{os.getpid()} {command}".strip() + (f"\n{address}" if address else ""))
        self._file.flush()

    def release(self) -> None:
        """Let the next process in. The file stays: deleting it would race with one that opens it."""
        self._file.close()

    def __enter__(self) -> LibraryLock:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
