"""How long a decision takes in a large library, until it is on the disk.

    python -m benchmarks.decisions --faces 100000

The library is SQLite's and made up: faces in clusters of ten. Each kind of decision is made on as many faces
as stand beside it, and the median of a few is shown; Qdrant is told afterwards and has no part in it.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

from rich.console import Console
from rich.table import Table
from sqlalchemy import insert

from benchmarks.album import face_row, photo_row
from image_search_service.db.migrate import migrate
from image_search_service.db.models import ClusterRow, FaceInstance, ImageAsset
from image_search_service.db.queries import library
from image_search_service.db.session import Database, sqlite_url
from image_search_service.recognition.engines.synthetic import SyntheticEngine
from image_search_service.services.decisions.service import ReviewService

EACH = 10
"""Faces in a cluster."""
ROUNDS = 5


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--faces", type=int, default=100_000, help="faces in the library")
    faces = parser.parse_args().faces
    with tempfile.TemporaryDirectory(prefix="image-search-bench-") as folder:
        database = Database(sqlite_url(Path(folder) / "library.sqlite3"))
        migrate(database, Path(folder))
        clusters = fill(database, faces)
        measure(ReviewService(database, "benchmark"), clusters, faces)
        database.close()


def fill(database: Database, faces: int) -> list[tuple[uuid.UUID, list[uuid.UUID]]]:
    """Faces, each in a photo of its own, in clusters; returns these with their faces."""
    ids = [uuid.uuid4() for _ in range(faces)]
    made = [(uuid.uuid4(), ids[start : start + EACH]) for start in range(0, faces, EACH)]
    with database.write() as session:
        library.bind_engine(session, SyntheticEngine.identity, {})
        connection = session.connection()
        connection.execute(insert(ImageAsset), [photo_row(one) for one in ids])
        rows = [
            {"id": cluster, "size": len(own), "confidence": 0.5, "representative_face_id": own[0]}
            for cluster, own in made
        ]
        connection.execute(insert(ClusterRow), rows)
        connection.execute(
            insert(FaceInstance),
            [face_row(one) | {"cluster_id": cluster} for cluster, own in made for one in own],
        )
    return made


def measure(review: ReviewService, clusters: list[tuple[uuid.UUID, list[uuid.UUID]]], faces: int) -> None:
    """Make decisions of each kind; print a table."""
    fresh = iter(clusters)
    names = (f"Person {number}" for number in count())
    table = Table(f"decisions, {faces:,} faces in {len(clusters):,} clusters", "faces", "ms")
    for what, number, decide in decisions(review, fresh, names):
        times = []
        for _ in range(ROUNDS):
            prepared = decide()
            started = time.perf_counter()
            prepared()
            times.append(time.perf_counter() - started)
        table.add_row(what, f"{number:,}", f"{statistics.median(times) * 1e3:.1f}")
    Console().print(table)


Prepared = Callable[[], Callable[[], object]]


def decisions(
    review: ReviewService, fresh: Iterator[tuple[uuid.UUID, list[uuid.UUID]]], names: Iterator[str]
) -> Iterator[tuple[str, int, Prepared]]:
    """Each kind, on how many faces, and what prepares it and gives what is measured."""

    def some(number: int) -> list[uuid.UUID]:
        return [face for _ in range(number // EACH) for face in next(fresh)[1]]

    def name() -> Callable[[], object]:
        cluster, called = next(fresh)[0].hex, next(names)
        return lambda: review.name_cluster(cluster, called)

    def split(number: int) -> Prepared:
        def prepare() -> Callable[[], object]:
            faces, called = some(number), next(names)
            return lambda: review.split(faces, called)

        return prepare

    def group() -> Callable[[], object]:
        faces = next(fresh)[1][: EACH // 2]
        return lambda: review.group_faces(faces)

    def different() -> Callable[[], object]:
        one, other = next(fresh)[0].hex, next(fresh)[0].hex
        return lambda: review.mark_clusters_different(one, other)

    def merge() -> Callable[[], object]:
        one, other = (review.split(some(1_000), next(names)).person_id for _ in range(2))
        return lambda: review.merge_persons([one], other)

    def undo() -> Callable[[], object]:
        made = review.split(some(1_000), next(names)).decision
        return lambda: review.undo(made or 0)

    yield "name a cluster", EACH, name
    yield "give faces to somebody", 10, split(10)
    yield "give faces to somebody", 1_000, split(1_000)
    yield "put faces into a group", EACH // 2, group
    yield "two clusters are different", 2 * EACH, different
    yield "merge two persons", 2_000, merge
    yield "undo", 1_000, undo


if __name__ == "__main__":
    main()
