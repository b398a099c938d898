"""Libraries of drawn people, made once and copied: one without a name, one of which a part is named."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from benchmarks.naming import Album, DemoTruth, index, robot_on
from image_search_service.demo.library import make_demo_library

FACES = 160
NAMED_SHARE = 0.5
"""Of the faces of the people who have a name in the album: the others are left for the queue."""


@dataclass(frozen=True, slots=True)
class DemoLibraries:
    """Folders with the drawn photos, with a library without a name, and with one that is partly named."""

    folder: Path

    @property
    def photos(self) -> Path:
        return self.folder / "photos"

    @property
    def unnamed(self) -> Path:
        return self.folder / "unnamed"

    @property
    def named(self) -> Path:
        return self.folder / "named"


def made_once(folder: Path) -> DemoLibraries:
    """The libraries in this folder; several processes that ask at once wait for the one that makes them."""
    libraries = DemoLibraries(folder)
    done = folder / "done"
    with FileLock(folder.with_name(f"{folder.name}.lock")):
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            _make(libraries)
            done.touch()
    return libraries


def _make(libraries: DemoLibraries) -> None:
    make_demo_library(libraries.photos, faces=FACES)
    album = Album("drawn", libraries.photos, DemoTruth(libraries.photos), {"engine": "synthetic"})
    index(album, libraries.unnamed)
    shutil.copytree(libraries.unnamed, libraries.named)
    with robot_on(libraries.named, album) as robot:
        robot.by_queue(NAMED_SHARE)
