"""Neighbours among many faces: each face is compared with the faces of the cells nearest to it only.

Cells are those of spherical k-means (Dhillon and Modha 2001): most hold one person or a few. This is the
inverted file of approximate search (Jégou, Douze and Schmid 2011), by products of blocks alone. What one
division into cells separates, another one may hold together: there are ``DIVISIONS``. How many cells are
looked into is not guessed: a sample of the faces is compared with all others, and as many are taken as find
``RECALL`` of that sample's neighbours. ``benchmarks/neighbours.py`` compares it with indexes made for this.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from image_search_service.core.errors import NotEnoughMemoryError
from image_search_service.core.types import BoolArray, FloatArray, IntArray, Progress
from image_search_service.recognition.clustering.candidates import (
    BYTES_PER_CANDIDATE,
    BestCandidates,
    Candidates,
    Indices,
    united,
)

Rows = TypeVar("Rows", FloatArray, Indices)

DIVISIONS = 2
"""With two, half as many cells need to be looked into as with one, for the same recall (100,000 faces)."""
RECALL, FEW = 0.97, 8
"""Share of its neighbours that a face finds, in the mean over the sampled faces that have at most ``FEW``:
those of somebody with many photos are found anyway. Of the graph's edges more are found, as both ends look:
``benchmarks/clustering.py`` prints how many."""
SAMPLE = 2_000
CELLS = 4.0
"""Cells, in square roots of the number of faces: finding a face's nearest cells then takes about as long as
looking into them."""
TRAINING, ROUNDS = 32, 4
"""Faces for each cell, and rounds, with which cells are trained."""
BLOCK = 2_048
SLAB = 65_536
"""Faces whose neighbours are found together, so that their candidates are sorted once."""
BYTES_PER_PROBE = 24


@dataclass(frozen=True, slots=True)
class Cells:
    """A division of faces into cells.

    centers: (k, d) unit rows. home: (n,) each face's cell. order: rows by cell, ascending in each; cell c has
    ``order[starts[c] : starts[c + 1]]``.
    """

    centers: FloatArray
    home: Indices
    order: Indices
    starts: IntArray

    @classmethod
    def trained(cls, embeddings: FloatArray, seed: int) -> Cells:
        """A division of (n, d) unit rows, n ≥ 1; always the same for the same rows and seed."""
        random = np.random.default_rng(seed)
        n = len(embeddings)
        k = max(1, min(n, int(CELLS * np.sqrt(n))))
        sample = embeddings[np.sort(random.choice(n, min(n, TRAINING * k), replace=False))]
        centers = sample[np.sort(random.choice(len(sample), k, replace=False))]
        for _ in range(ROUNDS):
            centers = _moved(centers, sample)
        home = _nearest(centers, embeddings)
        starts = np.concatenate([[0], np.cumsum(np.bincount(home, minlength=k))])
        return cls(centers, home, np.argsort(home, kind="stable").astype(np.int32), starts)

    def members(self, cell: int) -> Indices:
        """The faces of a cell, by ascending row."""
        return self.order[self.starts[cell] : self.starts[cell + 1]]

    def ranks(self, rows: FloatArray, faces: Indices) -> IntArray:
        """(m,): for each of (m, d) rows, how many cells are nearer to it than the cell of ``faces``, (m,)."""
        likeness = rows @ self.centers.T
        own = np.take_along_axis(likeness, self.home[faces][:, None].astype(np.int64), axis=1)
        nearer: IntArray = np.count_nonzero(likeness > own, axis=1)
        return nearer

    def nearest(self, rows: FloatArray, probes: int) -> tuple[Indices, Indices]:
        """Pairs of a cell and the number of a row to which it is one of the nearest, by cell, then row."""
        cells = np.concatenate([_greatest(block @ self.centers.T, probes) for block in _blocks(rows)])
        order = np.argsort(cells.ravel(), kind="stable")
        return cells.ravel()[order], (order // probes).astype(np.int32)


def _nearest(centers: FloatArray, rows: FloatArray) -> Indices:
    return np.concatenate([np.argmax(block @ centers.T, axis=1).astype(np.int32) for block in _blocks(rows)])


def _moved(centers: FloatArray, rows: FloatArray) -> FloatArray:
    """Each centre in the middle of the rows nearest to it; one without any stays."""
    home = _nearest(centers, rows)
    order = np.argsort(home, kind="stable")
    filled, first = np.unique(home[order], return_index=True)
    sums = np.add.reduceat(rows[order], first, axis=0)
    moved = centers.copy()
    moved[filled] = sums / np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), np.finfo(np.float32).tiny)
    return moved


def _greatest(values: FloatArray, count: int) -> Indices:
    """The columns of the greatest values of each row, in no order."""
    return np.argpartition(-values, count - 1, axis=1)[:, :count].astype(np.int32)


def _blocks(rows: Rows) -> list[Rows]:
    return [rows[start : start + BLOCK] for start in range(0, len(rows), BLOCK)]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Faces, and which of them may choose which: those of other photos, of at least this similarity.

    embeddings: (n, d) float32 unit rows. photos: (n,). neighbours: how many each face chooses at most.
    """

    embeddings: FloatArray
    photos: IntArray
    similarity: float
    neighbours: int

    def chooser(self, rows: Indices, memory: int) -> _Chooser:
        """For the choice of some faces."""
        return _Chooser(self, rows, BestCandidates.empty(len(rows), self.neighbours, memory))


@dataclass(frozen=True, slots=True)
class _Chooser:
    """The choice of some faces, ``rows``, while others are compared with them."""

    of: Comparison
    rows: Indices
    best: BestCandidates

    def compare(self, looking: Indices, members: Indices) -> None:
        """Compare the faces ``rows[looking]`` with ``members``."""
        vectors = self.of.embeddings[members]
        for some in _blocks(looking):
            self._offer(some, members, self.of.embeddings[self.rows[some]] @ vectors.T)

    def _offer(self, looking: Indices, members: Indices, product: FloatArray) -> None:
        """Only what may still be chosen is taken out of the product: taking out and sorting costs more."""
        similarity = np.nextafter(np.float32(self.of.similarity), np.float32(-2))
        hits = product > np.maximum(self.best.floor[looking], similarity)[:, None]
        crowded = np.flatnonzero(np.count_nonzero(hits, axis=1) > 2 * self.of.neighbours)
        if len(crowded):
            hits[crowded] &= self._greatest(looking[crowded], members, product[crowded])
        places = np.flatnonzero(hits)
        values = np.minimum(product.ravel()[places], np.float32(1))
        source, target = np.divmod(places, len(members))
        source, target = looking[source], members[target]
        kept = self.of.photos[self.rows[source]] != self.of.photos[target]
        self.best.offer(source[kept], target[kept], values[kept])
        self.best.choose_if_enough()

    def _greatest(self, looking: Indices, members: Indices, product: FloatArray) -> BoolArray:
        """Which of each row's products are of its ``neighbours`` most similar, or equal to these."""
        photos, last = self.of.photos, -self.of.neighbours
        product[photos[self.rows[looking]][:, None] == photos[members]] = -np.inf
        return product >= np.partition(product, last, axis=1)[:, last, None]

    def chosen(self) -> Candidates:
        source, target, value = self.best.choose()
        return self.rows[source], target, value


def neighbours_by_cells(
    embeddings: FloatArray,
    photos: IntArray,
    *,
    similarity: float,
    neighbours: int,
    memory: int,
    progress: Progress | None = None,
) -> Candidates:
    """The neighbours that each face chooses, nearly all of them: see ``RECALL``; arguments as in
    ``neighbour_graph``. A pair may come several times. Raises NotEnoughMemoryError."""
    faces = Comparison(embeddings, photos, similarity, neighbours)
    divisions = [Cells.trained(embeddings, seed) for seed in range(DIVISIONS)]
    probes = probes_needed(faces, divisions)
    slab = int(np.clip(memory // 4 // (BYTES_PER_PROBE * probes), BLOCK, SLAB))
    slabs = [
        (cells, cells.order[start : start + slab])
        for cells in divisions
        for start in range(0, len(embeddings), slab)
    ]
    found: list[Candidates] = []
    for done, (cells, rows) in enumerate(slabs, start=1):
        found.append(_chosen_in(cells, faces, rows, probes, memory))
        needed = BYTES_PER_CANDIDATE * sum(len(source) for source, _, _ in found)
        if needed > memory:
            raise NotEnoughMemoryError(len(embeddings), needed, memory)
        if progress is not None:
            progress(done, len(slabs))
    return united(found)


def probes_needed(faces: Comparison, divisions: Sequence[Cells]) -> int:
    """Nearest cells to look into, in each division, so that a sample of faces finds ``RECALL``."""
    n = len(faces.embeddings)
    rows = np.sort(np.random.default_rng(DIVISIONS).choice(n, min(n, SAMPLE), replace=False)).astype(np.int32)
    source, target, _ = exact_choice(faces, rows)
    if len(source) == 0:
        return 1
    number = np.bincount(source, minlength=n)[source]
    few = number <= max(FEW, int(number.min()))
    source, target, weight = source[few], target[few], 1 / number[few]
    ranks = [
        np.concatenate(
            [
                cells.ranks(faces.embeddings[own], other)
                for own, other in zip(_blocks(source), _blocks(target), strict=True)
            ]
        )
        for cells in divisions
    ]
    found = np.cumsum(np.bincount(np.min(ranks, axis=0), weights=weight)) / weight.sum()
    return 1 + int(np.searchsorted(found, RECALL))


def exact_choice(faces: Comparison, rows: Indices) -> Candidates:
    """Whom some faces choose among all."""
    chooser = faces.chooser(rows, 1 << 40)
    looking = np.arange(len(rows), dtype=np.int32)
    for members in _blocks(np.arange(len(faces.embeddings), dtype=np.int32)):
        chooser.compare(looking, members)
    return chooser.chosen()


def _chosen_in(cells: Cells, faces: Comparison, rows: Indices, probes: int, memory: int) -> Candidates:
    """Whom some faces choose in the cells nearest to each: first in their own, after which little of the
    others is still worth choosing."""
    chooser = faces.chooser(rows, memory)
    cell, looking = cells.nearest(faces.embeddings[rows], probes)
    own = cell == cells.home[rows[looking]]
    for part in (own, ~own):
        _look_into(cells, chooser, cell[part], looking[part])
        chooser.best.choose()
    return chooser.chosen()


def _look_into(cells: Cells, chooser: _Chooser, cell: Indices, looking: Indices) -> None:
    """Pairs of a cell and a face that looks into it, by cell."""
    bounds = np.searchsorted(cell, np.arange(len(cells.centers) + 1))
    for number in np.flatnonzero(np.diff(bounds)).tolist():
        for members in _blocks(cells.members(number)):
            chooser.compare(looking[bounds[number] : bounds[number + 1]], members)
