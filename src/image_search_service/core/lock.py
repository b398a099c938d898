"""One process at a time: an advisory lock on a library's folder that names who holds it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import TracebackType

from filelock import lock_descriptor

from image_search_service.core.errors import LibraryInUseError

HOLDER_AT = 1
"""Where the holder's name begins in the file: Windows locks the byte before it against readers, too."""


class LibraryLock:
    """Holds ``path`` locked until ``release``; the system releases it if the process dies.

    address: the holder's HTTP address, if it is a service; the error of a refused process names it.
    Raises LibraryInUseError, naming the holder's process, when another process has it.
    """

    def __init__(self, path: Path, address: str | None = None) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Unbuffered: a buffer would read, and on Windows fail to read, the locked byte.
        self._file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o666), "r+b", buffering=0)
        if not lock_descriptor(self._file.fileno(), blocking=False):
            holder, answers = self._read_holder()
            self._file.close()
            raise LibraryInUseError(path.parent, holder, address=answers or None)
        self._write_holder(address)

    def _read_holder(self) -> tuple[str, str]:
        """The holder's process id and command, and its address or ""."""
        self._file.seek(HOLDER_AT)
        holder, _, answers = self._file.read().decode(errors="replace").strip().partition("\n")
        return holder, answers

    def _write_holder(self, address: str | None) -> None:
        command = " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]).replace("\n", " ")
        holder = f"{os.getpid()} {command}".strip() + (f"\n{address}" if address else "")
        self._file.truncate(HOLDER_AT)
        self._file.seek(HOLDER_AT)
        self._file.write(holder.encode(errors="replace"))

    def release(self) -> None:
        """Let the next process in. The file stays: deleting it would race with one that opens it."""
        self._file.close()

    def __enter__(self) -> LibraryLock:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()
