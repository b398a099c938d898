"""Writes a demo library: pictures of people who do not exist, some bad files, and the truth about all of it.

``truth.json`` beside the pictures says who is where, for tests and for measuring how well grouping works::

    {"made_by": "image-search demo", "note": …, "seed": 1, "faces": 600,
     "people": [{"person": 17, "name": "Ada Brandt", "born": 1951}, …],
     "photos": {"2003/…/DSC00123.JPG": [{"person": 17, "box": [x, y, width, height], "readable": true}, …]},
     "copies": {"Kopien/…": "2003/…"}, "bad_files": {"defekt/empty.jpg": "empty file"}, "files": […]}

Boxes are in pixels of the upright picture. A stranger's person is in no other picture and has no name.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC
from multiprocessing import get_context
from pathlib import Path, PurePosixPath

from image_search_service.core.errors import InvalidInputError
from image_search_service.core.types import JsonObject, Progress
from image_search_service.demo.bad_files import bad_files
from image_search_service.demo.darkroom import NOTE, develop, encodable
from image_search_service.demo.picture import SUFFIXES, Picture, Plan
from image_search_service.demo.plan import plan_library

TRUTH = "truth.json"
_FEW = 50
"""Pictures up to which starting other processes takes longer than it saves."""
_MADE_BY = "image-search demo"
_README = "READ ME.txt"
_README_TEXT = f"""\
These pictures were drawn by a program (`image-search demo`). Their faces are {NOTE}: nobody in them
exists, and the patterned scarves are how the demo's face engine, `synthetic`, recognises who they are.
{TRUTH} says who is in which picture. The files in "defekt" are broken on purpose.
"""


@dataclass(frozen=True, slots=True)
class DemoSummary:
    """What was written. ``faces``: those that the engine should find, each picture counted once.

    pictures: files that can be decoded, copies included. people: those with a name; strangers come on top.
    """

    folder: Path
    pictures: int
    faces: int
    people: int
    strangers: int
    copies: int
    bad_files: int


def make_demo_library(
    folder: Path,
    faces: int = 600,
    *,
    seed: int = 1,
    workers: int | None = None,
    progress: Progress | None = None,
) -> DemoSummary:
    """Draw a library of ``faces`` faces into ``folder``; the same arguments give the same bytes.

    Up to 2,000 faces it is an album (events over thirty years, families, all file formats, bad files),
    beyond that a load test (plain pictures of ten faces). ``workers``: processes that draw; by default as
    many as there are processors, or this one alone for a few pictures. More than one needs a main module
    that can be imported again. ``progress`` gets pictures written and to be written.

    A folder that holds an earlier demo library is made anew: files it had written before are replaced or
    removed, others are left alone. Raises InvalidInputError when the folder holds anything else, or when
    ``faces`` is less than 1.
    """
    if faces < 1:
        raise InvalidInputError("A demo library has at least one face.", hint="Give --faces 1 or more.")
    _clear(folder)
    plan = _possible_here(plan_library(faces, seed))
    spoilt = list(bad_files())
    truth = _truth(plan, {path: reason for path, _, reason in spoilt}, faces, seed)
    _write(folder, TRUTH, json.dumps(truth, ensure_ascii=False, indent=1).encode())
    _write(folder, _README, _README_TEXT.encode())
    for path, content, _ in spoilt:
        _write(folder, path, content)
    _write_pictures(folder, plan.pictures, workers, progress)
    for copy, original in plan.copies.items():
        _write(folder, copy, (folder / original).read_bytes())
    return DemoSummary(
        folder=folder,
        pictures=len(plan.pictures) + len(plan.copies),
        faces=sum(len(picture.figures) for picture in plan.pictures if picture.readable),
        people=len(plan.people),
        strangers=len(plan.strangers),
        copies=len(plan.copies),
        bad_files=len(spoilt),
    )


def _possible_here(plan: Plan) -> Plan:
    """Kinds of file that cannot be written here become JPEG."""
    pictures = [picture if encodable(picture.format) else _as_jpeg(picture) for picture in plan.pictures]
    renamed = {old.path: new.path for old, new in zip(plan.pictures, pictures, strict=True) if old != new}
    copies = {
        str(PurePosixPath(copy).with_suffix(PurePosixPath(renamed.get(path, path)).suffix)): renamed.get(
            path, path
        )
        for copy, path in plan.copies.items()
    }
    return replace(plan, pictures=pictures, copies=copies)


def _as_jpeg(picture: Picture) -> Picture:
    return replace(
        picture, format="JPEG", path=str(PurePosixPath(picture.path).with_suffix(SUFFIXES["JPEG"]))
    )


def _truth(plan: Plan, spoilt: dict[str, str], faces: int, seed: int) -> JsonObject:
    return {
        "made_by": _MADE_BY,
        "note": f"The faces are {NOTE}.",
        "seed": seed,
        "faces": faces,
        "people": [{"person": p.number, "name": p.name, "born": p.born} for p in plan.people],
        "photos": {picture.path: _faces_in(picture) for picture in plan.pictures},
        "copies": plan.copies,
        "bad_files": spoilt,
        "files": sorted([_README, *spoilt, *plan.copies, *(picture.path for picture in plan.pictures)]),
    }


def _faces_in(picture: Picture) -> list[JsonObject]:
    faces: list[JsonObject] = []
    for figure in picture.figures:
        box = figure.box
        corner_and_size = [round(value, 1) for value in (box.x, box.y, box.width, box.height)]
        faces.append({"person": figure.person.number, "box": corner_and_size, "readable": picture.readable})
    return faces


def _clear(folder: Path) -> None:
    """Make way: an earlier demo library's files go, anything else is a reason to refuse."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise InvalidInputError(f"{folder} is a file.", hint="Name a folder, new or empty.")
    if not any(folder.iterdir()):
        return
    try:
        truth = json.loads((folder / TRUTH).read_text(encoding="utf-8"))
        ours = truth["files"] if truth["made_by"] == _MADE_BY else None
    except (OSError, ValueError, KeyError, TypeError):
        ours = None
    if ours is None:
        raise InvalidInputError(
            f"{folder} is not empty and holds no demo library.", hint="Name a new folder, or an empty one."
        )
    for path in ours:
        _inside(folder, path).unlink(missing_ok=True)


def _inside(folder: Path, path: str) -> Path:
    """``folder/path``; a truth file that somebody edited must not lead out of the folder."""
    target = folder / path
    if not target.resolve().is_relative_to(folder.resolve()):
        raise InvalidInputError(f"{folder / TRUTH} names a file outside of the library: {path}")
    return target


def _write(folder: Path, path: str, content: bytes) -> None:
    target = folder / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)


def _write_pictures(
    folder: Path, pictures: Sequence[Picture], workers: int | None, progress: Progress | None
) -> None:
    if workers is None:
        workers = (os.cpu_count() or 1) if len(pictures) > _FEW else 1
    for number, _ in enumerate(_drawn(folder, pictures, workers), start=1):
        if progress:
            progress(number, len(pictures))


def _drawn(folder: Path, pictures: Sequence[Picture], workers: int) -> Iterator[None]:
    jobs = ((str(folder), picture) for picture in pictures)
    if workers <= 1:
        yield from map(_draw_one, jobs)
        return
    # Neighbours share backgrounds, which a process keeps, so they go to the same one.
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_draw_one, jobs, chunksize=8)


def _draw_one(job: tuple[str, Picture]) -> None:
    folder, picture = job
    _write(Path(folder), picture.path, develop(picture))
    moment = picture.taken.replace(tzinfo=UTC).timestamp()
    os.utime(Path(folder) / picture.path, (moment, moment))
