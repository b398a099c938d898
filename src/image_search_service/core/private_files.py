"""Files and folders that belong to their owner alone, whatever the user's umask is.

Some files of a library are made by others (SQLite, the embedded Qdrant), which take no mode. So the process's
umask is set while a library is open. It counts for all threads; it is set when the first library is opened
and set back when the last one is closed.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

PRIVATE_UMASK: Final = 0o077
PRIVATE_FOLDER: Final = 0o700
PRIVATE_FILE: Final = 0o600


class _Umask:
    """The user's umask, put aside while ``holders`` libraries are open."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.holders = 0
        self.of_user = 0


_umask = _Umask()


@contextmanager
def private_files() -> Iterator[None]:
    """While the block runs, files that this process creates are readable and writable by their owner only."""
    with _umask.lock:
        if _umask.holders == 0:
            _umask.of_user = os.umask(PRIVATE_UMASK)
        _umask.holders += 1
    try:
        yield
    finally:
        with _umask.lock:
            _umask.holders -= 1
            if _umask.holders == 0:
                os.umask(_umask.of_user)


def give_users_mode(path: Path) -> None:
    """Give a file that is not the library's, such as a sidecar, the mode that the user's umask wants."""
    with _umask.lock:
        wanted = 0o666 & ~_umask.of_user if _umask.holders else None
    if wanted is not None:
        path.chmod(wanted)


def make_private_folder(path: Path) -> None:
    """Create a folder that only its owner may enter; an existing empty one gets the same rights.

    A folder with something in it is left as it is; ``image-search doctor`` reports its rights.
    """
    path.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    with suppress(PermissionError):  # somebody else's folder
        if not any(path.iterdir()):
            path.chmod(PRIVATE_FOLDER)


def open_private(name: str, flags: int) -> int:
    """An opener for ``open`` that creates files readable and writable by their owner only."""
    return os.open(name, flags, PRIVATE_FILE)


def is_private(mode: int) -> bool:
    """Whether a file's mode gives rights to its owner only."""
    return mode & PRIVATE_UMASK == 0
