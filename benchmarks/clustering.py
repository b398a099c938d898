"""How fast, and with how much memory, clustering works, and how many neighbours it finds.

    python -m benchmarks.clustering [N …] [--dimension 512]

Faces are made up: similarities spread like those of the engine opencv (``recognition/made_up.py``), as many
people as in a real library have one face, a few have thousands (sizes follow Zipf's law), one photo in three
shows two people. ``--dimension`` writes the same similarities in more numbers, which cost more to compare.
Each size runs in a process of its own, so that the peak of memory is that size's; a small run before it keeps
imports out of the time. Recall: of 1,000 faces, compared with all others, the share of their neighbours that
are in the graph; in the mean over all, over faces, and over faces with at most four neighbours.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from unittest.mock import patch

import numpy as np

from benchmarks.report import machine, print_table
from image_search_service.core.types import FloatArray, IntArray
from image_search_service.recognition.clustering import cells, clustering, neighbours
from image_search_service.recognition.clustering.clustering import ClusteringParameters, cluster_embeddings
from image_search_service.recognition.clustering.neighbours import NeighbourGraph
from image_search_service.recognition.engines.calibrated import SFACE
from image_search_service.recognition.evaluation import score_clustering
from image_search_service.recognition.made_up import SFACE_SPREAD

COMPARED = 1_000
FEW = 4
COLUMNS = (
    "faces", "seconds", "processor s", "of it neighbours", "peak MiB", "of it faces", "edges",
    "recall: pairs, faces, few", "clusters", "people > 1", "BCubed F",
)  # fmt: skip


def main() -> None:
    given = _arguments()
    if given.child:
        print(json.dumps(measure(given.sizes[0], given.dimension, given.memory << 20)))
        return
    rows = []
    for size in given.sizes:
        found = _in_a_process(size, given)
        rows.append(
            (
                f"{size:,}",
                f"{found['seconds']:.1f}",
                f"{found['processor']:.1f}",
                f"{found['neighbours']:.1f}",
                f"{found['peak'] / 2**20:,.0f}",
                f"{found['own'] / 2**20:,.0f}",
                f"{found['edges']:,}",
                f"{found['pairs']:.4f}, {found['faces']:.4f}, {found['few']:.4f}",
                f"{found['clusters']:,}",
                f"{found['people']:,}",
                f"{found['bcubed']:.4f}",
            )
        )
        print_table(f"{given.dimension} numbers, {given.memory:,} MiB allowed, {machine()}", COLUMNS, rows)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sizes", type=int, nargs="*", default=[1_000, 10_000, 100_000], metavar="N")
    parser.add_argument("--dimension", type=int, default=SFACE_SPREAD.dimension)
    parser.add_argument("--memory", type=int, default=6_144, help="MiB allowed beyond the embeddings")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def _in_a_process(size: int, given: argparse.Namespace) -> dict[str, float]:
    options = ["--dimension", str(given.dimension), "--memory", str(given.memory)]
    command = [sys.executable, "-m", "benchmarks.clustering", str(size), *options, "--child"]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def measure(size: int, dimension: int, memory: int) -> dict[str, float]:
    """Seconds of one clustering, the process's peak of memory, and what came out."""
    parameters = ClusteringParameters.for_engine(SFACE.thresholds, size)
    embeddings, people, photos = made_up_faces(size, dimension)
    few = min(size, 500)
    cluster_embeddings(embeddings[:few], photos[:few], parameters, memory)
    watched = WatchedSearch()
    started, busy = time.perf_counter(), time.process_time()
    with patch.object(clustering, "neighbour_graph", watched.search):
        found = cluster_embeddings(embeddings, photos, parameters, memory)
    seconds, processor, peak = time.perf_counter() - started, time.process_time() - busy, peak_memory()
    return {
        "seconds": seconds,
        "processor": processor,
        "neighbours": watched.processor,
        "peak": peak,
        "own": embeddings.nbytes,
        "edges": len(watched.graph.left),
        "clusters": found.clusters,
        "people": int(np.count_nonzero(np.bincount(people) > 1)),
        "bcubed": score_clustering(people, found.labels).bcubed.f,
        **recall(embeddings, photos, parameters, watched.graph),
    }


class WatchedSearch:
    """Stands in for the search for neighbours that clustering makes, to keep its graph and its time."""

    def __init__(self) -> None:
        self.processor = 0.0
        self.graph = NeighbourGraph(0, *(np.empty(0, dtype=np.int32),) * 2, np.empty(0, dtype=np.float32))

    def search(self, *args: FloatArray | IntArray, **options: int) -> NeighbourGraph:
        busy = time.process_time()
        self.graph = neighbours.neighbour_graph(*args, **options)  # type: ignore[arg-type]
        self.processor = time.process_time() - busy
        return self.graph


def made_up_faces(size: int, dimension: int, seed: int = 0) -> tuple[FloatArray, IntArray, IntArray]:
    """Embeddings ``(n, d)``, who each face is, and its photo, all the same for the same seed."""
    random = np.random.default_rng(seed)
    sizes = np.minimum(random.zipf(1.7, size), max(size // 50, 1))
    people = np.repeat(np.arange(size), sizes)[:size]
    photos = np.arange(size) % (size - size // 3 or 1)  # neighbours in this order are of one person
    order = random.permutation(size)
    people, photos = people[order], photos[order]
    axes = np.linalg.qr(random.standard_normal((dimension, SFACE_SPREAD.dimension)))[0].T.astype(np.float32)
    embeddings = np.empty((size, dimension), dtype=np.float32)
    filled = 0
    for rows in SFACE_SPREAD.faces(random, people):
        embeddings[filled : filled + len(rows)] = rows if dimension == rows.shape[1] else rows @ axes
        filled += len(rows)
    return embeddings, people, photos


def recall(
    embeddings: FloatArray, photos: IntArray, parameters: ClusteringParameters, graph: NeighbourGraph
) -> dict[str, float]:
    """Shares of the exact neighbours of some faces that are in the graph."""
    n = len(embeddings)
    some = np.sort(np.random.default_rng(3).choice(n, min(n, COMPARED), replace=False)).astype(np.int32)
    faces = cells.Comparison(embeddings, photos, parameters.neighbour, parameters.neighbours)
    source, target, _ = cells.exact_choice(faces, some)
    left, right = np.minimum(source, target).astype(np.int64), np.maximum(source, target)
    found = np.isin(left * n + right, graph.left.astype(np.int64) * n + graph.right)
    number = np.bincount(source, minlength=n)[source]
    few = number <= FEW
    return {
        "pairs": float(found.mean()),
        "faces": float(np.average(found, weights=1 / number)),
        "few": float(np.average(found[few], weights=1 / number[few])) if few.any() else float("nan"),
    }


def peak_memory() -> int:
    """Bytes of memory that this process had at most."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


if __name__ == "__main__":
    main()
