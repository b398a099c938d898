"""Finds photos below folders.

Folders are walked with a list instead of recursion, so that no tree is too deep. Names are sorted, so that
two runs see the same order; names that are not valid Unicode are kept. Each folder is visited once, by device
and inode, so that symbolic links cause neither loops nor duplicates. Linked folders come last: a photo that
can be reached without a link has its real path.

Skipped are the library's own folder, folders whose name begins with a dot (caches, bins, hidden folders), and
folders of thumbnails that storage devices leave behind; and what the library's folders leave out
(``media/excluding.py``). A single file that is asked for is taken all the same.
"""

from __future__ import annotations

import os
import stat
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from image_search_service.core.errors import InvalidInputError
from image_search_service.core.files import FileState, has_vanished, is_folder
from image_search_service.media.excluding import Excludes
from image_search_service.media.formats import is_photo_name, without_raws_of_photos

JUNK_FOLDERS = frozenset(
    {
        "@eadir",  # Synology's thumbnails
        "#recycle",  # Synology's bin
        "@recycle",  # QNAP's bin
        "$recycle.bin",  # Windows' bin
        "system volume information",  # Windows
        "lost+found",
        "__macosx",  # what macOS leaves in archives
    }
)
"""In lower case."""

_BROKEN_LINK = "What the link points to is not there."


@dataclass(frozen=True, slots=True)
class FoundFile:
    """A file that is a photo by its name."""

    path: Path
    state: FileState


class PhotoScan:
    """The photos below ``roots``, folders or single files (which are taken whatever their name is).

    Iterate over it once. Afterwards ``ignored`` is the number of files whose name is not a photo's, and
    ``unread`` has the paths that could not be read, each with its reason. ``excludes`` has what was left out.

    Raises InvalidInputError for a root that does not exist or is neither a folder nor a file.
    """

    def __init__(
        self, roots: Sequence[Path], *, exclude: Sequence[Path] = (), excludes: Excludes | None = None
    ) -> None:
        self.roots = [_absolute(root) for root in roots]
        self.excludes = excludes or Excludes({})
        self.ignored = 0
        self.unread: list[tuple[Path, str]] = []
        self._visited = {_identity(path) for path in exclude if is_folder(path)}
        self._linked: deque[str] = deque()
        self._single = {os.fspath(root) for root in self.roots if _is_file(root)}

    def __iter__(self) -> Iterator[FoundFile]:
        for file in sorted(self._single):
            yield from self._file(file)
        for root in self.roots:
            if os.fspath(root) not in self._single:
                yield from self._tree(os.fspath(root))
        while self._linked:
            yield from self._tree(self._linked.popleft())

    def _tree(self, top: str) -> Iterator[FoundFile]:
        waiting = [top]
        while waiting:
            folder = waiting.pop()
            files, folders = self._look_into(folder)
            for file in files:
                yield from self._file(file)
            waiting += reversed(folders)

    def _look_into(self, folder: str) -> tuple[list[str], list[str]]:
        """Photos and folders in ``folder``, sorted; linked folders are kept for the end."""
        found: list[str] = []
        folders: list[str] = []
        try:
            if not self._is_first_visit(folder):
                return [], []
            with os.scandir(folder) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
            if not self.excludes.enter(folder, {entry.name for entry in listed if entry.name[0] == "."}):
                return [], []
            for entry in listed:
                self._sort_in(entry, found, folders)
        except OSError as error:
            self.unread.append((Path(folder), _reason(error)))
        names = {path.rpartition(os.sep)[2]: path for path in found}
        files = [names[name] for name in without_raws_of_photos(list(names))]
        self.ignored += len(found) - len(files)
        return files, folders

    def _is_first_visit(self, folder: str) -> bool:
        identity = _identity(Path(folder))
        first = identity not in self._visited
        self._visited.add(identity)
        return first

    def _sort_in(self, entry: os.DirEntry[str], files: list[str], folders: list[str]) -> None:
        if _is_folder(entry):
            if entry.name.startswith(".") or entry.name.lower() in JUNK_FOLDERS:
                return
            if entry.is_symlink():
                self._linked.append(entry.path)
            else:
                folders.append(entry.path)
        elif is_photo_name(entry.name) and not entry.name.startswith("."):
            if entry.path not in self._single and not self.excludes.leaves_out(_folder_of(entry), entry.path):
                files.append(entry.path)
        elif (error := _error_of(entry)) is not None:
            # a link that leads nowhere, perhaps to a drive that is not plugged in, or in a circle
            self.unread.append((Path(entry.path), _reason(error)))
        else:
            self.ignored += 1

    def _file(self, name: str) -> Iterator[FoundFile]:
        path = Path(name)
        try:
            status = path.stat()
        except OSError as error:
            if not has_vanished(path):
                self.unread.append((path, _reason(error)))
            return  # otherwise it has vanished since its folder was read
        if stat.S_ISREG(status.st_mode):
            yield FoundFile(path, FileState.of(status))
        else:
            self.ignored += 1


def _folder_of(entry: os.DirEntry[str]) -> str:
    return entry.path[: -len(entry.name) - 1] or os.sep


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False  # a link in a circle


def _error_of(entry: os.DirEntry[str]) -> OSError | None:
    """Why a link cannot be followed; None for one that can be, and for what is no link."""
    try:
        if entry.is_symlink():
            entry.stat()
    except OSError as error:
        return error
    return None


def _is_file(root: Path) -> bool:
    """True for a file, False for a folder. Raises InvalidInputError for anything else."""
    try:
        mode = root.stat().st_mode
    except OSError as error:
        raise InvalidInputError(
            f"{root} cannot be opened: {_reason(error)}", hint="Give a folder of photos, or a photo."
        ) from error
    if not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):
        raise InvalidInputError(
            f"{root} is neither a folder nor a file.", hint="Give a folder of photos, or a photo."
        )
    return stat.S_ISREG(mode)


def _absolute(path: Path) -> Path:
    """The absolute path of a folder or file; symbolic links stay unless the path has a ``..``."""
    return path.resolve() if ".." in path.parts else path.absolute()


def _identity(path: Path) -> tuple[int, int]:
    status = path.stat()
    return status.st_dev, status.st_ino


def _is_link(name: str | None) -> bool:
    try:
        return stat.S_ISLNK(Path(name or "").lstat().st_mode)
    except OSError:
        return False


def _reason(error: OSError) -> str:
    if isinstance(error, PermissionError):
        return "Permission denied."
    if isinstance(error, FileNotFoundError):
        return _BROKEN_LINK if _is_link(error.filename) else "It does not exist."
    return f"{error.strerror or error}."
