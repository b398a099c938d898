"""How good the groups are, on embeddings of known people, against other rules; and with other parameters.

    python -m benchmarks.grouping compare FILE.npz --engine opencv    # the default and other rules
    python -m benchmarks.grouping grid FILE.npz --engine opencv       # other parameters, best first
    python -m benchmarks.grouping validate FILE.npz --engine opencv  # chosen on half, scored on the rest
    python -m benchmarks.grouping sizes FILE.npz --engine opencv      # libraries of few and many people

FILE.npz comes from ``benchmarks.faces_file``. Other rules get the threshold that is best on these very faces,
ours does not. HDBSCAN is scikit-learn's, which is not among the program's own dependencies.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from scipy import sparse
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.sparse.csgraph import connected_components

from benchmarks.faces_file import Faces
from benchmarks.report import print_table
from image_search_service.core.types import FloatArray, IntArray
from image_search_service.recognition.clustering.clustering import ClusteringParameters, cluster_embeddings
from image_search_service.recognition.engines.calibrated import MEASURED
from image_search_service.recognition.evaluation import Scores

MEMORY = 4 << 30
Rule = Callable[[Faces], IntArray]


def main() -> None:
    given = _arguments()
    faces = Faces.read(given.file)
    faces = faces.where(faces.recognizable(given.engine) | faces.middle)
    {"compare": compare, "grid": grid, "validate": validate, "sizes": sizes}[given.command](
        faces, given.engine
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=["compare", "grid", "validate", "sizes"])
    parser.add_argument("file", type=Path)
    parser.add_argument("--engine", required=True, choices=[*MEASURED])
    return parser.parse_args()


def _ours(engine: str, **changes: float) -> Rule:
    def group(faces: Faces) -> IntArray:
        kept = faces.recognizable(engine)
        parameters = ClusteringParameters.for_engine(MEASURED[engine].thresholds, int(kept.sum()))
        found = cluster_embeddings(
            faces.embeddings[kept],
            faces.photos[kept],
            replace(parameters, **changes),  # type: ignore[arg-type]
            MEMORY,
        )
        labels = np.full(len(kept), -1, dtype=np.int64)
        labels[kept] = found.labels
        return labels

    return group


def _both(scores: Scores) -> float:
    """What is to be as great as possible: the mean of both measures."""
    return (scores.pairwise.f + scores.bcubed.f) / 2


# The default and others


def compare(faces: Faces, engine: str) -> None:
    """The default and the rules of other programs, all on the same faces."""
    limits = MEASURED[engine].thresholds
    steps = limits.baseline + (1 - limits.baseline) * np.arange(0.25, 0.66, 0.05)
    rows = [
        _best("average linkage", faces, _average_linkage(faces), 1 - steps),
        _best("Chinese whispers", faces, partial(_chinese_whispers, faces), steps),
        _best("neighbours within a distance, at least 3 (Immich)", faces, partial(_immich, faces), 1 - steps),
        ("the same at 0.5", faces.scores(_immich(faces, 0.5))),
        ("HDBSCAN, at least 3 faces (scikit-learn)", faces.scores(_sklearn_hdbscan(faces))),
        ("here", faces.scores(_ours(engine)(faces))),
    ]
    _show(rows)


def _best(
    name: str, faces: Faces, rule: Callable[[float], IntArray], steps: Iterable[float]
) -> tuple[str, Scores]:
    found = [(float(step), faces.scores(rule(float(step)))) for step in steps]
    step, scores = max(found, key=lambda one: _both(one[1]))
    return f"{name}, best at {step:.3f}", scores


def _distances(faces: Faces) -> FloatArray:
    distances: FloatArray = np.maximum(1 - faces.embeddings @ faces.embeddings.T, np.float32(0))
    np.fill_diagonal(distances, 0)
    return distances


def _sklearn_hdbscan(faces: Faces) -> IntArray:
    from sklearn.cluster import HDBSCAN

    euclidean = np.sqrt(2 * _distances(faces).astype(np.float64))
    labels: IntArray = HDBSCAN(min_cluster_size=3, metric="precomputed", copy=False).fit_predict(euclidean)
    return labels


def _immich(faces: Faces, distance: float) -> IntArray:
    """Faces with two neighbours within reach are cores; connected cores are a group, others join a core."""
    near = _distances(faces) <= distance
    core = near.sum(axis=1) >= 3
    between = sparse.csr_array(near & core & core[:, None])
    labels = connected_components(between, directed=False)[1].astype(np.int64)
    reached = near & core
    others = ~core & reached.any(axis=1)
    labels[others] = labels[np.argmax(reached[others], axis=1)]
    labels[~core & ~others] = -1
    return labels


def _average_linkage(faces: Faces) -> Callable[[float], IntArray]:
    condensed = _distances(faces)[np.triu_indices(len(faces.people), 1)]
    tree = linkage(condensed, "average")
    return lambda distance: np.asarray(fcluster(tree, distance, "distance"), dtype=np.int64)


def _chinese_whispers(faces: Faces, similarity: float, rounds: int = 20) -> IntArray:
    """Biemann 2006: each face takes the label that weighs most among its neighbours, in random order."""
    weights = faces.embeddings @ faces.embeddings.T
    np.fill_diagonal(weights, 0)
    neighbours = [np.flatnonzero(row >= similarity) for row in weights]
    labels, random = np.arange(len(weights)), np.random.default_rng(0)
    for face in itertools.chain.from_iterable(random.permutation(len(labels)) for _ in range(rounds)):
        if len(neighbours[face]):
            near, place = np.unique(labels[neighbours[face]], return_inverse=True)
            labels[face] = near[np.argmax(np.bincount(place, weights[face, neighbours[face]]))]
    return labels


# Other parameters


def _combinations(engine: str) -> Iterator[tuple[str, Rule]]:
    for join, evidence in itertools.product((0.08, 0.12, 0.16, 0.2), (0.0, 0.17, 0.34, 0.5)):
        yield f"join {join}, evidence {evidence}", _ours(engine, join=join, evidence=evidence)


def grid(faces: Faces, engine: str) -> None:
    """All combinations, best first."""
    found = [(name, faces.scores(rule(faces))) for name, rule in _combinations(engine)]
    _show(sorted(found, key=lambda row: -_both(row[1])))


def validate(faces: Faces, engine: str, rounds: int = 5) -> None:
    """How good is what is chosen, and the default, on people that it was not chosen on?"""
    random = np.random.default_rng(0)
    count = int(faces.people.max()) + 1
    rows = []
    for _ in range(rounds):
        order = random.permutation(count)
        halves = [faces.of(order[: count // 2]), faces.of(order[count // 2 :])]
        name, best = max(_combinations(engine), key=lambda one: _both(halves[0].scores(one[1](halves[0]))))
        rows.append((f"chosen: {name}", halves[1].scores(best(halves[1]))))
        rows.append(("default", halves[1].scores(_ours(engine)(halves[1]))))
    _show(rows)


def sizes(faces: Faces, engine: str, rounds: int = 6) -> None:
    """Mean scores for libraries of few and many people."""
    random = np.random.default_rng(1)
    count = int(faces.people.max()) + 1
    rows = []
    for people in (100, 400, 1_200, count):
        some = [faces.of(random.choice(count, people, replace=False)) for _ in range(rounds)]
        some = some if people < count else [faces]
        found = [part.scores(_ours(engine)(part)) for part in some]
        pairwise, bcubed = (
            np.mean([getattr(one, name).f for one in found]) for name in ("pairwise", "bcubed")
        )
        mean = np.mean([len(part.people) for part in some])
        rows.append((f"{people:,}", f"{mean:,.0f}", f"{pairwise:.4f}", f"{bcubed:.4f}"))
    print_table(f"{engine}, means of {rounds} draws", ("people", "faces", "pairwise F", "BCubed F"), rows)


def _show(rows: Sequence[tuple[str, Scores]]) -> None:
    def text(name: str, scores: Scores) -> tuple[str, ...]:
        both = scores.pairwise, scores.bcubed
        return name, *(f"{one.precision:.3f}, {one.recall:.3f}, {one.f:.4f}" for one in both)

    columns = ("rule", "pairwise precision, recall, F", "BCubed precision, recall, F")
    print_table("", columns, [text(*row) for row in rows])


if __name__ == "__main__":
    main()
