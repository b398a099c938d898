"""Embeddings by id: one a call, as the specification has it, as this project does it, and not decoded at all.

    python -m benchmarks.retrieval [--number 1000] [--dimension 512] [--rounds 15] [--json]

The server is the stand-in of ``tests/support`` in a process of its own; it keeps each point's encoded form,
so that the client is what is measured. Ways are measured in turn, round by round, and medians are given, so
that a busy machine slows all of them alike.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from qdrant_client import QdrantClient
from qdrant_client import grpc as messages
from rich.console import Console
from rich.table import Table

from image_search_service.core.types import FloatArray
from image_search_service.vector.face_qdrant import FaceQdrantClient
from image_search_service.vector.grpc_stub import get_points
from tests.support.backends import face_points
from tests.support.qdrant_server import QdrantServer
from tests.support.reference import get_embeddings_as_specified, get_embeddings_one_by_one

BATCH = 100
COLLECTION = "faces_bench"
DELAYS = (0.0, 0.005)
ONE_BY_ONE_SAMPLE = 200  # so many are read one by one and the time scaled up; the calls are independent

Ways = dict[str, Callable[[], object]]


def main() -> None:
    """Measures and prints."""
    options = _options()
    if options.serve is not None:
        serve(options.serve, options.number, options.dimension)
    elif options.memory is not None:
        print(json.dumps(memory(options.memory, options.number, options.dimension)))
    else:
        report(options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--number", type=int, default=1000, help="embeddings to fetch")
    parser.add_argument("--dimension", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--serve", type=float, help=argparse.SUPPRESS)
    parser.add_argument("--memory", help=argparse.SUPPRESS)
    return parser.parse_args()


def serve(delay: float, number: int, dimension: int) -> None:
    """The server's process: prints its ports, serves until standard input ends."""
    engine = QdrantClient(":memory:")
    faces = FaceQdrantClient(engine, COLLECTION, dimension)
    faces.ensure_collection()
    faces.upsert_faces(face_points(number, dimension))
    with QdrantServer(engine, remembers=True) as server:
        for grpc in (True, False):  # once, so that every point has its encoded form
            client = FaceQdrantClient(server.client(grpc=grpc, timeout=60), COLLECTION, dimension)
            client.get_embeddings_by_point_ids(ids_of(number))
        server.gate.delay = delay
        print(server.rest_port, server.grpc_port, flush=True)
        sys.stdin.read()


@contextmanager
def served(delay: float, number: int, dimension: int) -> Iterator[Callable[[bool], QdrantClient]]:
    """A server in another process; gives what opens a client of it, over gRPC or REST."""
    command = [sys.executable, "-m", "benchmarks.retrieval", "--serve", str(delay)]
    sizes = ["--number", str(number), "--dimension", str(dimension)]
    with subprocess.Popen(
        [*command, *sizes],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        rest, grpc_port = map(int, process.stdout.readline().split())
        clients: list[QdrantClient] = []

        def client(grpc: bool) -> QdrantClient:
            clients.append(
                QdrantClient(
                    url=f"http://127.0.0.1:{rest}",
                    grpc_port=grpc_port,
                    prefer_grpc=grpc,
                    check_compatibility=False,
                )
            )
            return clients[-1]

        yield client
        for each in clients:
            each.close()
        process.stdin.close()


def ids_of(number: int) -> list[UUID]:
    return [UUID(int=row + 1) for row in range(number)]


def ways(client: QdrantClient, *, grpc: bool, number: int, dimension: int) -> Ways:
    """The ways to fetch over one protocol."""
    ids = ids_of(number)
    faces = FaceQdrantClient(client, COLLECTION, dimension)
    measured: Ways = {
        "one id a call": lambda: get_embeddings_one_by_one(client, COLLECTION, ids[:ONE_BY_ONE_SAMPLE]),
        "specification": lambda: specified(client, ids),
        "ours": lambda: faces.get_embeddings_by_point_ids(ids, BATCH),
    }
    if grpc:
        measured["not decoded"] = lambda: undecoded(client, ids)
    return measured


def specified(client: QdrantClient, ids: Sequence[UUID]) -> FloatArray:
    """The specification's design to the array that its callers compute with."""
    embeddings = get_embeddings_as_specified(client, COLLECTION, ids, BATCH)
    return np.array([embeddings[point_id] for point_id in ids], dtype=np.float32)


def undecoded(client: QdrantClient, ids: Sequence[UUID]) -> None:
    """The same requests, all at once, their answers received and parsed as messages, no number read."""
    get = get_points(client)
    futures = [
        get(
            messages.GetPoints(
                collection_name=COLLECTION,
                ids=[messages.PointId(uuid=str(point_id)) for point_id in ids[start : start + BATCH]],
                with_vectors=messages.WithVectorsSelector(enable=True),
                with_payload=messages.WithPayloadSelector(enable=False),
            )
        )
        for start in range(0, len(ids), BATCH)
    ]
    for future in futures:
        future.result()


def measure(measured: Ways, rounds: int, number: int) -> dict[str, float]:
    """Median milliseconds of each way; the slow one less often, and scaled up to ``number``."""
    times: dict[str, list[float]] = {name: [] for name in measured}
    for turn in range(rounds + 1):
        for name, way in measured.items():
            if name == "one id a call" and turn > 3:
                continue
            started = time.perf_counter()
            way()
            times[name].append((time.perf_counter() - started) * 1000)
    medians = {name: statistics.median(taken[1:]) for name, taken in times.items()}
    medians["one id a call"] *= number / min(number, ONE_BY_ONE_SAMPLE)
    return medians


def memory(protocol: str, number: int, dimension: int) -> dict[str, float]:
    """How much this process grows at most during one fetch, and the array's size, in MB."""
    with served(0.0, number, dimension) as open_client:
        faces = FaceQdrantClient(open_client(protocol == "gRPC"), COLLECTION, dimension)
        faces.get_embeddings_by_point_ids(ids_of(min(number, 10 * BATCH)))  # what is loaded and pooled once
        ids = ids_of(number)
        gc.collect()
        before = _reset_peak()
        batch = faces.get_embeddings_by_point_ids(ids)
        grown = _status("VmHWM") - before
    return {"array_mb": batch.matrix.nbytes / 2**20, "peak_mb": grown}


def _reset_peak() -> float:
    """Starts the peak of resident memory anew (Linux, proc_pid_clear_refs(5)); what there is now, in MB."""
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def _status(key: str) -> float:
    """A figure of /proc/self/status, in MB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{key}:")) / 1024


def report(options: argparse.Namespace) -> None:
    """Everything, as tables or as JSON."""
    results: dict[str, Any] = {"machine": machine(), "number": options.number, "dimension": options.dimension}
    for delay in DELAYS:
        with served(delay, options.number, options.dimension) as open_client:
            for protocol, grpc in (("gRPC", True), ("REST", False)):
                measured = ways(
                    open_client(grpc), grpc=grpc, number=options.number, dimension=options.dimension
                )
                results[f"{protocol} +{delay * 1000:g} ms"] = measure(
                    measured, options.rounds, options.number
                )
    for protocol in ("gRPC", "REST"):
        results[f"memory {protocol}"] = _memory_apart(protocol, 20 * options.number, options.dimension)
    if options.json:
        print(json.dumps(results))
    else:
        show(results)


def _memory_apart(protocol: str, number: int, dimension: int) -> Any:
    command = [sys.executable, "-m", "benchmarks.retrieval", "--memory", protocol]
    sizes = ["--number", str(number), "--dimension", str(dimension)]
    run = subprocess.run([*command, *sizes], check=True, capture_output=True, text=True)
    return json.loads(run.stdout.splitlines()[-1])


def machine() -> str:
    client = version("qdrant-client")
    return f"{os.cpu_count()} cores, Python {platform.python_version()}, qdrant-client {client}"


def show(results: dict[str, Any]) -> None:
    """The tables of docs/performance.md."""
    console = Console()
    console.print(f"{results['number']} embeddings of {results['dimension']} numbers; {results['machine']}")
    table = Table("", "one id a call", "specification", "ours", "not decoded", "faster by", "of the limit")
    for name, row in results.items():
        if isinstance(row, dict) and "ours" in row:
            table.add_row(name, *_cells(row))
    console.print(table)
    for name, row in results.items():
        if isinstance(row, dict) and "peak_mb" in row:
            array, peak = row["array_mb"], row["peak_mb"]
            console.print(f"{name}: array {array:.1f} MB, peak {peak:.1f} MB, {peak / array:.2f} times")


def _cells(row: dict[str, float]) -> list[str]:
    ours, limit = row["ours"], row.get("not decoded")
    faster = f"{row['one id a call'] / ours:.0f}, {row['specification'] / ours:.1f}"
    times = [f"{row[name]:,.0f} ms" for name in ("one id a call", "specification", "ours")]
    return [*times, f"{limit:,.0f} ms" if limit else "", faster, f"{ours / limit:.2f}" if limit else ""]


if __name__ == "__main__":
    main()
