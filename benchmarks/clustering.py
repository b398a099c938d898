"""How fast, and with how much memory, clustering works.

    python benchmarks/clustering.py [N …] [--dimension 512]

Faces are made up: as many people as in a real library have one face, a few have hundreds (sizes follow
Zipf's law), one photo in three shows two people. Each size runs in a process of its own, so that the peak of
memory is that size's; a small run before it keeps imports out of the time.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time

import numpy as np
from rich.console import Console
from rich.table import Table

from image_search_service.core.types import FloatArray, IntArray
from image_search_service.recognition.clustering.clustering import ClusteringParameters, cluster_embeddings
from image_search_service.recognition.evaluation import score_clustering

PARAMETERS = ClusteringParameters(neighbour=0.45)
ALIKE = 0.6
"""Mean similarity of two faces of one person, as ArcFace-like models have it."""
FREEDOM = 100
"""Directions in which faces differ: strangers' similarities spread by 1 / √100, as they do in practice."""


def main() -> None:
    given = _arguments()
    if given.child:
        print(json.dumps(measure(given.sizes[0], given.dimension, given.memory << 20)))
        return
    console = Console()
    table = Table(title=f"{given.dimension} numbers, {given.memory:,} MiB allowed")
    for name in (
        "faces",
        "seconds",
        "faces/s",
        "peak MiB",
        "of it faces",
        "clusters",
        "people > 1",
        "BCubed F",
    ):
        table.add_column(name, justify="right")
    for size in given.sizes:
        found = _in_a_process(size, given)
        table.add_row(
            f"{size:,}",
            f"{found['seconds']:.2f}",
            f"{size / found['seconds']:,.0f}",
            f"{found['peak'] / 2**20:,.0f}",
            f"{found['own'] / 2**20:,.0f}",
            f"{found['clusters']:,}",
            f"{found['people']:,}",
            f"{found['bcubed']:.4f}",
        )
    console.print(table)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sizes", type=int, nargs="*", default=[1_000, 10_000, 100_000], metavar="N")
    parser.add_argument("--dimension", type=int, default=512)
    parser.add_argument("--memory", type=int, default=2_048, help="MiB allowed beyond the embeddings")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args()


def _in_a_process(size: int, given: argparse.Namespace) -> dict[str, float]:
    options = ["--dimension", str(given.dimension), "--memory", str(given.memory)]
    done = subprocess.run(
        [sys.executable, __file__, str(size), *options, "--child"], check=True, stdout=subprocess.PIPE
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def measure(size: int, dimension: int, memory: int) -> dict[str, float]:
    """Seconds of one clustering, the process's peak of memory, and what came out."""
    parameters = ClusteringParameters(neighbour=PARAMETERS.neighbour)
    embeddings, people, photos = made_up_faces(size, dimension)
    few = min(size, 500)
    cluster_embeddings(embeddings[:few], photos[:few], parameters, memory)
    started = time.perf_counter()
    found = cluster_embeddings(embeddings, photos, parameters, memory)
    return {
        "seconds": time.perf_counter() - started,
        "peak": peak_memory(),
        "own": embeddings.nbytes,
        "clusters": found.clusters,
        "people": int(np.count_nonzero(np.bincount(people) > 1)),
        "bcubed": score_clustering(people, found.labels).bcubed.f,
    }


def made_up_faces(size: int, dimension: int, seed: int = 0) -> tuple[FloatArray, IntArray, IntArray]:
    """Embeddings ``(n, d)``, who each face is, and its photo, all the same for the same seed."""
    random = np.random.default_rng(seed)
    sizes = np.minimum(random.zipf(1.7, size), max(size // 50, 1))
    people = np.repeat(np.arange(size), sizes)[:size]
    photos = np.arange(size) % (size - size // 3 or 1)  # neighbours in this order are of one person
    middle = random.standard_normal((people[-1] + 1, FREEDOM), dtype=np.float32)
    spread = random.standard_normal((FREEDOM, dimension), dtype=np.float32)
    embeddings = np.empty((size, dimension), dtype=np.float32)
    for start in range(0, size, 10_000):
        own = people[start : start + 10_000]
        noise = random.standard_normal((len(own), FREEDOM), dtype=np.float32)
        rows = (np.sqrt(ALIKE) * middle[own] + np.sqrt(1 - ALIKE) * noise).astype(np.float32) @ spread
        embeddings[start : start + 10_000] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    order = random.permutation(size)
    return embeddings[order], people[order], photos[order]


def peak_memory() -> int:
    """Bytes of memory that this process had at most."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


if __name__ == "__main__":
    main()
