"""Choose the parameters of clustering on photos of known people, and compare it with other rules.

    python scripts/choose_clustering.py make PHOTOS FILE.npz --engine onnx --detector FILE --recognizer FILE
    python scripts/choose_clustering.py compare FILE.npz    # the default and other rules
    python scripts/choose_clustering.py grid FILE.npz       # all combinations tried, best first
    python scripts/choose_clustering.py validate FILE.npz   # chosen on half of the people, scored on the rest
    python scripts/choose_clustering.py sizes FILE.npz      # which neighbours are best for how many faces

PHOTOS has one folder for each person. FILE.npz holds ``embeddings`` (n, d) float32 unit rows, ``photos``
(n,) int64, and ``people`` (n,) int64: who the face nearest the middle of its photo is, and −1 for others,
which are clustered but not scored. Similarities of a grid are given as the share of pairs of different
people that reach them, so that what is found for one engine can be carried over to another.
"""

from __future__ import annotations

import argparse
import itertools
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

from image_search_service.core.config import Settings
from image_search_service.core.errors import MediaError
from image_search_service.core.types import FloatArray, IntArray
from image_search_service.recognition.clustering.clustering import (
    FALSE_NEIGHBOURS,
    ClusteringParameters,
    cluster_embeddings,
)
from image_search_service.recognition.engines.base import FaceEngine
from image_search_service.recognition.evaluation import Scores, score_clustering

MEMORY = 4 << 30
NEIGHBOURS = (0.30, 0.33, 0.36, 0.39, 0.42, 0.45, 0.48)
"""Similarities tried by ``sizes``; they suit MobileFaceNet."""

console = Console()
console.width = max(console.width, 130)  # the names of rules are long, and files have no width


@dataclass(frozen=True, slots=True)
class Faces:
    """embeddings (n, d) float32; photos (n,) int64; people (n,) int64, −1 for faces that are not scored."""

    embeddings: FloatArray
    photos: IntArray
    people: IntArray

    @classmethod
    def read(cls, path: Path) -> Faces:
        with np.load(path) as arrays:
            return cls(arrays["embeddings"], arrays["photos"], arrays["people"])

    def of(self, people: IntArray) -> Faces:
        """All faces in the photos of some people."""
        photos = self.photos[np.isin(self.people, people)]
        kept = np.isin(self.photos, photos)
        return Faces(self.embeddings[kept], self.photos[kept], self.people[kept])

    def scores(self, labels: IntArray) -> Scores:
        scored = self.people >= 0
        return score_clustering(self.people[scored], labels[scored])

    def impostors(self) -> FloatArray:
        """Similarities of all pairs of different people."""
        scored = self.people >= 0
        rows, people = self.embeddings[scored], self.people[scored]
        left, right = np.triu_indices(len(rows), 1)
        different = people[left] != people[right]
        similarity: FloatArray = (rows @ rows.T)[left[different], right[different]]
        return similarity


Rule = Callable[[Faces], IntArray]


def main() -> None:
    given = _arguments()
    if given.command == "make":
        make(given)
        return
    faces = Faces.read(given.file)
    scored = int(np.count_nonzero(faces.people >= 0))
    console.print(f"{len(faces.people):,} faces, {scored:,} scored, of {_count(faces):,} people")
    {"compare": compare, "grid": grid, "validate": validate, "sizes": sizes}[given.command](faces)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    maker = commands.add_parser("make")
    maker.add_argument("photos", type=Path)
    maker.add_argument("file", type=Path)
    maker.add_argument("--engine", required=True)
    maker.add_argument("--detector", type=Path)
    maker.add_argument("--recognizer", type=Path)
    maker.add_argument("--models", type=Path, default=Settings().models)
    maker.add_argument("--every", type=int, default=1, help="take every so-manieth person only")
    for command in ("compare", "grid", "validate", "sizes"):
        commands.add_parser(command).add_argument("file", type=Path)
    return parser.parse_args()


def make(given: argparse.Namespace) -> None:
    """Detects and embeds all faces and writes FILE.npz."""
    from image_search_service.recognition.engines.registry import open_engine

    engine = open_engine(
        given.engine, models=given.models, detector=given.detector, recognizer=given.recognizer
    )
    folders = sorted(folder for folder in given.photos.iterdir() if folder.is_dir())[:: given.every]
    files = [(file, person) for person, folder in enumerate(folders) for file in sorted(folder.iterdir())]
    found = [
        (embedding, photo, person if central else -1)
        for photo, (file, person) in enumerate(files)
        for embedding, central in _faces(engine, file)
    ]
    embeddings, photos, people = (np.array(column) for column in zip(*found, strict=True))
    np.savez(given.file, embeddings=embeddings, photos=photos, people=people)


def _faces(engine: FaceEngine, file: Path) -> Iterator[tuple[FloatArray, bool]]:
    """The embeddings of a photo's faces, and whether each is the one nearest the middle."""
    from image_search_service.media.decode import decode_photo

    try:
        image = decode_photo(file, max_pixels=250_000_000).pixels
    except MediaError as error:
        print(error, file=sys.stderr)
        return
    found = engine.detect(image)
    middle = (image.shape[1] / 2, image.shape[0] / 2)
    off = [math.dist(face.box.center, middle) for face in found]
    embeddings = engine.embed([engine.align(image, face) for face in found])
    for i, embedding in enumerate(embeddings):
        yield embedding, i == int(np.argmin(off))


# The default and others


def compare(faces: Faces) -> None:
    """The default, its parts, and the rules of other programs, all on the same faces."""
    parameters = _parameters(faces)
    console.print(parameters)
    rules: dict[str, Rule] = {
        "HDBSCAN, at least 3 faces (scikit-learn)": _sklearn_hdbscan,
        "neighbours within 0.5, at least 3 (Immich)": _immich,
        "average linkage at distance 0.55": _average_linkage,
        "Chinese whispers at similarity 0.5": _chinese_whispers,
        "here: hdbscan without the second pass": _ours(replace(parameters, join=1.0)),
        "here: dbscan": _ours(replace(parameters, method="dbscan")),
        "here: agglomerative": _ours(replace(parameters, method="agglomerative")),
        "here: hdbscan, the default": _ours(parameters),
    }
    _show([(name, faces.scores(rule(faces))) for name, rule in rules.items()])


def _parameters(faces: Faces, false_neighbours: float = FALSE_NEIGHBOURS) -> ClusteringParameters:
    """As ``ClusteringParameters.for_engine``, with the similarities of these faces themselves."""
    impostors = faces.impostors()
    share = false_neighbours / len(faces.people)
    neighbour, baseline = float(np.quantile(impostors, 1 - share)), max(float(impostors.mean()), 0.0)
    return ClusteringParameters(neighbour=round(neighbour, 4), baseline=round(baseline, 4))


def _ours(parameters: ClusteringParameters) -> Rule:
    return lambda faces: cluster_embeddings(faces.embeddings, faces.photos, parameters, MEMORY).labels


def _distances(faces: Faces) -> FloatArray:
    distances: FloatArray = np.maximum(1 - faces.embeddings @ faces.embeddings.T, np.float32(0))
    np.fill_diagonal(distances, 0)
    return distances


def _sklearn_hdbscan(faces: Faces) -> IntArray:
    from sklearn.cluster import HDBSCAN

    euclidean = np.sqrt(2 * _distances(faces).astype(np.float64))
    labels: IntArray = HDBSCAN(min_cluster_size=3, metric="precomputed", copy=False).fit_predict(euclidean)
    return labels


def _immich(faces: Faces) -> IntArray:
    from sklearn.cluster import DBSCAN

    labels: IntArray = DBSCAN(eps=0.5, min_samples=3, metric="precomputed").fit_predict(_distances(faces))
    return labels


def _average_linkage(faces: Faces) -> IntArray:
    from scipy.cluster.hierarchy import fcluster, linkage

    condensed = _distances(faces)[np.triu_indices(len(faces.people), 1)]
    return np.asarray(fcluster(linkage(condensed, "average"), 0.55, "distance"), dtype=np.int64)


def _chinese_whispers(faces: Faces, similarity: float = 0.5, rounds: int = 20) -> IntArray:
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


# The grid


Choice = Callable[[Faces], ClusteringParameters]


def _combinations() -> Iterator[tuple[str, Choice]]:
    shares = itertools.product((0.09, 0.135, 0.18, 0.225, 0.27), (0.2, 0.3, 0.4), (2, 3))
    for false, (join, core, size) in itertools.product((1 / 2, 1 / 4, FALSE_NEIGHBOURS, 1 / 16), shares):
        name = f"{false} false neighbours, join {join}, core {core} of {size}"
        yield name, partial(_chosen, false=false, join=join, core=core, size=size)


def _chosen(faces: Faces, *, false: float, join: float, core: float, size: int) -> ClusteringParameters:
    return replace(_parameters(faces, false), join=join, core=core, core_size=size)


def _both(scores: Scores) -> float:
    """What is to be as great as possible: the mean of both measures."""
    return (scores.pairwise.f + scores.bcubed.f) / 2


def grid(faces: Faces) -> None:
    """All combinations, best first."""
    found = [(name, _scores_of(choice, faces)) for name, choice in _combinations()]
    _show(sorted(found, key=lambda row: -_both(row[1])))


def _scores_of(choice: Choice, faces: Faces) -> Scores:
    return faces.scores(_ours(choice(faces))(faces))


def _scores_at(neighbour: float, faces: Faces) -> Scores:
    return faces.scores(_ours(replace(_parameters(faces), neighbour=neighbour))(faces))


def sizes(faces: Faces, rounds: int = 6) -> None:
    """Mean of both measures for libraries of few and many people, by the similarity of neighbours."""
    random = np.random.default_rng(1)
    table = Table("people", "faces", *(f"{one:.2f}" for one in NEIGHBOURS), "chosen")
    for people in (50, 200, 800, _count(faces)):
        times = 1 if people == _count(faces) else rounds
        some = [faces.of(random.choice(_count(faces), people, replace=False)) for _ in range(times)]
        found = [np.mean([_both(_scores_at(similarity, f)) for f in some]) for similarity in NEIGHBOURS]
        chosen = np.mean([_parameters(f).neighbour for f in some])
        count = np.mean([len(f.people) for f in some])
        table.add_row(f"{people:,}", f"{count:,.0f}", *(f"{one:.4f}" for one in found), f"{chosen:.2f}")
    console.print(table)


def validate(faces: Faces, rounds: int = 5) -> None:
    """How good is what is chosen, and the default, on people that it was not chosen on?"""
    random = np.random.default_rng(0)
    combinations = list(_combinations())
    rows = []
    for _ in range(rounds):
        order = random.permutation(_count(faces))
        halves = [faces.of(order[: len(order) // 2]), faces.of(order[len(order) // 2 :])]
        name, best = max(combinations, key=lambda one: _both(_scores_of(one[1], halves[0])))
        rows.append((f"chosen: {name}", _scores_of(best, halves[1])))
        rows.append(("default", _scores_of(_parameters, halves[1])))
        rows.append(("Chinese whispers at 0.5", halves[1].scores(_chinese_whispers(halves[1]))))
    _show(rows)
    for i, name in enumerate(("chosen", "default", "Chinese whispers at 0.5")):
        pairwise, bcubed = np.mean([(s.pairwise.f, s.bcubed.f) for _, s in rows[i::3]], axis=0)
        console.print(f"mean of {name}: pairwise F {pairwise:.4f}, BCubed F {bcubed:.4f}")


def _count(faces: Faces) -> int:
    return int(faces.people.max()) + 1


def _show(rows: Sequence[tuple[str, Scores]]) -> None:
    table = Table("rule")
    for name in ("pairwise P", "R", "F", "BCubed P", "R", "F", "clusters"):
        table.add_column(name, justify="right")
    for name, scores in rows:
        measures = [
            value
            for both in (scores.pairwise, scores.bcubed)
            for value in (both.precision, both.recall, both.f)
        ]
        table.add_row(name, *(f"{value:.4f}" for value in measures), f"{scores.clusters:,}")
    console.print(table)


if __name__ == "__main__":
    main()
