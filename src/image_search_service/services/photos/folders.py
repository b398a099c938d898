"""Lists folders on the disk, within the allowed roots, to choose those whose photos are indexed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from image_search_service.core.errors import InvalidInputError, NotFoundError
from image_search_service.core.files import has_vanished, is_folder
from image_search_service.core.records.photos import FolderListingRecord, FolderRecord
from image_search_service.media.formats import is_photo_name
from image_search_service.media.scan import JUNK_FOLDERS

MOST_FOLDERS: Final = 1_000
"""Folders that are listed of one."""
MOST_ENTRIES: Final = 2_000
"""Entries of a folder that are looked at to count its photos."""
ROOTS_HINT: Final = "IMAGE_SEARCH_PHOTO_ROOTS says below which folders photos may be indexed from a page."


class FolderService:
    """Looks into folders below ``roots``. Links that lead out of these are not followed."""

    def __init__(self, roots: Sequence[Path]) -> None:
        self._roots = [Path(os.path.realpath(root)) for root in roots]

    def listing(self, path: Path | None) -> FolderListingRecord:
        """The folders in ``path``, by name, without hidden ones; None: those that may be looked into.

        Raises NotFoundError for a folder that is not there or may not be looked into.
        """
        if path is None:
            roots = [_counted(root) for root in self._roots if is_folder(root)]
            return FolderListingRecord(None, None, roots, self._roots)
        folder = self._allowed(path)
        if folder is None or not is_folder(folder):
            raise NotFoundError(f"{path} is no folder that may be looked into.", hint=ROOTS_HINT)
        parent = None if folder in self._roots else folder.parent
        return FolderListingRecord(folder, parent, self._inside(folder), self._roots)

    def checked(
        self,
        paths: Sequence[Path],
        is_known: Callable[[Path], bool],
        *,
        of_library: Sequence[Path] = (),
        anywhere: bool = False,
    ) -> list[Path]:
        """Folders or photos that may be indexed, with their real paths. Raises InvalidInputError.

        is_known: whether the library has files at or below a path, which then need not be there any more.
        of_library: its folders; they, and what is below them, may be indexed again wherever they are, by the
        paths that it knows. anywhere: not only below the roots.
        """
        checked: list[Path] = []
        for path in paths:
            is_of_library = _is_below(path, of_library)
            allowed = self._allowed(path, anywhere=anywhere or is_of_library)
            if allowed is None:
                raise InvalidInputError(f"{path} may not be indexed from here.", hint=ROOTS_HINT)
            allowed = path if is_of_library else allowed
            if has_vanished(allowed) and not is_known(allowed):
                raise InvalidInputError(
                    f"{path} does not exist.", hint="Give a folder of photos, or a photo."
                )
            checked.append(allowed)
        return checked

    def _allowed(self, path: Path, *, anywhere: bool = False) -> Path | None:
        """The real path, or None if it is not below a root. Raises InvalidInputError for no path."""
        try:
            real = path.resolve()
        except (OSError, ValueError, RuntimeError) as error:
            raise InvalidInputError(f"{str(path)!r} is no path: {error}.") from error
        is_inside = path.is_absolute() and (
            anywhere or any(real.is_relative_to(root) for root in self._roots)
        )
        return real if is_inside else None

    def _inside(self, folder: Path) -> list[FolderRecord]:
        try:
            with os.scandir(folder) as entries:
                names = sorted(entry.name for entry in entries if _is_shown(entry))
        except OSError as error:
            raise NotFoundError(
                f"{folder} cannot be looked into: {error.strerror}.", hint="Choose another folder."
            ) from error
        return [_counted(folder / name) for name in names[:MOST_FOLDERS]]


def _is_below(path: Path, folders: Sequence[Path]) -> bool:
    is_plain = path.is_absolute() and ".." not in path.parts
    return is_plain and any(path.is_relative_to(folder) for folder in folders)


def _is_shown(entry: os.DirEntry[str]) -> bool:
    if entry.name.startswith(".") or entry.name.lower() in JUNK_FOLDERS:
        return False
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False


def _counted(folder: Path) -> FolderRecord:
    return FolderRecord(folder, sum(is_photo_name(name) for name in _names(folder)))


def _names(folder: Path) -> Iterator[str]:
    """Names in a folder, at most ``MOST_ENTRIES``; none of one that may not be read."""
    try:
        with os.scandir(folder) as entries:
            for _, entry in zip(range(MOST_ENTRIES), entries, strict=False):
                yield entry.name
    except OSError:
        return
