"""Libraries of drawn people, made once and copied: one without a name, one of which a part is named."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from benchmarks.naming import Album, DemoTruth, index, robot_on
from benchmarks.robot import LibraryView
from image_search_service.demo.library import make_demo_library
from tests.support.copies import copy_library
from tests.support.made_once import made_once

FACES = 160
HALVES = 4
"""The largest groups, of which one half gets a name: the queue asks whether the other is the same person."""
WHOLES = 3
"""The next ones, which get a name whole. The others are left without."""


@dataclass(frozen=True, slots=True)
class DemoLibraries:
    """Folders with the drawn photos, with a library without a name, and with one that is named in part."""

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


def demo_libraries(folder: Path, faces: int = FACES) -> DemoLibraries:
    """The libraries in this folder; several processes that ask at once wait for the one that makes them."""
    return DemoLibraries(made_once(folder, lambda _: _make(DemoLibraries(folder), faces)))


def _make(libraries: DemoLibraries, faces: int) -> None:
    make_demo_library(libraries.photos, faces=faces)
    album = Album("drawn", libraries.photos, DemoTruth(libraries.photos), {"engine": "synthetic"})
    index(album, libraries.unnamed)
    copy_library(libraries.unnamed, libraries.named)
    with robot_on(libraries.named, album) as robot:
        groups = robot.view.get("/faces/clusters", limit=HALVES + WHOLES)["items"]
        for at, group in enumerate(groups):
            _name(robot.view, group["id"], in_part=at < HALVES)


def _name(library: LibraryView, group: str, *, in_part: bool) -> None:
    """Give a group the name of its person. in_part: every other face becomes a group of its own before."""
    members = library.members(group)
    names = Counter(name for name in members.values() if name is not None)
    if in_part:
        library.decide("group", {"face_ids": list(members)[::2]})
    whom = library.whom(names.most_common(1)[0][0])
    library.decide("name-clusters", {"cluster_ids": [group], **whom})
