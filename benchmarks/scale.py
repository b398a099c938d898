"""How what the program does grows with the library.

    python -m benchmarks.scale [N …] [--photos FOLDER] [--database-url URL] [--url QDRANT]

For each number of faces a library is made up (``image-search bench library``), opened and served, and the
same things are done: new photos are indexed, lists, persons, groups, suggestions, explanations and conflicts
asked for, by one client and by 32 at once, groups named by 32 clients at once, all unnamed faces grouped.
Answers are given as median, 95th percentile and longest, then the processor's time of this process for each.
"times" is what a step took, divided by what it took in the library before: by the clock (of answers the
median), and of this process's processor, where the clock says little because the machine has other work.

Without ``--database-url`` and ``--url`` the stores are SQLite and the embedded engine. With them each library
gets a schema of its own in that PostgreSQL database, and its collections on that Qdrant server; both are
removed again. ``--photos``: a folder of real photos, of which 34 are indexed; else that step is left out.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import create_engine, make_url, text

from benchmarks.clients import Request, ask_together
from benchmarks.pages import at_95, serving
from benchmarks.report import machine, print_table
from image_search_service.core.config import Settings
from image_search_service.core.records.faces import ClusterFilter
from image_search_service.library.opening import Library, open_library
from image_search_service.media.scan import PhotoScan
from image_search_service.services.evaluation.made_library import MadeLibraryService
from image_search_service.services.evaluation.made_rows import MadeSizes
from image_search_service.services.face_clustering_service import FaceClusteringService
from image_search_service.services.indexing.pipeline import index_photos
from image_search_service.services.people.clusters import ClusterCatalogue
from image_search_service.services.people.persons import PersonCatalogue
from tests.support.served import no_bar

NEW_PHOTOS, ROUNDS, CLIENTS, NAMED = 34, 40, 32, 200
Step = tuple[str, float, float, str]
"""What was done, its time by the clock and of the processor (ms or s), and all that is said of it."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sizes", type=int, nargs="*", default=[10_000, 100_000, 300_000], metavar="N")
    parser.add_argument("--photos", type=Path, help=f"folder of real photos, of which {NEW_PHOTOS} are added")
    parser.add_argument("--database-url", help="a PostgreSQL database; each library gets a schema in it")
    parser.add_argument("--url", help="a Qdrant server")
    parser.add_argument("--clients", type=int, default=CLIENTS)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="answers of each route")
    given = parser.parse_args()
    stores = f"{'PostgreSQL' if given.database_url else 'SQLite'}, {given.url or 'embedded Qdrant'}"
    measured: list[list[Step]] = []
    for faces in given.sizes:
        with tempfile.TemporaryDirectory(prefix="image-search-bench-") as folder, _schema(given) as database:
            settings = Settings(
                library=Path(folder) / "library", database_url=database, qdrant_url=given.url,
                allowed_hosts="*", require_token=False,
            )  # fmt: skip
            measured.append(list(steps(settings, faces, given)))
        show(given.sizes, measured, stores)


@contextmanager
def _schema(given: argparse.Namespace) -> Iterator[str | None]:
    """The URL of an empty schema in the database given, dropped at the end; None for SQLite."""
    if given.database_url is None:
        yield None
        return
    url, schema = make_url(given.database_url), f"bench_{uuid4().hex}"
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
        try:
            own = url.update_query_dict({"options": f"-csearch_path={schema}"})
            yield own.render_as_string(hide_password=False)
        finally:
            connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    engine.dispose()


def show(sizes: list[int], measured: list[list[Step]], stores: str) -> None:
    """A row for each step, for each size what it took, and how many times as long as in the size before."""
    columns = [""]
    for number, size in enumerate(sizes[: len(measured)]):
        columns += [f"{size:,}", "times"] if number else [f"{size:,}"]
    rows = []
    for parts in zip(*measured, strict=True):
        row = [parts[0][0]]
        for number, (_, wall, busy, said) in enumerate(parts):
            row.append(said)
            if number:
                _, wall_before, busy_before, _ = parts[number - 1]
                row.append(f"{wall / wall_before:.2f}, {busy / busy_before:.2f}")
        rows.append(row)
    print_table(f"{stores}, {machine()}", columns, rows)


def steps(settings: Settings, faces: int, given: argparse.Namespace) -> Iterator[Step]:
    """Make a library, and measure each step in it."""
    with open_library(settings, lambda _: None, no_bar) as library:
        service = MadeLibraryService(library.stores, library.collections)
        try:
            yield timed("make the library", lambda: service.make(MadeSizes.for_faces(faces)))
            with serving(library) as port:
                yield from asked(port, library, given.clients, given.rounds)
                yield named(port, library, given.clients)
            if given.photos is not None:
                yield indexed(library, given.photos)
            yield timed("group the faces without a name", FaceClusteringService(library.stores).group)
        finally:
            if given.url is not None:
                library.collections.unchecked_faces().remove_collection()
                library.collections.unchecked_centroids().remove_collection()


def timed(what: str, do: Callable[[], Any]) -> Step:
    """Seconds, seconds of the processor, and by how much the process's peak of memory grew."""
    peak, started, busy = _peak(), time.perf_counter(), time.process_time()
    do()
    wall, busy = time.perf_counter() - started, time.process_time() - busy
    grown = (_peak() - peak) / 2**20
    return what, wall, busy, f"{wall:.1f} s, {busy:.1f} of the processor, {grown:+,.0f} MiB"


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def indexed(library: Library, folder: Path) -> Step:
    """New photos, with the engine and Qdrant loaded before: that takes as long in any library."""
    photos = [file.path for file in islice(PhotoScan([folder]), NEW_PHOTOS)]
    assert library.stores.engine
    return timed(
        f"index {len(photos)} new photos",
        lambda: index_photos(library.stores, photos, actor="benchmark", watch=no_bar),
    )


def asked(port: int, library: Library, clients: int, rounds: int) -> Iterator[Step]:
    """What pages ask for, by one client, then by several at once."""
    for route, paths in routes(library).items():
        yield answers(port, route, paths, rounds, 1)
    for route, paths in searches(library).items():
        yield answers(port, route, paths, rounds, 1)
        yield answers(port, f"{route}, {clients} clients", paths, 2 * clients, clients)


def answers(port: int, what: str, paths: list[str], number: int, clients: int) -> Step:
    """Milliseconds of so many answers, the paths in turn. One more is asked before, which opens what is
    opened on first use."""
    requests: list[Request] = [("GET", f"/api/v1{paths[n % len(paths)]}", None) for n in range(number)]
    ask_together(port, requests[:1], 1)
    busy = time.process_time()
    taken = ask_together(port, requests, clients)
    return step(what, taken, (time.process_time() - busy) * 1e3 / number)


def step(what: str, taken: list[float], busy: float) -> Step:
    """``busy``: processor time of the service for each answer."""
    median = statistics.median(taken)
    return what, median, busy, f"{median:.0f}, {at_95(taken):.0f}, {taken[-1]:.0f} ms; {busy:.1f}"


def routes(library: Library) -> dict[str, list[str]]:
    """Paths of each list, and of persons: the largest, the smallest and some between."""
    persons = PersonCatalogue(library.database).page(limit=5_000).items
    some = [persons[0], persons[1], persons[-1], *persons[:: max(1, len(persons) // 10)]]
    return {
        "the cheapest answer, `/jobs`": ["/jobs"],
        "`/persons?limit=50`": ["/persons?limit=50"],
        "`/persons/{id}`": [f"/persons/{one.id}" for one in some],
        "`/faces/clusters?limit=50`": ["/faces/clusters?limit=50"],
        "`/conflicts?limit=50`": ["/conflicts?limit=50"],
    }


def searches(library: Library) -> dict[str, list[str]]:
    """Paths that compare a face with others: of faces of groups."""
    clusters = ClusterCatalogue(library.database).page(ClusterFilter(), 40).items
    faces = [one.representative_face_id for one in clusters]
    return {
        "`/faces/{id}/suggestions`": [f"/faces/{face}/suggestions" for face in faces],
        "`/faces/{id}/explanation`": [f"/faces/{face}/explanation" for face in faces],
    }


def named(port: int, library: Library, clients: int) -> Step:
    """Name the largest groups, several clients at once."""
    clusters = [one.id for one in ClusterCatalogue(library.database).page(ClusterFilter(), NAMED).items]
    requests = [_naming(cluster, number) for number, cluster in enumerate(clusters)]
    busy = time.process_time()
    taken = ask_together(port, requests, clients)
    return step(
        f"name the largest groups, {NAMED} at most, {clients} clients",
        taken,
        (time.process_time() - busy) * 1e3 / len(requests),
    )


def _naming(cluster: UUID, number: int) -> Request:
    return "POST", "/api/v1/decisions/name-cluster", {"cluster_id": str(cluster), "name": f"Named {number}"}


if __name__ == "__main__":
    main()
