"""Finds files and folders of the library that other users of the machine may read or write."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from image_search_service.core.paths import LibraryPaths
from image_search_service.core.private_files import PRIVATE_FILE, PRIVATE_FOLDER, is_private
from image_search_service.services.doctor.context import DoctorContext
from image_search_service.services.doctor.findings import DoctorProblem, Kind


class PermissionCheck:
    """One pass through everything in the library's folder that is the library's; nothing is read of it."""

    def __init__(self, context: DoctorContext, paths: LibraryPaths) -> None:
        self._context = context
        self._report = context.report
        self._paths = paths

    def run(self) -> None:
        """A look at each file's mode, and no statement. Links below the folder are not followed."""
        for path in self._paths.parts():
            self._examine(path)
            if path != self._paths.root:
                for below in _everything_below(path):
                    self._examine(below)

    def _examine(self, path: Path) -> None:
        mode = _mode(path)
        if mode is None or is_private(mode):
            return
        self._report.add([DoctorProblem(Kind.OPEN_TO_OTHERS, f"{path} ({mode & 0o777:03o})")])
        if self._context.repair:
            self._close(path, mode)

    def _close(self, path: Path, mode: int) -> None:
        try:
            path.chmod(PRIVATE_FOLDER if stat.S_ISDIR(mode) else PRIVATE_FILE)
        except OSError as error:
            self._report.give_up(Kind.OPEN_TO_OTHERS, f"{path}: {error.strerror}")
            return
        after = _mode(path)
        if after is None or is_private(after):
            self._report.repair(Kind.OPEN_TO_OTHERS, 1)
        else:
            self._report.give_up(Kind.OPEN_TO_OTHERS, f"{path}: its file system does not keep such rights")


def _mode(path: Path) -> int | None:
    """None for what is gone by now."""
    try:
        return path.stat().st_mode
    except FileNotFoundError:
        return None


def _everything_below(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(parent, name)
            if not path.is_symlink():
                yield path
