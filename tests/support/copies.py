"""Copies of a library's folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
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


class PutBack:
    """A folder that each test may change, put back as it was made, at the same path: a library knows its
    photos by their paths."""

    def __init__(self, folder: Path, make: Callable[[Path], object]) -> None:
        """Fill the folder, which is not there yet, by ``make``."""
        self._folder, self._kept = folder, folder.with_name(f"{folder.name} kept")
        make(folder)
        copy_library(folder, self._kept)

    def __call__(self) -> Path:
        """The folder as it was made."""
        shutil.rmtree(self._folder, ignore_errors=True)
        return copy_library(self._kept, self._folder)
