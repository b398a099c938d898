"""Compares many faces with many persons: one matrix product in blocks, and the decision from it."""

from __future__ import annotations

from collections.abc import Iterator, Set
from dataclasses import dataclass
from uuid import UUID

import numpy as np

from image_search_service.core.types import FloatArray, IntArray
from image_search_service.recognition.centroid import CentroidMatrix

BLOCK_BYTES = 64 * 2**20
"""Size of a block of similarities; larger ones are not faster."""


@dataclass(frozen=True, slots=True)
class Matches:
    """For each face ``(n,)``: the most similar person's row, the similarity, and the same of the second best.

    With one person there is no second: its row is −1, its similarity −1. With none, or none that may be,
    ``person`` is −1 too.
    """

    person: IntArray
    similarity: FloatArray
    second: IntArray
    runner_up: FloatArray

    def accepted(self, threshold: float, margin: float = 0.0) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Faces whose best person is similar enough, and more similar than the next by ``margin``."""
        chosen: np.ndarray[tuple[int], np.dtype[np.bool_]] = (
            (self.person >= 0) & (self.similarity >= threshold) & (self.similarity - self.runner_up >= margin)
        )
        return chosen


NOBODY = np.empty((2, 0), dtype=np.int64)


def match_faces(faces: FloatArray, people: FloatArray, barred: IntArray = NOBODY) -> Matches:
    """Compare faces ``(n, d)`` with people ``(p, d)``, all of unit length; among equals the first wins.

    barred: ``(2, b)`` rows of faces and of people; these pairs are neither best nor second.
    """
    n = len(faces)
    person = np.full(n, -1, dtype=np.int64)
    similarity = np.full(n, -1.0, dtype=np.float32)
    second = np.full(n, -1, dtype=np.int64)
    runner_up = np.full(n, -1.0, dtype=np.float32)
    if len(people) == 0:
        return Matches(person, similarity, second, runner_up)
    for rows in _blocks(n, len(people)):
        scores = faces[rows] @ people.T
        here = barred[:, (barred[0] >= rows.start) & (barred[0] < rows.stop)]
        scores[here[0] - rows.start, here[1]] = -np.inf
        best = scores.argmax(axis=1)
        at = np.arange(len(best))
        person[rows], similarity[rows] = best, scores[at, best]
        if len(people) > 1:
            scores[at, best] = -np.inf
            next_best = scores.argmax(axis=1)
            second[rows], runner_up[rows] = next_best, scores[at, next_best]
    person[np.isneginf(similarity)] = -1
    second[np.isneginf(runner_up)] = -1
    return Matches(person, np.maximum(similarity, -1), second, np.maximum(runner_up, -1))


def most_similar(
    embedding: FloatArray, people: CentroidMatrix, barred: Set[UUID], *, free: int, barred_most: int = 0
) -> list[tuple[UUID, float]]:
    """Whom one face ``(d,)`` resembles, and how much, the most similar first, among equals the first: the
    first ``free`` who are not barred, and of those who are, before these, the first ``barred_most``."""
    if not people.person_ids:
        return []
    similarity = people.matrix @ embedding
    matches: list[tuple[UUID, float]] = []
    for row in _largest(similarity, free + len(barred)):
        if free == 0:
            break
        is_barred = people.person_ids[row] in barred
        if is_barred and barred_most == 0:
            continue
        free, barred_most = (free, barred_most - 1) if is_barred else (free - 1, barred_most)
        matches.append((people.person_ids[row], float(similarity[row])))
    return matches


def nearest_persons(
    embeddings: FloatArray, people: CentroidMatrix, number: int
) -> list[list[tuple[UUID, float]]]:
    """Whom each of several embeddings ``(n, d)`` of unit length resembles most, at most ``number``, and how
    much, the most similar first: one product of all with all."""
    if not people.person_ids:
        return [[] for _ in embeddings]
    similarity: FloatArray = embeddings @ people.matrix.T
    return [
        [(people.person_ids[place], float(row[place])) for place in _largest(row, number)]
        for row in similarity
    ]


def _largest(values: FloatArray, number: int) -> list[int]:
    """The places of the ``number`` largest, the largest first, among equals the first."""
    places = np.arange(len(values))
    if number < len(values):
        places = np.flatnonzero(values >= np.partition(values, -number)[-number])
    order: list[int] = places[np.argsort(-values[places], kind="stable")][:number].tolist()
    return order


def _blocks(rows: int, columns: int) -> Iterator[slice]:
    step = max(1, BLOCK_BYTES // (4 * columns))
    return (slice(start, min(start + step, rows)) for start in range(0, rows, step))
