"""Names of the files in folders, each folder listed once, to find sidecars and whose they are."""

from __future__ import annotations

import os
import re
import threading
import unicodedata
from collections import Counter, OrderedDict
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Final

from image_search_service.core.files import PARTIAL_PREFIX

SUFFIX: Final = ".xmp"
MOST_NAMES: Final = 400_000
"""How many files' names are remembered; the folders asked for longest ago are forgotten first."""


def plain_name(name: str) -> str:
    """A file's name without regard to case and composition, which file systems treat each in its own way."""
    return unicodedata.normalize("NFC", name).casefold()


def stem_of(name: str) -> str:
    """A file's name without its ending, as ``plain_name``."""
    return PurePath(plain_name(name)).stem


_OF_OLDER_VERSIONS: Final = re.compile(r"\..+\.xmp\.\d+\.new")
"""What versions before the first release called a sidecar that they were writing: `.NAME.xmp.PID.new`."""


def _is_half_written(name: str, plain: str) -> bool:
    begun = name.startswith(PARTIAL_PREFIX) and plain.endswith(SUFFIX)
    return begun or _OF_OLDER_VERSIONS.fullmatch(plain) is not None


@dataclass(slots=True)
class FolderNames:
    """The names in one folder. sidecars: by ``plain_name``. others: how many other files have each name, and
    stems: how many have each stem, both by ``plain_name``. half_written: sidecars that a run began to
    write."""

    sidecars: dict[str, list[str]] = field(default_factory=dict)
    others: Counter[str] = field(default_factory=Counter)
    stems: Counter[str] = field(default_factory=Counter)
    half_written: list[str] = field(default_factory=list)
    size: int = 0

    def add(self, name: str) -> None:
        plain = plain_name(name)
        self.size += 1
        if _is_half_written(name, plain):
            self.half_written.append(name)
        elif plain.endswith(SUFFIX):
            self.sidecars.setdefault(plain, []).append(name)
        else:
            self.others[plain] += 1
            self.stems[stem_of(name)] += 1


class Folders:
    """Lists folders, each once while it is remembered: finding the sidecars of n photos reads n names, not n
    times n. Several threads may ask."""

    def __init__(self) -> None:
        self._listed: OrderedDict[Path, FolderNames] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def names(self, folder: Path) -> FolderNames:
        """The names in a folder; none for one that is not there. Raises OSError if it cannot be listed."""
        with self._lock:
            known = self._listed.get(folder)
            if known is not None:
                self._listed.move_to_end(folder)
                return known
        listed = _list(folder)
        with self._lock:
            if folder not in self._listed:
                self._listed[folder] = listed
                self._size += listed.size
            while self._size > MOST_NAMES and len(self._listed) > 1:
                self._size -= self._listed.popitem(last=False)[1].size
            return self._listed.get(folder, listed)

    def take_half_written(self, folder: Path) -> list[Path]:
        """Sidecars that were half written when the folder was listed; each is given once. Raises OSError."""
        names = self.names(folder)
        with self._lock:
            taken, names.half_written = names.half_written, []
        return [folder / name for name in taken]

    def add(self, path: Path) -> None:
        """Remember a file that was written."""
        with self._lock:
            known = self._listed.get(path.parent)
            if known is not None and path.name not in known.sidecars.get(plain_name(path.name), ()):
                known.add(path.name)
                self._size += 1


def _list(folder: Path) -> FolderNames:
    names = FolderNames()
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if not _is_folder(entry):
                    names.add(entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return FolderNames()
    return names


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Not what a link leads to that leads nowhere, such as one in a circle."""
    try:
        return entry.is_dir()
    except OSError:
        return False
