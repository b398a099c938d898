"""The table of the specification's section 8, measured: each call site before and after.

    python -m benchmarks.call_sites [--rounds 3] [--rest] [--json]

Each row is the whole service call, SQL and searches included, on a library of its own: SQLite, and the
stand-in server in another process, 0, 5 and 20 ms slower than it is. "Before" is the same service with the
embeddings of faces read one id a call (``tests/support/reference.py``); all else, such as the searches that
follow, is as it is now. Before and after are measured in turn; medians.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from prometheus_client import REGISTRY
from sqlalchemy import delete

from benchmarks.report import machine, print_table
from benchmarks.server import DELAYS, SlowServer, slow_server
from image_search_service.core.types import FloatArray
from image_search_service.db.models import FaceInstance, FaceSuggestion, PersonCentroid
from image_search_service.db.session import Database
from image_search_service.faces.thresholds import Thresholds
from image_search_service.services.centroid_service import CentroidService
from image_search_service.services.face_clustering_service import FaceClusteringService
from image_search_service.services.prototype_service import PrototypeService
from image_search_service.services.suggestion_service import SuggestionService
from image_search_service.vector.centroid_qdrant import CentroidQdrantClient
from image_search_service.vector.collections import FacePayload, FacePoint
from image_search_service.vector.embedding_batch import EmbeddingBatch
from image_search_service.vector.face_qdrant import FaceQdrantClient
from tests.support.backends import unit_vectors
from tests.support.reference import get_embeddings_one_by_one
from tests.support.served import add_person
from tests.support.world import World, migrated_database

DIMENSION = 512
THRESHOLDS = Thresholds(same_person=0.6, assign=0.7, suggest=0.5, neighbour=0.65)


class OneByOne(FaceQdrantClient):
    """Reads embeddings as the call sites did before: in a loop."""

    def get_embeddings_by_point_ids(self, point_ids: Sequence[UUID], batch_size: int = 1) -> EmbeddingBatch:
        assert batch_size
        found = get_embeddings_one_by_one(self.client, self.collection_name, point_ids)
        return EmbeddingBatch.from_mapping(found, point_ids)


@dataclass(frozen=True, slots=True)
class Stores:
    """A library of one row of the table."""

    database: Database
    faces: FaceQdrantClient
    centroids: CentroidQdrantClient

    def with_faces(self, kind: type[FaceQdrantClient]) -> Stores:
        """The same library, its embeddings read in another way."""
        faces = kind(self.faces.client, self.faces.collection_name, DIMENSION)
        return Stores(self.database, faces, self.centroids)

    def forget(self) -> None:
        """What an earlier call has left."""
        with self.database.write() as session:
            for table in (FaceSuggestion, PersonCentroid):
                session.execute(delete(table))
        self.centroids.reset_collection(confirm=self.centroids.collection_name)

    @property
    def suggestions(self) -> SuggestionService:
        return SuggestionService(self.database, self.faces, self.centroids, THRESHOLDS)


# What is called


def compute_centroid(stores: Stores, person_id: UUID) -> None:
    CentroidService(stores.database, stores.faces, stores.centroids).compute_centroids_for_person(person_id)


def cluster_confidence(stores: Stores, cluster_id: UUID) -> None:
    service = FaceClusteringService(stores.database, stores.faces, THRESHOLDS, memory=1 << 30)
    service.calculate_cluster_confidence(cluster_id)


def find_more(stores: Stores, person_id: UUID) -> None:
    stores.suggestions.find_more(person_id)


def find_more_multi_prototype(stores: Stores, person_id: UUID) -> None:
    stores.suggestions.find_more_multi_prototype(person_id)


def find_more_centroid(stores: Stores, person_id: UUID) -> None:
    stores.suggestions.find_more_centroid(person_id)


# What it is called on


def person(stores: Stores, number: int) -> UUID:
    """Somebody with so many faces."""
    with stores.database.write() as session:
        world = World(session)
        person_id = add_person(world, "Ada").id
        add_faces(stores, world, alike(number), person_id=person_id)
    return person_id


def person_with_prototypes(stores: Stores, number: int) -> UUID:
    """Somebody with so many prototypes: the better half of their faces (``faces/prototypes.py``)."""
    person_id = person(stores, 2 * number)
    PrototypeService(stores.database, stores.faces).compute_prototypes([person_id])
    return person_id


def cluster(stores: Stores, number: int) -> UUID:
    """A group without a name."""
    with stores.database.write() as session:
        world = World(session)
        return world.cluster(add_faces(stores, world, alike(number))).id


def alike(number: int, seed: int = 0) -> FloatArray:
    """``(number, DIMENSION)`` faces of one person."""
    rows = unit_vectors(1, DIMENSION, seed=1000 + seed) + 0.5 * unit_vectors(number, DIMENSION, seed)
    unit: FloatArray = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit


def add_faces(stores: Stores, world: World, embeddings: FloatArray, **columns: Any) -> list[FaceInstance]:
    """A face for each embedding, in SQL and in Qdrant."""
    photo = world.photo(f"/photos/{uuid.uuid4().hex}.jpg")
    faces = [world.face(photo, position, **columns) for position in range(len(embeddings))]
    stores.faces.upsert_faces(
        FacePoint(face.id, row, FacePayload(face.id, photo.id, face.person_id, None, 0.5, 0.9))
        for face, row in zip(faces, embeddings, strict=True)
    )
    return faces


@dataclass(frozen=True, slots=True)
class Site:
    """A row of the table: the specification's name, faces and estimates, and what is measured for it."""

    name: str
    faces: int
    estimates: str
    fill: Callable[[Stores, int], UUID]
    call: Callable[[Stores, UUID], None]


SITES = (
    Site("centroid_service.py", 50, "250-750 → 10-30 ms, 25×", person, compute_centroid),
    Site("face_clustering_service.py", 20, "100-300 → 10-30 ms, 10×", cluster, cluster_confidence),
    Site("face_jobs.py (prototype)", 10, "50-150 → 10-30 ms, 5×", person, find_more),
    Site(
        "face_jobs.py (multi-proto)", 5, "25-75 → 10-30 ms, 3×",
        person_with_prototypes, find_more_multi_prototype,
    ),
    Site("face_jobs.py (centroid)", 100, "500-1500 → 10-30 ms, 50×", person, find_more_centroid),
)  # fmt: skip


def main() -> None:
    """Measures and prints."""
    options = _options()
    results: dict[str, Any] = {"machine": machine(), "protocol": "REST" if options.rest else "gRPC"}
    with slow_server(0, DIMENSION) as server, tempfile.TemporaryDirectory() as folder:
        results["sites"] = [
            measure(server, Path(folder) / str(row), site, options) for row, site in enumerate(SITES)
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


def measure(server: SlowServer, folder: Path, site: Site, options: argparse.Namespace) -> dict[str, Any]:
    """Median milliseconds of a call site before and after, for each added delay (in ms)."""
    server.set_delay(0)
    with made(server, folder, grpc=not options.rest) as stores:
        subject = site.fill(stores, site.faces)
        measured: dict[str, Any] = {"site": site.name, "faces": site.faces, "estimates": site.estimates}
        ways = {"before": stores.with_faces(OneByOne), "after": stores}
        embeddings = _embeddings_read(lambda: timed(server, 0, site, stores, subject))
        assert embeddings >= site.faces, f"{site.name} reads {embeddings} embeddings, not {site.faces}"
        for delay in DELAYS:
            taken: dict[str, list[float]] = {name: [] for name in ways}
            for _ in range(options.rounds):
                for name, way in ways.items():
                    taken[name].append(timed(server, delay, site, way, subject))
            medians = {name: round(statistics.median(times), 2) for name, times in taken.items()}
            measured[f"+{delay * 1000:g} ms"] = medians
    return measured


@contextmanager
def made(server: SlowServer, folder: Path, *, grpc: bool) -> Iterator[Stores]:
    """An empty library on the server."""
    folder.mkdir()
    database = migrated_database(folder)
    client = server.client(grpc=grpc)
    faces = FaceQdrantClient(client, f"faces_{folder.name}", DIMENSION)
    centroids = CentroidQdrantClient(client, f"centroids_{folder.name}", DIMENSION)
    faces.ensure_collection()
    centroids.ensure_collection()
    yield Stores(database, faces, centroids)
    database.close()


def timed(server: SlowServer, delay: float, site: Site, stores: Stores, subject: UUID) -> float:
    """Milliseconds of one call, as though it had never been made before."""
    server.set_delay(0)
    stores.forget()
    server.set_delay(delay)
    started = time.perf_counter()
    site.call(stores, subject)
    return (time.perf_counter() - started) * 1000


def _embeddings_read(call: Callable[[], object]) -> float:
    """How many embeddings are read by id in ``call``, by the service's own metric."""
    metric = "image_search_qdrant_points_total"
    before = REGISTRY.get_sample_value(metric) or 0
    call()
    return (REGISTRY.get_sample_value(metric) or 0) - before


def show(results: dict[str, Any]) -> None:
    """The table of docs/performance.md: before → after, in milliseconds, and how many times faster."""
    delays = [f"+{delay * 1000:g} ms" for delay in DELAYS]
    rows = [
        [row["site"], str(row["faces"]), row["estimates"], *(_cell(row[delay]) for delay in delays)]
        for row in results["sites"]
    ]
    title = f"{results['protocol']}; {results['machine']}"
    print_table(title, ["call site", "faces", "specification's estimate", *delays], rows)


def _cell(medians: dict[str, float]) -> str:
    before, after = medians["before"], medians["after"]
    return f"{before:,.0f} → {after:,.0f} ms, {before / after:.1f}×"


if __name__ == "__main__":
    main()
