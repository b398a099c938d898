"""How long answers take while many ask at once, in a large library.

    python -m benchmarks.side_by_side --faces 100000 --photos 50000 --people 5000

The library is made up as ``benchmarks.pages`` makes it, and served as ``image-search serve`` does it. First a
face's suggestions and its explanation are asked for one after the other, then by ``--clients`` threads of
another process. Then the ``--named`` largest clusters are named by all clients at once, each with the search
for more faces that the pages ask for; last, namings and suggestions in turn, so that hardly any two answers
are of the same state. No job runs meanwhile.
``--library FOLDER`` keeps the library, or measures one that was kept; naming changes it, so measure a copy.
"""

from __future__ import annotations

import argparse
import http.client
import json
import multiprocessing
import statistics
import threading
import time
import uuid
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from sqlalchemy import func, select

from benchmarks.made import library_options, made_library
from benchmarks.pages import at_95, serving
from benchmarks.report import machine, print_table
from image_search_service.db.models import ClusterRow, FaceInstance
from image_search_service.library.opening import Library

CLIENTS = 32
READS = 320
"""Answers of each kind that are measured."""
NAMED = 200
ALONE = 30


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asks. body: of a POST, None for a GET."""

    path: str
    body: dict[str, Any] | None = None


def main() -> None:
    given = _options()
    with (
        made_library(given, database_url=given.database, qdrant_url=given.url) as library,
        serving(library) as port,
        ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool,
    ):
        clients = Clients(pool, port)
        rows = [clients.measured(*one) for one in _asked(library, given) if given.only in one[0]]
    columns = ("asked", "clients", "p50", "p95", "most", "a second", "processor of each", "failed")
    print_table(f"answers in ms, {machine()}", columns, rows)


def _options() -> argparse.Namespace:
    parser = library_options(__doc__)
    parser.add_argument("--clients", type=int, default=CLIENTS)
    parser.add_argument("--reads", type=int, default=READS, help="answers of each kind")
    parser.add_argument("--named", type=int, default=NAMED, help="clusters that are named")
    parser.add_argument("--only", default="", help="what has this in its name")
    parser.add_argument("--database", help="the address of a PostgreSQL database; else SQLite")
    parser.add_argument("--url", help="the address of a Qdrant server; else the embedded engine")
    return parser.parse_args()


class Clients:
    """Asks from another process, so that clients take nothing of the service's interpreter."""

    def __init__(self, pool: ProcessPoolExecutor, port: int) -> None:
        self._pool = pool
        self._port = port

    def measured(self, what: str, requests: Sequence[Request], clients: int) -> tuple[str, ...]:
        """A row of the table: all requests, by so many clients at once."""
        started, busy = time.perf_counter(), time.process_time()
        taken, failed = self._pool.submit(answered, self._port, requests, clients).result()
        seconds, processor = time.perf_counter() - started, time.process_time() - busy
        figures = [statistics.median(taken), at_95(taken), taken[-1]]
        return (
            what,
            str(clients),
            *(f"{figure:,.0f}" for figure in figures),
            f"{len(requests) / seconds:.0f}",
            f"{processor * 1e3 / len(requests):.0f}",
            str(failed),
        )


def answered(port: int, requests: Sequence[Request], clients: int) -> tuple[list[float], int]:
    """Milliseconds of each answer, ascending, and how many were errors: ``clients`` threads take the next
    request as they are free."""
    left, answers = deque(requests), []

    def client() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
        connection.connect()
        while left:
            try:
                request = left.popleft()
            except IndexError:  # another client took the last one
                return
            answers.append(_ask(connection, request))

    threads = [threading.Thread(target=client) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(took for took, _ in answers), sum(status != HTTPStatus.OK for _, status in answers)


def _ask(connection: http.client.HTTPConnection, request: Request) -> tuple[float, int]:
    started = time.perf_counter()
    if request.body is None:
        connection.request("GET", request.path)
    else:
        headers = {"Content-Type": "application/json"}
        connection.request("POST", request.path, json.dumps(request.body), headers)
    answer = connection.getresponse()
    answer.read()
    return (time.perf_counter() - started) * 1e3, answer.status


def _asked(library: Library, given: argparse.Namespace) -> list[tuple[str, Sequence[Request], int]]:
    """What is asked, and by how many clients."""
    faces = [f"/api/v1/faces/{face}" for face in _unnamed_faces(library, given.reads)]
    suggestions, explanations = (
        [Request(f"{face}/{what}") for face in faces] for what in ("suggestions", "explanation")
    )
    named = [_naming(cluster, number) for number, cluster in enumerate(_clusters(library, 2 * given.named))]
    at_once, after = named[: given.named], named[given.named :]
    pairs = zip(after[ALONE:], suggestions, strict=False)
    return [
        ("suggestions, the first", suggestions[:1], 1),
        ("suggestions", suggestions[:ALONE], 1),
        ("suggestions", suggestions, given.clients),
        ("explanation", explanations[:ALONE], 1),
        ("explanation", explanations, given.clients),
        ("naming", after[:ALONE], 1),
        ("naming", at_once, given.clients),
        ("naming and suggestions in turn", [request for pair in pairs for request in pair], given.clients),
    ]


def _unnamed_faces(library: Library, number: int) -> list[uuid.UUID]:
    with library.database.read() as session:
        unnamed = select(FaceInstance.id).where(FaceInstance.person_id.is_(None)).order_by(FaceInstance.id)
        return list(session.scalars(unnamed.limit(number)))


def _clusters(library: Library, number: int) -> list[uuid.UUID]:
    """The largest first."""
    with library.database.read() as session:
        largest = (
            select(FaceInstance.cluster_id)
            .join(ClusterRow, ClusterRow.id == FaceInstance.cluster_id)
            .group_by(FaceInstance.cluster_id)
            .order_by(func.count().desc(), FaceInstance.cluster_id)
        )
        return [cluster for cluster in session.scalars(largest.limit(number)) if cluster is not None]


def _naming(cluster: uuid.UUID, number: int) -> Request:
    body = {"cluster_ids": [str(cluster)], "name": f"Somebody {number} {cluster.hex[:6]}"}
    return Request("/api/v1/decisions/name-clusters", body)


if __name__ == "__main__":
    main()
