"""How long the answers take that pages wait for, in a large library.

    python -m benchmarks.pages --faces 100000 --photos 50000 --people 5000

The library is made up, as by ``image-search bench library``: people of unequal size, unnamed groups, faces
alone, suggestions that wait, decisions. Each route is asked over HTTP, one request at a time, for
the largest, the smallest and random people and groups, and for places far down in each list.
``--library FOLDER`` keeps the library, or measures one that was kept.
"""

from __future__ import annotations

import http.client
import math
import random
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path

import uvicorn

from benchmarks.made import library_options, made_library
from benchmarks.report import machine, print_table
from image_search_service.cli.serve import listening_socket
from image_search_service.core.records.faces import ClusterFilter
from image_search_service.core.records.photos import PhotoFilter, PhotoOrder
from image_search_service.library.opening import Library
from image_search_service.main import create_app, prepare_to_serve
from image_search_service.services.people.clusters import ClusterCatalogue
from image_search_service.services.people.persons import PersonCatalogue
from image_search_service.services.photos.photos import PhotoCatalogue

ROUNDS = 40
GOAL_MS = 100.0
Paths = dict[str, list[str]]


def main() -> None:
    parser = library_options(__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="answers of each route")
    parser.add_argument("--only", default="", help="routes that have this in them")
    given = parser.parse_args()
    with made_library(given) as library, serving(library) as port:
        measure(port, sampled(library), given.only, given.rounds)


@contextmanager
def serving(library: Library) -> Iterator[int]:
    """The API on a port of this machine, served as ``image-search serve`` does it."""
    with listening_socket("127.0.0.1", 0) as listening:
        config = uvicorn.Config(create_app(library, run_jobs=False), log_level="warning")
        server = uvicorn.Server(config)
        prepare_to_serve()
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.05)
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


def sampled(library: Library) -> Paths:
    """Of each route several paths: of the largest, the smallest and some random persons and clusters."""
    chance = random.Random(0)  # noqa: S311 - the same paths each time
    persons = PersonCatalogue(library.database).page(limit=5_000).items
    clusters = ClusterCatalogue(library.database).page(ClusterFilter(), 200).items
    photos = PhotoCatalogue(library.database).page(PhotoFilter(), PhotoOrder.OLDEST_FIRST, 1_000, 200).items
    who = [persons[0].id, persons[1].id, persons[-1].id, *(one.id for one in chance.sample(persons, 10))]
    groups = [clusters[0].id, clusters[-1].id, *(one.id for one in chance.sample(clusters, 8))]
    assets = [item.photo.id for item in chance.sample(photos, 10)]
    last_faces, half = max(0, persons[0].faces - 50), len(persons) // 2
    ada, grace = persons[0].id, persons[1].id
    folder = str(PhotoCatalogue(library.database).folders()[0].path)
    return {
        "/library": [""],
        "/persons/names": [""],
        "/persons": ["", "?limit=200", f"?offset={half}"],
        "/persons?order=name": ["", f"&offset={half}"],
        "/persons?order=newest": ["", f"&offset={half}"],
        "/persons?order=waiting": ["", f"&offset={half}"],
        "/persons/{id}": [f"{one}" for one in who],
        "/persons/{id}/faces": [*(f"{one}" for one in who), f"{ada}?offset={last_faces}"],
        "/persons/{id}/faces?order=quality": [f"{one}" for one in who],
        "/persons/{id}/faces?order=odd": [f"{one}" for one in who],
        "/persons/{id}/photos": [f"{one}" for one in who],
        "/persons/{id}/with": [f"{one}" for one in who],
        "/persons/{id}/suggestions": [f"{one}" for one in who],
        "/faces/clusters": ["", "?limit=200", "?offset=2000", "?min_size=3&max_size=5"],
        "/faces/clusters/{id}": [f"{one}" for one in groups],
        "/faces/clusters/{id}/persons": [f"{one}" for one in groups],
        "/faces?state=alone": ["", "&offset=5000"],
        "/faces?state=not_a_face": [""],
        "/assets": ["", "?offset=25000", "?order=date&offset=45000", "?limit=200"],
        "/assets?person_id=": [f"{ada}", f"{ada}&person_id={grace}", f"{ada}&without={grace}"],
        "/assets?unknown=true": ["", "&offset=10000"],
        "/assets?folder=": [folder, f"{Path(folder).parent}"],
        "/assets/months": ["", f"?person_id={ada}", "?unknown=true"],
        "/assets/folders": [""],
        "/assets/{id}/faces": [f"{one}" for one in assets],
        "/photos/failed": [""],
        "/suggestions": [""],
        "/review/next": ["", "?limit=1"],
        "/decisions": [""],
        "/decisions?subject_id=": [f"{one}" for one in who],
        "/jobs": [""],
    }


def measure(port: int, paths: Paths, only: str, rounds: int) -> None:
    """Ask each route ``rounds`` times, its paths in turn; print a table. processor: what an answer takes
    of it, with the client's part: on a machine with other work it says more than the clock."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    rows = []
    for route, samples in paths.items():
        if only not in route:
            continue
        ask(connection, path_of(route, samples[0]))  # what is opened on first use is open
        took = [ask(connection, path_of(route, samples[number % len(samples)])) for number in range(rounds)]
        times, work = (sorted(each) for each in zip(*took, strict=True))
        p95, work95 = at_95(times), at_95(work)
        slow = "" if p95 < GOAL_MS else "slow"
        figures = [statistics.median(times), p95, statistics.median(work), work95]
        rows.append((route, *(f"{figure:.0f}" for figure in figures), slow))
    columns = ("route", "p50", "p95", "processor p50", "processor p95", "")
    print_table(f"answers in ms, {machine()}", columns, rows)


def at_95(figures: list[float]) -> float:
    """Of sorted figures the one that 95 of 100 do not exceed."""
    return figures[math.ceil(0.95 * len(figures)) - 1]


def path_of(route: str, sample: str) -> str:
    """The path of a route with a sample in it, which may bring parameters of its own."""
    if "{id}" not in route:
        return f"/api/v1{route}{sample}"
    name, _, query = sample.partition("?")
    path = f"/api/v1{route.replace('{id}', name)}"
    return f"{path}{'&' if '?' in path else '?'}{query}" if query else path


def ask(connection: http.client.HTTPConnection, path: str) -> tuple[float, float]:
    """Of one answer, in milliseconds: how long it took, and how much of the processor."""
    started, busy = time.perf_counter(), time.process_time()
    connection.request("GET", path)
    answer = connection.getresponse()
    body = answer.read()
    took = (time.perf_counter() - started) * 1e3, (time.process_time() - busy) * 1e3
    if answer.status != HTTPStatus.OK:
        raise SystemExit(f"{path}: {answer.status} {body[:300]!r}")
    return took


if __name__ == "__main__":
    main()
