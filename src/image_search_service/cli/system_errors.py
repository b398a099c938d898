"""What the system refuses a command, in words: rights, room, memory."""

from __future__ import annotations

import errno
import os
import re
from typing import Final, NamedTuple


class SystemTrouble(NamedTuple):
    """message: what was refused, and where. hint: what to do."""

    message: str
    hint: str


_RIGHTS: Final = (
    "See whose it is, and whether you may write there: a library's folder has to be writable for whoever "
    "runs a command on it."
)
_ROOM: Final = "Make room there; what was stored is kept, and the same command goes on from there."
_HINTS: Final = {
    errno.EACCES: _RIGHTS,
    errno.EPERM: _RIGHTS,
    errno.EROFS: "That file system can only be read; a library needs one that can be written.",
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
    errno.EMFILE: "Let this process open more files (`ulimit -n`).",
    errno.ENFILE: "The whole system has too many files open; close some programs.",
    errno.EIO: "The disk or its connection fails; see to it before anything else.",
}
_NO_MEMORY: Final = SystemTrouble(
    "There is not enough memory for this.",
    "Close other programs, or allow the process more (`ulimit -v`, a container's limit); a smaller --memory "
    "and IMAGE_SEARCH_WORKERS=1 need less.",
)
_OF_MEMORY: Final = re.compile("failed to map segment|[Cc]annot allocate memory|can't start new thread")
"""How the loader of libraries and the maker of threads say it."""


def system_trouble(error: Exception) -> SystemTrouble | None:
    """What the system refused; None for an error that is none of its."""
    if isinstance(error, MemoryError) or _OF_MEMORY.search(str(error)):
        return _NO_MEMORY
    if not isinstance(error, OSError) or error.errno not in _HINTS:
        return None
    return SystemTrouble(f"{_place(error)}: {error.strerror}.", _HINTS[error.errno])


def _place(error: OSError) -> str:
    if error.filename is None:
        return "The system"
    return os.fsdecode(error.filename) if isinstance(error.filename, bytes) else str(error.filename)
