"""How good groups stay that grow with every batch of photos, and what a batch costs in a large library.

    python -m benchmarks.growing quality FILE.npz --engine opencv   # batch by batch against all at once
    python -m benchmarks.growing cost LIBRARY                      # changes it: give it a copy

FILE.npz comes from ``benchmarks.faces_file``. ``cost`` adds photos to a library that ``benchmarks.pages
--library`` has made: faces like unnamed ones that are there, and strangers.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import func, select

from benchmarks.faces_file import Faces
from benchmarks.report import machine, print_table
from image_search_service.core.config import Settings
from image_search_service.core.types import EngineIdentity, FloatArray, IntArray
from image_search_service.db.models import FaceInstance
from image_search_service.db.queries import faces as face_queries, library as library_queries, photos
from image_search_service.faces.grouper import FaceGrouper
from image_search_service.library.opening import Library, open_library
from image_search_service.recognition.engines.calibrated import MEASURED
from image_search_service.recognition.engines.calibration import to_json
from image_search_service.services.jobs.outbox import PayloadSender
from image_search_service.vector.collections import UNNAMED_FACES, FacePayload, FacePoint
from image_search_service.vector.face_qdrant import SCROLL_PAGE

SPREAD = 0.6
LIKE_THOSE_THERE = 2 / 3
"""Share of added faces that show somebody who is there."""


def main() -> None:
    given = _arguments()
    if given.command == "quality":
        faces = Faces.read(given.file)
        faces = faces.where(faces.recognizable(given.engine))
        rows = [quality(faces, given.engine, given.batches, order) for order in ("by name", "at random")]
        columns = (
            "order", "pairwise F grown", "at once", "BCubed F grown", "at once", "compared a new face", "all"
        )  # fmt: skip
        print_table(f"{given.engine}, {len(faces.people):,} faces, {given.batches} batches", columns, rows)
    else:
        cost(given.library, given.photos, given.batches)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    grown = commands.add_parser("quality")
    grown.add_argument("file", type=Path)
    grown.add_argument("--engine", required=True, choices=[*MEASURED])
    grown.add_argument("--batches", type=int, default=50)
    added = commands.add_parser("cost")
    added.add_argument("library", type=Path)
    added.add_argument("--photos", type=int, default=100)
    added.add_argument("--batches", type=int, default=3)
    return parser.parse_args()


def quality(faces: Faces, engine: str, batches: int, order: str) -> tuple[str, ...]:
    """Index the photos in batches; compare the groups in the end with those of one grouping of all faces."""
    by_photo = _order(faces.photos, order)
    with _empty_library(engine, faces.embeddings.shape[1]) as library:
        face_of: dict[int, uuid.UUID] = {}
        compared, new, full = 0, 0, 0
        for batch in np.array_split(np.unique(by_photo), batches):
            rows = np.flatnonzero(np.isin(by_photo, batch))
            added = add_faces(library, faces.embeddings[rows], by_photo[rows])
            face_of |= zip(rows.tolist(), added, strict=True)
            result = FaceGrouper(library.stores).grow()
            PayloadSender(library.stores).send()
            if result.faces == len(face_of):
                full += 1
            else:
                compared, new = compared + result.faces, new + len(added)
        grown = faces.scores(_labels(library, face_of))
        FaceGrouper(library.stores).group()
        at_once = faces.scores(_labels(library, face_of))
    return (
        order,
        f"{grown.pairwise.f:.4f}",
        f"{at_once.pairwise.f:.4f}",
        f"{grown.bcubed.f:.4f}",
        f"{at_once.bcubed.f:.4f}",
        f"{compared / max(new, 1):.1f}",
        f"{full} times",
    )


def _order(photos: IntArray, order: str) -> IntArray:
    """The place of each face's photo in the order of arrival."""
    count = int(photos.max()) + 1
    places = np.arange(count) if order == "by name" else np.random.default_rng(0).permutation(count)
    return places[photos]


@contextmanager
def _empty_library(engine: str, dimension: int) -> Iterator[Library]:
    identity = EngineIdentity(engine, "0" * 64, dimension)
    with tempfile.TemporaryDirectory() as folder, open_library(Settings(library=Path(folder))) as library:
        with library.database.write() as session:
            library_queries.bind_engine(session, identity, {})
            library_queries.set_calibration(session, to_json(MEASURED[engine], identity))
        yield library


def add_faces(library: Library, embeddings: FloatArray, photo_of: IntArray) -> list[uuid.UUID]:
    """New photos with these faces, as indexing stores them: one of each number in ``photo_of``."""
    assets = {number: uuid.uuid4() for number in np.unique(photo_of).tolist()}
    ids = [uuid.uuid4() for _ in embeddings]
    marks = [[110.5, 120.5], [180.5, 120.5], [150.5, 160.5], [120.5, 200.5], [170.5, 200.5]]
    box = {"box_x": 100, "box_y": 100, "box_width": 200, "box_height": 240}
    positions: dict[int, int] = {}
    rows: list[dict[str, Any]] = []
    for face, number in zip(ids, photo_of.tolist(), strict=True):
        positions[number] = positions.get(number, -1) + 1
        rows.append(
            {
                "id": face, "qdrant_point_id": face, "asset_id": assets[number],
                "position": positions[number], "landmarks": marks, "detection_confidence": 0.9,
                "quality_score": 0.5, "quality_parts": {}, **box,
            }
        )  # fmt: skip
    library.faces.upsert_faces(
        FacePoint(row["id"], embedding, FacePayload(row["id"], row["asset_id"]))
        for row, embedding in zip(rows, embeddings, strict=True)
    )
    size = {"width": 4_000, "height": 3_000, "format": "JPEG"}
    with library.database.write() as session:
        photos.save_assets(
            session, [{"id": one, "content_hash": one.hex * 2, **size} for one in assets.values()]
        )
        photos.save_faces(session, rows)
        library_queries.set_grouping_stale(session)
    return ids


def _labels(library: Library, face_of: dict[int, uuid.UUID]) -> IntArray:
    """(n,) the cluster of each face, −1 for none."""
    with library.database.read() as session:
        cluster_of = {face.id: face.cluster_id for face in face_queries.groupable_faces(session)}
    number: dict[uuid.UUID, int] = {}
    clusters = [cluster_of[face_of[row]] for row in range(len(face_of))]
    return np.array(
        [-1 if one is None else number.setdefault(one, len(number)) for one in clusters], dtype=np.int64
    )


def cost(folder: Path, photo_count: int, batches: int) -> None:
    """Add photos, group, and print what the grouping took of the processor, and of memory."""
    chance = np.random.default_rng(0)
    rows = []
    with open_library(Settings(library=folder)) as library:
        there = _some_unnamed(library)
        with library.database.read() as session:
            total = session.scalar(select(func.count()).select_from(FaceInstance)) or 0
        for number in range(batches):
            embeddings, photo_of = _new_faces(there, photo_count, chance)
            add_faces(library, embeddings, photo_of)
            before, started = _peak(), time.process_time()
            result = FaceGrouper(library.stores).grow()
            grouped = time.process_time()
            PayloadSender(library.stores).send()
            rows.append(
                (
                    str(number + 1), f"{len(embeddings)}", f"{result.faces:,}", f"{grouped - started:.2f}",
                    f"{time.process_time() - grouped:.2f}", f"{before:,.0f}", f"{_peak():,.0f}",
                )
            )  # fmt: skip
    columns = (
        "batch", "new faces", "compared", "grouping, s of the processor", "telling Qdrant, s",
        "peak before, MB", "after",
    )  # fmt: skip
    print_table(f"{photo_count} new photos in a library of {total:,} faces; {machine()}", columns, rows)


def _some_unnamed(library: Library) -> FloatArray:
    pages = library.faces.scroll_faces(UNNAMED_FACES, limit=SCROLL_PAGE, with_embeddings=True)
    return next(pages).embeddings.matrix


def _new_faces(there: FloatArray, photo_count: int, chance: Any) -> tuple[FloatArray, IntArray]:
    """1.2 faces a photo."""
    count = int(1.2 * photo_count)
    known = int(LIKE_THOSE_THERE * count)
    rows = _directions(count, there.shape[1], chance)
    rows[:known] = there[chance.choice(len(there), known)] + SPREAD * rows[:known]
    unit: FloatArray = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit, np.sort(chance.integers(0, photo_count, count))


def _directions(number: int, dimension: int, chance: Any) -> FloatArray:
    rows = chance.standard_normal((number, dimension)).astype(np.float32)
    unit: FloatArray = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


def _peak() -> float:
    """The process's largest memory so far, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
