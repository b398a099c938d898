"""Embeddings by id: one a call, as the specification has it, as this project does it, and not decoded at all.

    python -m benchmarks.retrieval [--number 100 1000] [--dimension 512] [--rounds 15] [--url URL] [--json]

The server is one of one's own, or the stand-in in another process, 0, 5 and 20 ms slower than it is
(``benchmarks/server.py``). Ways are measured in turn, round by round, and medians are given, so that a busy
machine slows all of them alike.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from qdrant_client import QdrantClient
from qdrant_client import grpc as messages

from benchmarks.before import get_embeddings_as_specified, get_embeddings_one_by_one
from benchmarks.report import machine, print_table
from benchmarks.server import MeasuredServer, add_server_arguments, measured_server
from image_search_service.core.types import FloatArray
from image_search_service.vector.face_qdrant import FaceQdrantClient
from image_search_service.vector.grpc_stub import get_points
from image_search_service.vector.retrieval_bench import temporary_faces

BATCH = 100
ONE_BY_ONE_SAMPLE = 200  # so many are read one by one and the time scaled up; the calls are independent
NAMES = ("one id a call", "specification", "ours", "not decoded")

Ways = dict[str, Callable[[], object]]


def main() -> None:
    """Measures and prints."""
    options = _options()
    if options.memory is not None:
        with measured_server(options.url, options.grpc_port) as server:
            print(json.dumps(memory(server, options.memory, max(options.number), options.dimension)))
    else:
        report(options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--number", type=int, nargs="+", default=[100, 1000], help="embeddings to fetch")
    parser.add_argument("--dimension", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--memory", help=argparse.SUPPRESS)
    add_server_arguments(parser)
    return parser.parse_args()


def ids_of(number: int) -> list[UUID]:
    """The ids of the faces that ``temporary_faces`` makes up."""
    return [UUID(int=row + 1) for row in range(number)]


def ways(faces: FaceQdrantClient, *, grpc: bool, number: int) -> Ways:
    """The ways to fetch over one protocol."""
    ids, client, name = ids_of(number), faces.client, faces.collection_name
    measured: Ways = {
        "one id a call": lambda: get_embeddings_one_by_one(client, name, ids[:ONE_BY_ONE_SAMPLE]),
        "specification": lambda: specified(client, name, ids),
        "ours": lambda: faces.get_embeddings_by_point_ids(ids, BATCH),
    }
    if grpc:
        measured["not decoded"] = lambda: undecoded(client, name, ids)
    return measured


def specified(client: QdrantClient, name: str, ids: Sequence[UUID]) -> FloatArray:
    """The specification's design to the array that its callers compute with."""
    embeddings = get_embeddings_as_specified(client, name, ids, BATCH)
    return np.array([embeddings[point_id] for point_id in ids], dtype=np.float32)


def undecoded(client: QdrantClient, name: str, ids: Sequence[UUID]) -> None:
    """The same requests, all at once, their answers received and parsed as messages, no number read."""
    get = get_points(client)
    futures = [
        get(
            messages.GetPoints(
                collection_name=name,
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


def memory(server: MeasuredServer, protocol: str, number: int, dimension: int) -> dict[str, float]:
    """How much this process grows at most during one fetch, and the array's size, in MB."""
    with temporary_faces(server.client(grpc=protocol == "gRPC"), number, dimension) as faces:
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
    most, dimension = max(options.number), options.dimension
    rows = []
    with (
        measured_server(options.url, options.grpc_port) as server,
        temporary_faces(server.client(grpc=True), most, dimension) as made,
    ):
        for number, grpc, delay in product(options.number, (True, False), server.delays):
            server.set_delay(delay)
            faces = FaceQdrantClient(server.client(grpc=grpc), made.collection_name, dimension)
            row = {"number": number, "protocol": "gRPC" if grpc else "REST", "delay_ms": delay * 1000}
            rows.append(row | measure(ways(faces, grpc=grpc, number=number), options.rounds, number))
        server.set_delay(0)
        name = server.name
    grown = {protocol: _memory_apart(protocol, 20 * most, options) for protocol in ("gRPC", "REST")}
    results = {"machine": machine(), "server": name, "dimension": dimension, "times": rows, "memory": grown}
    if options.json:
        print(json.dumps(results))
    else:
        show(results)


def _memory_apart(protocol: str, number: int, options: argparse.Namespace) -> Any:
    command = [sys.executable, "-m", "benchmarks.retrieval", "--memory", protocol]
    command += ["--number", str(number), "--dimension", str(options.dimension)]
    command += ["--url", options.url, "--grpc-port", str(options.grpc_port)] if options.url else []
    run = subprocess.run(command, check=True, capture_output=True, text=True)
    return json.loads(run.stdout.splitlines()[-1])


def show(results: dict[str, Any]) -> None:
    """The tables of docs/performance.md."""
    columns = ["embeddings", "protocol, delay", *NAMES, "times faster", "of the limit"]
    title = f"Embeddings of {results['dimension']} numbers from {results['server']}; {results['machine']}"
    print_table(title, columns, [_cells(row) for row in results["times"]])
    for protocol, row in results["memory"].items():
        array, peak = row["array_mb"], row["peak_mb"]
        print(f"{protocol}: array {array:.1f} MB, peak {peak:.1f} MB, {peak / array:.2f} times")


def _cells(row: dict[str, Any]) -> list[str]:
    ours, limit = row["ours"], row.get("not decoded")
    return [
        f"{row['number']:,}",
        f"{row['protocol']}, {row['delay_ms']:g} ms",
        *(f"{row[name]:,.1f} ms" if name in row else "–" for name in NAMES),
        f"{row['one id a call'] / ours:.0f}, {row['specification'] / ours:.1f}",
        f"{ours / limit:.2f}" if limit else "–",
    ]


if __name__ == "__main__":
    main()
