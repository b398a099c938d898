"""The table of the specification's section 8, measured: each call site before and after.

    python -m benchmarks.call_sites [--rounds 3] [--rest] [--json]

Each row is the whole service call, SQL, searches and arithmetic included, on a library of its own: SQLite,
and the stand-in server in another process, 0, 5 and 20 ms slower than it is. "Before" is the same service
with the embeddings of faces read one id a call (``tests/support/reference.py``); all else, such as searches
that follow, is as it is now. Both are measured in turn, each time on a new copy of the library; medians.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from prometheus_client import REGISTRY
from qdrant_client import QdrantClient

from benchmarks.report import machine, print_table
from benchmarks.server import DELAYS, SlowServer, slow_server
from image_search_service.core.types import FloatArray
from image_search_service.db.models import FaceInstance
from image_search_service.db.session import Database, sqlite_url
from image_search_service.faces.assigner import FaceAssigner
from image_search_service.faces.dual_clusterer import DualModeClusterer
from image_search_service.library.stores import Stores
from image_search_service.recognition.thresholds import Thresholds
from image_search_service.services.centroid_service import CentroidService
from image_search_service.services.face_clustering_service import FaceClusteringService
from image_search_service.services.suggestions.prototypes import PrototypeService
from image_search_service.services.suggestions.search import SuggestionService
from image_search_service.vector.centroid_qdrant import CentroidQdrantClient
from image_search_service.vector.collections import FacePayload, FacePoint
from image_search_service.vector.face_qdrant import FaceQdrantClient
from tests.support.backends import unit_vectors
from tests.support.given_stores import given_stores
from tests.support.reference import OneByOneFaces
from tests.support.served import add_person
from tests.support.world import World, migrated_database

DIMENSION = 512
THRESHOLDS = Thresholds(same_person=0.6, assign=0.7, suggest=0.5, neighbour=0.65)
PERSONS = 5
WAYS: dict[str, type[FaceQdrantClient]] = {"before": OneByOneFaces, "after": FaceQdrantClient}


class Album:
    """Faces in SQL and in Qdrant; ``copied`` gives services on a copy of it."""

    def __init__(self, client: QdrantClient, folder: Path) -> None:
        folder.mkdir()
        self._client = client
        self._file = folder / "library.sqlite3"
        self._faces = FaceQdrantClient(client, f"faces_{folder.name}", DIMENSION)
        self._faces.ensure_collection()
        migrated_database(folder).close()

    @contextmanager
    def copied(self, reader: type[FaceQdrantClient]) -> Iterator[Stores]:
        copy = self._file.with_stem(uuid.uuid4().hex)
        shutil.copyfile(self._file, copy)
        with self.opened(copy, reader) as stores:
            yield stores
            self._client.delete_collection(stores.centroids.collection_name)

    @contextmanager
    def opened(
        self, file: Path | None = None, reader: type[FaceQdrantClient] | None = None
    ) -> Iterator[Stores]:
        """The album itself, or the copy ``file``, with centroids of its own."""
        file, reader = file or self._file, reader or FaceQdrantClient
        database = Database(sqlite_url(file))
        centroids = CentroidQdrantClient(self._client, f"centroids_{file.parent.name}_{file.stem}", DIMENSION)
        centroids.ensure_collection()
        faces = reader(self._client, self._faces.collection_name, DIMENSION)
        yield given_stores(database, faces, centroids, THRESHOLDS)
        database.close()


# What an album is filled with


def person(stores: Stores, number: int) -> UUID:
    """Somebody with so many faces."""
    with stores.database.write() as session:
        world = World(session)
        person_id = add_person(world, "Ada").id
        add_faces(stores, world, alike(number), person_id=person_id)
    return person_id


def person_with_prototypes(stores: Stores, number: int) -> UUID:
    """Somebody with so many prototypes: the better half of their faces (``recognition/prototypes.py``)."""
    person_id = person(stores, 2 * number)
    PrototypeService(stores).compute_prototypes([person_id])
    return person_id


def cluster(stores: Stores, number: int) -> UUID:
    """A group without a name."""
    with stores.database.write() as session:
        world = World(session)
        return world.cluster(add_faces(stores, world, alike(number))).id


def people(stores: Stores, number: int) -> UUID:
    """So many faces: of five persons, a fifth of theirs named and three fifths not, and of five strangers."""
    with stores.database.write() as session:
        world = World(session)
        share = number // (5 * PERSONS)
        for look in range(PERSONS):
            named = add_person(world, f"Ada {look}").id
            faces = alike(4 * share, seed=look)
            add_faces(stores, world, faces[:share], person_id=named)
            add_faces(stores, world, faces[share:])
            add_faces(stores, world, alike(share, seed=PERSONS + look))
    return named


def alike(number: int, seed: int = 0) -> FloatArray:
    """``(number, DIMENSION)`` faces of one person."""
    rows = unit_vectors(1, DIMENSION, seed=1000 + seed) + 0.5 * unit_vectors(number, DIMENSION, seed)
    unit: FloatArray = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit


def add_faces(stores: Stores, world: World, embeddings: FloatArray, **columns: Any) -> list[FaceInstance]:
    """A face for each embedding, each in a photo of its own, in SQL and in Qdrant."""
    faces = [world.face(world.photo(f"/photos/{uuid.uuid4().hex}.jpg"), **columns) for _ in embeddings]
    stores.faces.upsert_faces(
        FacePoint(face.id, row, FacePayload(face.id, face.asset_id, face.person_id))
        for face, row in zip(faces, embeddings, strict=True)
    )
    return faces


def assigner(stores: Stores) -> FaceAssigner:
    return FaceAssigner(stores, CentroidService(stores))


def dual_clusterer(stores: Stores) -> DualModeClusterer:
    return DualModeClusterer(stores, CentroidService(stores))


@dataclass(frozen=True, slots=True)
class Site:
    """A row of the table: the specification's name, faces and estimates, and what is measured for it.

    call: is given what ``fill`` has returned.
    """

    name: str
    faces: int
    estimates: str
    fill: Callable[[Stores, int], UUID]
    call: Callable[[Stores, UUID], object]


SITES = (
    Site(
        "centroid_service.py", 50, "250-750 → 10-30 ms, 25×", person,
        lambda stores, one: CentroidService(stores).compute_centroids_for_person(one),
    ),
    Site(
        "face_clustering_service.py", 20, "100-300 → 10-30 ms, 10×", cluster,
        lambda stores, one: FaceClusteringService(stores).calculate_cluster_confidence(one),
    ),
    Site(
        "face_jobs.py (prototype)", 10, "50-150 → 10-30 ms, 5×", person,
        lambda stores, one: SuggestionService(stores).find_more(one),
    ),
    Site(
        "face_jobs.py (multi-proto)", 5, "25-75 → 10-30 ms, 3×", person_with_prototypes,
        lambda stores, one: SuggestionService(stores).find_more_multi_prototype(one),
    ),
    Site(
        "face_jobs.py (centroid)", 100, "500-1500 → 10-30 ms, 50×", person,
        lambda stores, one: SuggestionService(stores).find_more_centroid(one),
    ),
    Site(
        "assigner.py", 200, "1000-3000 → 20-60 ms, 50×", people,
        lambda stores, _: assigner(stores).assign_new_faces(),
    ),
    Site(
        "dual_clusterer.py", 500, "2500-7500 → 50-150 ms, 50×", people,
        lambda stores, _: dual_clusterer(stores).cluster_all(),
    ),
    Site(
        "dual_clusterer.py", 1000, "saves 4,000-12,000 ms", people,
        lambda stores, _: dual_clusterer(stores).cluster_all(),
    ),
)  # fmt: skip


def main() -> None:
    """Measures and prints."""
    options = _options()
    results: dict[str, Any] = {"machine": machine(), "protocol": "REST" if options.rest else "gRPC"}
    with slow_server(0, DIMENSION) as server, tempfile.TemporaryDirectory() as folder:
        client = server.client(grpc=not options.rest)
        results["sites"] = [
            measure(server, client, Path(folder) / str(row), site, options.rounds)
            for row, site in enumerate(SITES)
        ]
    if options.json:
        print(json.dumps(results))
    else:
        show(results)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rest", action="store_true", help="over REST instead of gRPC")
    parser.add_argument("--json", action="store_true")
    return parser.parse_args()


def measure(
    server: SlowServer, client: QdrantClient, folder: Path, site: Site, rounds: int
) -> dict[str, Any]:
    """Median milliseconds of a call site before and after, for each added delay."""
    album = Album(client, folder)
    with album.opened() as stores:
        subject = site.fill(stores, site.faces)

    def call(stores: Stores) -> object:
        return site.call(stores, subject)

    read = _embeddings_read(lambda: timed(server, 0, album, FaceQdrantClient, call))
    assert read >= site.faces, f"{site.name} reads {read} embeddings, not {site.faces}"
    measured: dict[str, Any] = {"site": site.name, "faces": site.faces, "estimates": site.estimates}
    for delay in DELAYS:
        taken: dict[str, list[float]] = {name: [] for name in WAYS}
        for _ in range(rounds):
            for name, reader in WAYS.items():
                taken[name].append(timed(server, delay, album, reader, call))
        medians = {name: round(statistics.median(times), 2) for name, times in taken.items()}
        measured[_column(delay)] = medians
    return measured


def timed(
    server: SlowServer,
    delay: float,
    album: Album,
    reader: type[FaceQdrantClient],
    call: Callable[[Stores], object],
) -> float:
    """Milliseconds of one call, as though it had never been made before."""
    with album.copied(reader) as stores:
        with stores.database.read():  # opened
            server.set_delay(delay)
        started = time.perf_counter()
        call(stores)
        taken = time.perf_counter() - started
        server.set_delay(0)
    return taken * 1000


def _embeddings_read(call: Callable[[], object]) -> float:
    """How many embeddings are read by id in ``call``, by the service's own metric."""
    metric = "image_search_qdrant_points_total"
    before = REGISTRY.get_sample_value(metric) or 0
    call()
    return (REGISTRY.get_sample_value(metric) or 0) - before


def show(results: dict[str, Any]) -> None:
    """The table of docs/performance.md: before → after, in milliseconds, and how many times faster."""
    delays = [_column(delay) for delay in DELAYS]
    rows = [
        [row["site"], str(row["faces"]), row["estimates"], *(_cell(row[delay]) for delay in delays)]
        for row in results["sites"]
    ]
    title = f"{results['protocol']}; {results['machine']}"
    print_table(title, ["call site", "faces", "specification's estimate", *delays], rows)
    saved = {
        delay: results["sites"][-1][delay]["before"] - results["sites"][-1][delay]["after"]
        for delay in delays
    }
    print(
        "Saved by a dual clustering of 1,000 faces:",
        ", ".join(f"{ms:,.0f} ms at {at}" for at, ms in saved.items()),
    )


def _column(delay: float) -> str:
    return f"+{delay * 1000:g} ms"


def _cell(medians: dict[str, float]) -> str:
    before, after = medians["before"], medians["after"]
    return f"{before:,.0f} → {after:,.0f} ms, {before / after:.1f}×"


if __name__ == "__main__":
    main()
