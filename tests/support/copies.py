"""Copies of a library's folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def copy_library(library: Path, target: Path, **options: Any) -> Path:
    """A copy of a library's folder, without the holes in its files: the embedded engine makes files of 32 MB,
    of which a small library fills a few pages. options: of ``shutil.copytree``."""
    return Path(shutil.copytree(library, target, copy_function=_copy_written, **options))


def _copy_written(source: str, target: str) -> None:
    """Copy what was written to a file, and leave holes where nothing was."""
    with Path(source).open("rb") as given, Path(target).open("wb") as made:
        size = os.fstat(given.fileno()).st_size
        made.truncate(size)
        for start, end in _written_parts(given.fileno(), size):
            os.pwrite(made.fileno(), os.pread(given.fileno(), end - start, start), start)
    shutil.copystat(source, target)


def _written_parts(file: int, size: int) -> Iterator[tuple[int, int]]:
    end = 0
    while end < size:
        try:
            start = os.lseek(file, end, os.SEEK_DATA)
        except OSError:  # nothing was written after this
            return
        end = os.lseek(file, start, os.SEEK_HOLE)
        yield start, end
