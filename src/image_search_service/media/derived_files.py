"""Lists the thumbnails and crops on the disk."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from image_search_service.core.errors import UnavailableError
from image_search_service.core.files import PARTIAL_PREFIX
from image_search_service.core.paths import PICTURE_SUFFIX

_FOLDER = re.compile(r"[0-9a-f]{2}")
_WHOLE = re.compile(r"([0-9a-f]{32})" + re.escape(PICTURE_SUFFIX))
_PARTIAL = re.compile(re.escape(PARTIAL_PREFIX) + r"\d+-\d+-[0-9a-f]{32}" + re.escape(PICTURE_SUFFIX))
"""The prefix of files that ``written_whole`` has not finished."""


@dataclass(frozen=True, slots=True)
class DerivedFile:
    """A file that this program made.

    item_id: the id of its photo or face. is_stray: the file cannot be found by its id (half written, or in
    the wrong folder); its item_id is then the smallest id of its folder. is_empty: a power cut can leave an
    empty file.
    """

    path: Path
    item_id: UUID
    is_stray: bool
    is_empty: bool


def derived_files(root: Path) -> Iterator[DerivedFile]:
    """The program's files below ``root``, by id, one of the 256 folders in memory at a time.

    Files of other programs are skipped. Raises UnavailableError if a folder cannot be read.
    """
    for folder in sorted(_folders(root)):
        yield from _in_folder(folder)


def remove_file(path: Path) -> None:
    """Remove a file if it exists. Raises UnavailableError."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise _unavailable(path, "removed", error) from error


def remove_half_written(root: Path) -> None:
    """Remove what a killed run had begun to write below ``root``. Only for a run that has the turn, so that
    nobody else writes there. Raises UnavailableError."""
    for folder in _folders(root):
        for path in folder.glob(f"{PARTIAL_PREFIX}*"):
            if _PARTIAL.fullmatch(path.name):
                remove_file(path)


def is_whole(path: Path) -> bool:
    """Whether the file exists, is not empty, and can be looked at."""
    try:
        return path.stat().st_size > 0
    except OSError:
        return False


def _in_folder(folder: Path) -> list[DerivedFile]:
    try:
        with os.scandir(folder) as entries:
            files = [_derived(entry, folder.name) for entry in entries]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise _unavailable(folder, "read", error) from error
    return sorted((file for file in files if file is not None), key=lambda file: file.item_id)


def _derived(entry: os.DirEntry[str], folder: str) -> DerivedFile | None:
    whole = _WHOLE.fullmatch(entry.name)
    if whole is None and not _PARTIAL.fullmatch(entry.name):
        return None
    try:
        if not entry.is_file():
            return None
        size = entry.stat().st_size
    except FileNotFoundError:  # gone since the folder was listed
        return None
    except OSError:  # as good as empty: its place can be written anew
        size = 0
    is_stray = whole is None or not entry.name.startswith(folder)
    item = folder.ljust(32, "0") if whole is None or is_stray else whole[1]
    return DerivedFile(Path(entry.path), UUID(item), is_stray, size == 0)


def _folders(root: Path) -> list[Path]:
    try:
        return [folder for folder in root.iterdir() if _FOLDER.fullmatch(folder.name) and folder.is_dir()]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise _unavailable(root, "read", error) from error


def _unavailable(path: Path, what: str, error: OSError) -> UnavailableError:
    return UnavailableError(
        f"{path} cannot be {what}: {error.strerror}.",
        hint="Give access to the library's folder, then run the same command again.",
    )
