"""How many answers and keys it takes to name a library by the review queue, and by groups in order of size.

    python -m benchmarks.naming                                    # demo libraries of three sizes
    python -m benchmarks.naming --lfw FOLDER --models FOLDER       # press photos, a folder for each person
    python -m benchmarks.naming --lfw FOLDER --models FOLDER --engine onnx

A robot that knows who is who answers over HTTP (``benchmarks/robot.py``) until 80 % of the faces of those
whom it knows have a name: once with care, once with nothing but Enter, and once by the groups.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from fastapi.testclient import TestClient

from benchmarks.report import machine, print_table
from benchmarks.robot import LibraryView, Robot, Tally, Truth
from image_search_service.core.config import Settings
from image_search_service.core.types import Progress
from image_search_service.demo.library import TRUTH, make_demo_library
from image_search_service.library.opening import Library, open_library
from image_search_service.main import create_app
from image_search_service.services.jobs.service import JobKind, JobService

DEMO_FACES = (300, 600, 1_200)
SHARE = 0.8
BASE_URL = "http://localhost:8000"
COLUMNS = (
    "library",
    "way",
    "answers",
    "keys",
    "faces named",
    "keys a face",
    "wrong",
    "share",
    "kinds of answers",
)


class DemoTruth:
    """What ``truth.json`` of a demo library says."""

    def __init__(self, folder: Path) -> None:
        content = json.loads((folder / TRUTH).read_text(encoding="utf-8"))
        self._folder = folder
        self._names = {one["person"]: one["name"] for one in content["people"]}
        self._photos = content["photos"]
        self._copies = content["copies"]

    def names(
        self,
        path: str,
        boxes: Sequence[Mapping[str, float]],
        size: tuple[int, int],  # noqa: ARG002 - the truth is in pixels, too
    ) -> list[str | None]:
        """Those of the drawn faces nearest to the boxes; a stranger is called by their number."""
        file = PurePath(os.path.relpath(path, self._folder)).as_posix()
        drawn = self._photos[self._copies.get(file, file)]
        return [self._nearest(box, drawn) for box in boxes]

    def _nearest(self, box: Mapping[str, float], drawn: Sequence[Any]) -> str:
        person = min(drawn, key=lambda one: abs(one["box"][0] - box["x"]) + abs(one["box"][1] - box["y"]))[
            "person"
        ]
        name: str = self._names.get(person, f"stranger {person}")
        return name

    def wanted(self) -> dict[str, int]:
        faces = [face for photo in self._photos.values() for face in photo if face["readable"]]
        return {name: sum(face["person"] == number for face in faces) for number, name in self._names.items()}


class FolderTruth:
    """A folder for each person: the face nearest to the photo's middle is theirs, of others nobody knows."""

    def __init__(self, folder: Path, least: int = 2) -> None:
        self._folder = folder
        self._least = least

    def names(
        self, path: str, boxes: Sequence[Mapping[str, float]], size: tuple[int, int]
    ) -> list[str | None]:
        far = [
            (box["x"] + box["width"] / 2 - size[0] / 2) ** 2
            + (box["y"] + box["height"] / 2 - size[1] / 2) ** 2
            for box in boxes
        ]
        name = _spoken(Path(path).parent.name)
        return [name if one == min(far) else None for one in far]

    def wanted(self) -> dict[str, int]:
        """Those with so many photos."""
        counts = {
            _spoken(one.name): len(list(one.iterdir())) for one in self._folder.iterdir() if one.is_dir()
        }
        return {name: count for name, count in counts.items() if count >= self._least}


def _spoken(folder: str) -> str:
    return folder.replace("_", " ")


@dataclass(frozen=True, slots=True)
class Album:
    """Photos, the truth about them, and the engine to find their faces with."""

    title: str
    folder: Path
    truth: Truth
    engine: Mapping[str, object]


def main() -> None:
    given = _arguments()
    print(machine())
    with tempfile.TemporaryDirectory(prefix="image-search-bench-") as temporary:
        root = Path(temporary)
        if given.lfw is not None:
            rows = measure(press_photos(given.lfw, given.models, given.engine), root)
        else:
            rows = [row for faces in given.faces for row in measure(demo(root, faces), root)]
        print_table(f"until {SHARE:.0%} have a name", COLUMNS, rows)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--faces", type=int, nargs="+", default=list(DEMO_FACES), help="sizes of demo libraries"
    )
    parser.add_argument("--lfw", type=Path, help="a folder of press photos, with a folder for each person")
    parser.add_argument("--models", type=Path, help="the folder with the face models")
    parser.add_argument(
        "--engine",
        choices=("opencv", "onnx"),
        default="opencv",
        help="of press photos; the default's or another",
    )
    return parser.parse_args()


def demo(root: Path, faces: int) -> Album:
    folder = root / f"demo-{faces}"
    make_demo_library(folder, faces=faces)
    return Album(f"demo, {faces:,} faces", folder, DemoTruth(folder), {"engine": "synthetic"})


def press_photos(folder: Path, models: Path, engine: str) -> Album:
    """The photos with two or more of a person, and the engine by its files in ``models``."""
    files: Mapping[str, object] = {"model_source": str(models), "offline": False}
    if engine == "onnx":
        files = {
            "detector": models / "face_detection_yunet_2023mar.onnx",
            "recognizer": models / "mobilefacenet.onnx",
        }
    return Album(
        f"{folder.name}, {engine}, two photos or more",
        folder,
        FolderTruth(folder),
        {"engine": engine, **files},
    )


def measure(album: Album, root: Path) -> list[tuple[str, ...]]:
    """A row for each way to name it."""
    indexed = root / f"{album.folder.name}-library"
    index(album, indexed)
    names = sorted(album.truth.wanted())
    ways: Mapping[str, Callable[[Robot], Tally]] = {
        "queue": lambda robot: robot.by_queue(SHARE),
        "queue, names in a list": lambda robot: robot.by_queue(SHARE, names),
        "queue, always Enter": lambda robot: robot.by_queue(SHARE),
        "groups by size": lambda robot: robot.by_size(SHARE),
    }
    rows = []
    for way, name in ways.items():
        copy = root / "at-hand"
        shutil.copytree(indexed, copy)
        with robot_on(copy, album, careful="always" not in way) as robot:
            rows.append(_row(album, way, name(robot), robot.share))
        shutil.rmtree(copy)
    return rows


def _row(album: Album, way: str, tally: Tally, share: float) -> tuple[str, ...]:
    kinds = ", ".join(f"{number} {kind}" for kind, number in tally.kinds.most_common())
    return (
        album.title,
        way,
        f"{tally.answers:,}",
        f"{tally.keys:,}",
        f"{tally.given:,}",
        f"{tally.keys_per_face:.2f}",
        f"{tally.wrong} ({tally.wrong_share:.1%})",
        f"{share:.1%}",
        kinds,
    )


def index(album: Album, library: Path) -> None:
    """Find and group the faces."""
    with served(library, album) as (client, opened):
        job = JobService(opened.database, opened.job_queue.enqueue).submit(
            JobKind.DETECT_FACES, {"paths": [str(album.folder)]}
        )
        LibraryView(client, album.truth).wait(str(job.id), seconds=3_600)


@contextmanager
def robot_on(library: Path, album: Album, *, careful: bool = True) -> Iterator[Robot]:
    """A robot in front of a served library."""
    with served(library, album) as (client, _):
        yield Robot(LibraryView(client, album.truth), album.truth.wanted(), careful=careful)


@contextmanager
def served(library: Path, album: Album) -> Iterator[tuple[TestClient, Library]]:
    given = {"library": library, "offline": True, "require_token": False, **album.engine}
    settings = Settings.model_validate(given)
    with (
        open_library(settings, lambda _: None, _no_bar) as opened,
        TestClient(create_app(opened), base_url=BASE_URL) as client,
    ):
        yield client, opened


@contextmanager
def _no_bar(_what: str, _unit: str) -> Iterator[Progress]:
    yield lambda _done, _total: None


if __name__ == "__main__":
    main()
