"""Keeps the best neighbours of each face while candidates come in, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from image_search_service.core.errors import NotEnoughMemoryError
from image_search_service.core.types import FloatArray

BYTES_PER_CANDIDATE = 64
"""Of a candidate while candidates are sorted: itself, twice, and the order of three keys."""
ENOUGH_TO_SORT = 2_000_000

Indices = npt.NDArray[np.int32]
Candidates = tuple[Indices, Indices, FloatArray]
"""Of some pairs the face that may choose, the other one, and their similarity."""


@dataclass(slots=True)
class BestCandidates:
    """The best candidates of each face so far, and others that came since the last sorting."""

    faces: int
    neighbours: int
    limit: int
    """How many candidates fit."""
    enough: int
    """How many new ones are worth sorting; the sooner, the fewer will come, as ``floor`` rises."""
    floor: FloatArray
    """(faces,) what a new candidate must exceed; −inf until a face has all its neighbours."""
    chosen: Candidates
    pending: list[Candidates] = field(default_factory=list)
    waiting: int = 0

    @classmethod
    def empty(cls, faces: int, neighbours: int, memory: int) -> BestCandidates:
        """For faces 0 … ``faces`` − 1, of which each chooses ``neighbours`` at most."""
        limit = memory // 4 // BYTES_PER_CANDIDATE
        enough = min(limit, max(faces * neighbours, ENOUGH_TO_SORT))
        floor = np.full(faces, -np.inf, dtype=np.float32)
        return cls(faces, neighbours, limit, enough, floor, united([]))

    def offer(self, source: Indices, target: Indices, values: FloatArray) -> None:
        """Takes the pairs in where they may still be among the best of ``source``.

        Where every face is offered the others by ascending row, an equal candidate that comes later may be
        dropped, and ties go to the earlier row.
        """
        better = values > self.floor[source]
        self.pending.append((source[better], target[better], values[better]))
        self.waiting += int(np.count_nonzero(better))

    def choose_if_enough(self) -> None:
        """Sort what has come in, if that is worth it."""
        if self.waiting > self.enough:
            self.choose()

    def choose(self) -> Candidates:
        """The best ``neighbours`` candidates of each face. Raises NotEnoughMemoryError.

        Candidates of one face lie in the order in which they came, and the sorting keeps that among equals.
        """
        source, target, value = united([self.chosen, *self.pending])
        order = np.argsort(_sort_keys(source, value), kind="stable")
        source, target, value = source[order], target[order], value[order]
        first = np.searchsorted(source, np.arange(self.faces, dtype=np.int32))
        rank = np.arange(len(source)) - first[source]
        last = rank == self.neighbours - 1
        self.floor[source[last]] = value[last]
        kept = rank < self.neighbours
        if (needed := int(np.count_nonzero(kept))) > self.limit:
            raise NotEnoughMemoryError(
                self.faces, 4 * needed * BYTES_PER_CANDIDATE, 4 * self.limit * BYTES_PER_CANDIDATE
            )
        self.chosen = (source[kept], target[kept], value[kept])
        self.pending.clear()
        self.waiting = 0
        return self.chosen


def united(parts: Iterable[Candidates]) -> Candidates:
    """The candidates of all parts, in order."""
    nothing = np.empty(0, dtype=np.int32)
    every = [(nothing, nothing, np.empty(0, dtype=np.float32)), *parts]
    source, target, value = (np.concatenate(column) for column in zip(*every, strict=True))
    return source, target, value


def _sort_keys(source: Indices, value: FloatArray) -> npt.NDArray[np.uint64]:
    """Keys that sort by source, then by descending value: five times faster than sorting by two arrays.

    The bits of a float sort like the number once the sign bit of positive and all bits of negative
    ones are turned; ``+ 0`` makes one zero of two.
    """
    bits = (value + np.float32(0)).view(np.uint32)
    ascending = np.where(bits >> 31, ~bits, bits | np.uint32(1 << 31))
    return (source.astype(np.uint64) << np.uint64(32)) | ~ascending
