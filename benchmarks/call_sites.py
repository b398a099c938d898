"""The table of the specification's section 8, measured: each call site before and after.

    python -m benchmarks.call_sites [--rounds 3] [--rest] [--url URL] [--json]

Each row is the whole service call, SQL, searches and arithmetic included, on a library of its own: SQLite,
and a server of one's own, or the stand-in in another process, 0, 5 and 20 ms slower than it is. "Before" is
the same service with the embeddings of faces read one id a call (``benchmarks/before.py``); all else, such as
searches that follow, is as it is now. Both are measured in turn, on a new copy of the library each; medians.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from prometheus_client import REGISTRY
from qdrant_client import QdrantClient

from benchmarks.album import Album, add_cluster, add_faces, add_person, alike
from benchmarks.before import OneByOneFaces
from benchmarks.report import machine, print_table
from benchmarks.server import MeasuredServer, add_server_arguments, measured_server
from image_search_service.db.queries.face_moves import set_clusters
from image_search_service.faces.assigner import FaceAssigner
from image_search_service.faces.dual_clusterer import DualModeClusterer
from image_search_service.library.stores import Stores
from image_search_service.services.centroid_service import CentroidService
from image_search_service.services.face_clustering_service import FaceClusteringService
from image_search_service.services.suggestions.prototypes import PrototypeService
from image_search_service.services.suggestions.search import SuggestionService
from image_search_service.vector.face_qdrant import FaceQdrantClient

PERSONS = 5
WAYS: dict[str, type[FaceQdrantClient]] = {"before": OneByOneFaces, "after": FaceQdrantClient}


# What an album is filled with


def person(stores: Stores, number: int) -> UUID:
    """Somebody with so many faces."""
    with stores.database.write() as session:
        made = add_person(session, "Ada")
        add_faces(stores, session, alike(number), person_id=made)
    return made


def person_with_prototypes(stores: Stores, number: int) -> UUID:
    """Somebody with so many prototypes: the better half of their faces (``recognition/prototypes.py``)."""
    made = person(stores, 2 * number)
    PrototypeService(stores).compute_prototypes([made])
    return made


def cluster(stores: Stores, number: int) -> UUID:
    """A group without a name."""
    with stores.database.write() as session:
        faces = add_faces(stores, session, alike(number))
        made = add_cluster(session, faces)
        set_clusters(session, dict.fromkeys(faces, made))
    return made


def people(stores: Stores, number: int) -> UUID:
    """So many faces: of five persons, a fifth of theirs named and three fifths not, and of five strangers."""
    with stores.database.write() as session:
        share = number // (5 * PERSONS)
        for look in range(PERSONS):
            named = add_person(session, f"Ada {look}")
            faces = alike(4 * share, seed=look)
            add_faces(stores, session, faces[:share], person_id=named)
            add_faces(stores, session, faces[share:])
            add_faces(stores, session, alike(share, seed=PERSONS + look))
    return named


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
    with (
        measured_server(options.url, options.grpc_port) as server,
        tempfile.TemporaryDirectory() as folder,
    ):
        client = server.client(grpc=not options.rest)
        results["server"] = server.name
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
    add_server_arguments(parser)
    return parser.parse_args()


def measure(
    server: MeasuredServer, client: QdrantClient, folder: Path, site: Site, rounds: int
) -> dict[str, Any]:
    """Median milliseconds of a call site before and after, for each added delay."""
    with Album(client, folder) as album:
        with album.opened() as stores:
            subject = site.fill(stores, site.faces)
        return {
            "site": site.name,
            "faces": site.faces,
            "estimates": site.estimates,
            **medians(server, album, site, subject, rounds),
        }


def medians(
    server: MeasuredServer, album: Album, site: Site, subject: UUID, rounds: int
) -> dict[str, dict[str, float]]:
    """By the added delay, milliseconds before and after."""

    def call(stores: Stores) -> object:
        return site.call(stores, subject)

    read = _embeddings_read(lambda: timed(server, 0, album, FaceQdrantClient, call))
    assert read >= site.faces, f"{site.name} reads {read} embeddings, not {site.faces}"
    measured: dict[str, dict[str, float]] = {}
    for delay in server.delays:
        taken: dict[str, list[float]] = {name: [] for name in WAYS}
        for _ in range(rounds):
            for name, reader in WAYS.items():
                taken[name].append(timed(server, delay, album, reader, call))
        measured[_column(delay)] = {name: round(statistics.median(times), 2) for name, times in taken.items()}
    return measured


def timed(
    server: MeasuredServer,
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
    delays = [column for column in results["sites"][0] if column.startswith("+")]
    rows = [
        [row["site"], str(row["faces"]), row["estimates"], *(_cell(row[delay]) for delay in delays)]
        for row in results["sites"]
    ]
    title = f"{results['protocol']}, {results['server']}; {results['machine']}"
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
