"""Indexes made for approximate search beside our own search for neighbours: memory, recall, time.

    python -m venv /tmp/candidates && /tmp/candidates/bin/pip install usearch faiss-cpu hnswlib pynndescent
    python -m benchmarks.neighbours --faces 100000 --python /tmp/candidates/bin/python

Each finds 32 neighbours of every face (33 with itself) above the similarity that grouping asks for, in a
process of its own. The faces are those of ``benchmarks.clustering``. None of the packages is a dependency; of
one that ``--python`` cannot import the table says so. ``ours`` is ``recognition/clustering/cells.py``;
``exact`` compares all with all. Qdrant's own index is an HNSW, too, but asked by a search for each face.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]
Found = tuple[npt.NDArray[np.integer], Vectors]
"""(n, k) rows and similarities; −1 where there is none."""

NEIGHBOURS, COMPARED, FEW = 33, 1_000, 4


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--faces", type=int, default=100_000)
    parser.add_argument("--python", default=sys.executable, help="one that has the packages")
    parser.add_argument("--only", nargs="*", choices=[*WAYS, *OURS], default=[*OURS, *WAYS])
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        print(json.dumps(measure(*given.child)))
        return
    compare(given.faces, given.python, given.only)


def compare(faces: int, python: str, names: list[str]) -> None:
    """Run each way in a process of its own; print a table."""
    from benchmarks.clustering import made_up_faces
    from benchmarks.report import machine, print_table
    from image_search_service.recognition.clustering.clustering import ClusteringParameters
    from image_search_service.recognition.engines.calibrated import SFACE

    columns = ("", "processor s", "wall s", "MiB beyond the embeddings", "recall: pairs, faces, few")
    rows = []
    with tempfile.TemporaryDirectory(prefix="image-search-bench-") as folder:
        file = Path(folder) / "faces.npz"
        embeddings, _, _ = made_up_faces(faces, 128)
        least = ClusteringParameters.for_engine(SFACE.thresholds, faces).neighbour
        np.savez(file, embeddings=embeddings, least=least)
        for name in names:
            rows.append((name, *_in_a_process(sys.executable if name in OURS else python, name, file)))
            print_table(f"{faces:,} faces, neighbours from {least:.3f}, {machine()}", columns, rows)


def _in_a_process(python: str, name: str, file: Path) -> tuple[str, str, str, str]:
    command = [python, __file__, "--child", name, str(file)]
    done = subprocess.run(command, check=False, capture_output=True)
    if done.returncode:
        return done.stderr.decode().strip().splitlines()[-1], "", "", ""
    one = json.loads(done.stdout)
    recall = f"{one['pairs']:.4f}, {one['faces']:.4f}, {one['few']:.4f}"
    return f"{one['processor']:.1f}", f"{one['wall']:.1f}", f"{one['memory'] / 2**20:,.0f}", recall


def measure(name: str, file: str) -> dict[str, float]:
    """Time, memory and recall of one way."""
    with np.load(file) as arrays:
        embeddings, least = arrays["embeddings"], float(arrays["least"])
    find = {**WAYS, **OURS}[name](embeddings)
    before, wall, busy = _resident(), time.perf_counter(), time.process_time()
    rows, similarity = find(least)
    seconds, processor = time.perf_counter() - wall, time.process_time() - busy
    memory = _peak() - before
    return {
        "wall": seconds,
        "processor": processor,
        "memory": memory,
        **recall(embeddings, least, np.where(similarity >= least, rows, -1)),
    }


def recall(embeddings: Vectors, least: float, rows: npt.NDArray[np.integer]) -> dict[str, float]:
    """Shares of the exact neighbours of some faces of which either end has found the other."""
    some = np.random.default_rng(3).choice(len(embeddings), COMPARED, replace=False)
    product = embeddings[some] @ embeddings.T
    product[np.arange(COMPARED), some] = -1
    found, number = [], []
    for row, face in zip(product, some, strict=True):
        exact = np.argpartition(-row, NEIGHBOURS - 1)[: NEIGHBOURS - 1]
        exact = exact[row[exact] >= least]
        if len(exact):
            found.append(np.mean(np.isin(exact, rows[face]) | (rows[exact] == face).any(axis=1)))
            number.append(len(exact))
    shares, sizes = np.array(found), np.array(number)
    few = sizes <= FEW
    return {
        "pairs": float(np.average(shares, weights=sizes)),
        "faces": float(shares.mean()),
        "few": float(shares[few].mean()) if few.any() else float("nan"),
    }


def _ours(embeddings: Vectors) -> Callable[[float], Found]:
    from image_search_service.recognition.clustering.cells import neighbours_by_cells

    return lambda least: _as_table(
        neighbours_by_cells(
            embeddings, np.arange(len(embeddings)), similarity=least, neighbours=32, memory=2 << 30
        ),
        len(embeddings),
    )


def _exact(embeddings: Vectors) -> Callable[[float], Found]:
    from image_search_service.recognition.clustering.neighbours import exact_neighbours

    return lambda least: _as_table(
        exact_neighbours(
            embeddings, np.arange(len(embeddings)), similarity=least, neighbours=32, memory=2 << 30
        ),
        len(embeddings),
    )


def _as_table(found: tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], Vectors], faces: int) -> Found:
    """Two divisions may both have found a pair: up to twice as many columns."""
    source, target, value = found
    order = np.argsort(source, kind="stable")
    source, target, value = source[order], target[order], value[order]
    place = np.arange(len(source)) - np.searchsorted(source, source)
    rows = np.full((faces, int(place.max()) + 1), -1)
    similarity = np.full(rows.shape, -1, dtype=np.float32)
    rows[source, place], similarity[source, place] = target, value
    return rows, similarity


def _hnswlib(embeddings: Vectors) -> Callable[[float], Found]:
    hnswlib = import_module("hnswlib")

    def find(_: float) -> Found:
        index = hnswlib.Index("ip", embeddings.shape[1])
        index.init_index(len(embeddings), M=16, ef_construction=100)
        index.add_items(embeddings)
        index.set_ef(100)
        rows, distance = index.knn_query(embeddings, NEIGHBOURS)
        return rows.astype(np.int64), 1 - distance

    return find


def _usearch(embeddings: Vectors) -> Callable[[float], Found]:
    usearch = import_module("usearch.index")

    def find(_: float) -> Found:
        index = usearch.Index(
            ndim=embeddings.shape[1], metric="ip", dtype="f32", connectivity=16, expansion_add=100
        )
        index.expansion_search = 100
        index.add(np.arange(len(embeddings)), embeddings)
        found = index.search(embeddings, NEIGHBOURS)
        return np.asarray(found.keys).astype(np.int64), 1 - np.asarray(found.distances)

    return find


def _faiss_ivf(embeddings: Vectors) -> Callable[[float], Found]:
    faiss = import_module("faiss")

    def find(_: float) -> Found:
        cells = int(4 * np.sqrt(len(embeddings)))
        dimension = embeddings.shape[1]
        index = faiss.IndexIVFFlat(faiss.IndexFlatIP(dimension), dimension, cells, faiss.METRIC_INNER_PRODUCT)
        index.cp.max_points_per_centroid = 32
        index.train(embeddings)
        index.add(embeddings)
        index.nprobe = 64
        similarity, rows = index.search(embeddings, NEIGHBOURS)
        return rows, similarity

    return find


def _faiss_hnsw(embeddings: Vectors) -> Callable[[float], Found]:
    faiss = import_module("faiss")

    def find(_: float) -> Found:
        index = faiss.IndexHNSWFlat(embeddings.shape[1], 16, faiss.METRIC_INNER_PRODUCT)
        index.hnsw.efConstruction = index.hnsw.efSearch = 100
        index.add(embeddings)
        similarity, rows = index.search(embeddings, NEIGHBOURS)
        return rows, similarity

    return find


def _pynndescent(embeddings: Vectors) -> Callable[[float], Found]:
    pynndescent = import_module("pynndescent")

    def find(_: float) -> Found:
        rows, distance = pynndescent.NNDescent(
            embeddings, metric="cosine", n_neighbors=NEIGHBOURS, random_state=0
        ).neighbor_graph
        return rows, 1 - distance

    return find


OURS = {"exact": _exact, "ours": _ours}
WAYS = {
    "hnswlib": _hnswlib,
    "usearch": _usearch,
    "faiss IVF": _faiss_ivf,
    "faiss HNSW": _faiss_hnsw,
    "pynndescent": _pynndescent,
}


def _resident() -> int:
    return _status("VmRSS")


def _peak() -> int:
    return _status("VmHWM")


def _status(key: str) -> int:
    """Bytes, as Linux gives them."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(key))


if __name__ == "__main__":
    main()
