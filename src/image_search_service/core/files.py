"""Writing a file whole or not at all."""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

PARTIAL_PREFIX = ".writing-"
"""What a file is called before it is whole; a killed process leaves such a file behind."""
MOST_BYTES = 200
"""Of the name of such a file; file systems take some 255."""


class FileState(NamedTuple):
    """What tells whether a file is still what it was: as long as all of it is the same, so is the content.

    A program can set the modification time back, but neither the change time nor the inode. Network drives
    may give other inodes each time; so where only these differ, the content has to be compared.

    size: in bytes. modified_ns, changed_ns: nanoseconds since 1970. inode: its lower 63 bits, as databases
    take them.
    """

    size: int
    modified_ns: int
    changed_ns: int
    inode: int

    @classmethod
    def of(cls, status: os.stat_result) -> FileState:
        return cls(status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino & (2**63 - 1))


@contextmanager
def written_whole(path: Path, *, sync: bool = True) -> Iterator[Path]:
    """A path beside ``path`` to write to. When the block ends it gets the name ``path``, replacing a file of
    that name; when the block raises it is removed, and what was at ``path`` stays.

    sync: force the content, and then the name, to the disk, so that they outlast a power cut. Missing folders
    are created. Raises OSError.
    """
    partial = path.with_name(_shortened(f"{PARTIAL_PREFIX}{os.getpid()}-{threading.get_ident()}-{path.name}"))
    if not path.parent.is_dir():
        path.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield partial
        if sync:
            _sync(partial)
        partial.replace(path)
        if sync:
            _sync_folder(path.parent)
    except BaseException:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise


def has_vanished(path: Path) -> bool:
    """Whether nothing is at ``path``, not even a link; not if that cannot be found out."""
    try:
        path.lstat()
    except OSError as error:
        return error.errno in _NOTHING_THERE
    return False


def is_file(path: Path) -> bool:
    """Whether ``path`` is a file. Raises OSError if that cannot be found out; a name that is too long for a
    file is none."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError as error:
        if error.errno in _NOTHING_THERE:
            return False
        raise


def has_content(path: Path) -> bool:
    """Whether ``path`` is a file that is not empty."""
    return is_file(path) and path.stat().st_size > 0


def is_folder(path: Path) -> bool:
    """Whether ``path`` is seen to be a folder."""
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except OSError:
        return False


_NOTHING_THERE = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG)


def _shortened(name: str) -> str:
    """At most ``MOST_BYTES`` of a name: file systems count bytes."""
    return os.fsencode(name)[:MOST_BYTES].decode("utf-8", "ignore")


def _sync(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Windows cannot open a folder, and needs no such call."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
