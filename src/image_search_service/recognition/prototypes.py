"""Chooses the few faces that represent a person in searches.

A mean alone is typical of nobody at two ages; all faces are too many to search with. So: the best face, faces
spread over the years, and faces as different as good ones are (farthest-point sampling, Gonzalez 1985).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from image_search_service.core.types import FloatArray, IntArray

MOST = 10
"""Prototypes of a person, unless more are pinned."""
TEMPORAL = 3
"""Further years that are looked for, after that of the best face."""
FEWEST = 3
"""With fewer good faces than this, others have to do."""
UNDATED = -1


class Role(StrEnum):
    """Why a face is a prototype: the best one, another year, another look, or for want of better ones."""

    PRIMARY = "primary"
    TEMPORAL = "temporal"
    EXEMPLAR = "exemplar"
    FALLBACK = "fallback"


@dataclass(frozen=True, slots=True)
class PrototypeChoice:
    """A row that is a prototype, and why."""

    row: int
    role: Role


def select_prototypes(
    embeddings: FloatArray, quality: FloatArray, years: IntArray, pinned: IntArray | None = None
) -> list[PrototypeChoice]:
    """At most ``MOST`` of a person's faces, the best first; among equals the first row.

    embeddings ``(n, d)`` of unit length, quality ``(n,)`` 0 to 1, years ``(n,)`` with ``UNDATED`` where the
    year is not known. pinned: rows that are prototypes already; they count and are not returned.
    """
    taken = [] if pinned is None else pinned.tolist()
    score = quality * _typicality(embeddings)
    choices: list[PrototypeChoice] = []

    def take(row: int, role: Role) -> None:
        choices.append(PrototypeChoice(row, role))
        taken.append(row)

    order = np.argsort(-score, kind="stable")
    good = order[: (len(order) + 1) // 2]
    best = next((row for row in order.tolist() if row not in taken), None)
    if best is not None and len(taken) < MOST:
        take(best, Role.PRIMARY)
    for row in _other_years(good, years, taken)[: max(0, MOST - len(taken))]:
        take(row, Role.TEMPORAL)
    for row in _farthest(embeddings, good, taken)[: max(0, MOST - len(taken))]:
        take(row, Role.EXEMPLAR)
    for row in [row for row in order.tolist() if row not in taken][: max(0, FEWEST - len(taken))]:
        take(row, Role.FALLBACK)
    return choices


def _typicality(embeddings: FloatArray) -> FloatArray:
    """``(n,)`` similarity to the mean, 0 to 1."""
    mean = embeddings.sum(axis=0)
    length = np.linalg.norm(mean)
    typical: FloatArray = np.maximum(embeddings @ (mean / length if length > 0 else mean), 0)
    return typical


def _other_years(good: IntArray, years: IntArray, taken: list[int]) -> list[int]:
    """The best faces of ``TEMPORAL`` years that are as far as possible from those already chosen."""
    best_of_year: dict[int, int] = {}
    for row in good.tolist():
        if years[row] != UNDATED:
            best_of_year.setdefault(int(years[row]), row)
    known = [int(years[row]) for row in taken if years[row] != UNDATED]
    rows: list[int] = []
    while known and len(rows) < TEMPORAL:
        gaps = {year: min(abs(year - other) for other in known) for year in sorted(best_of_year)}
        year = max(gaps, key=gaps.__getitem__, default=None)
        if year is None or gaps[year] == 0:
            break
        known.append(year)
        rows.append(best_of_year[year])
    return rows


def _farthest(embeddings: FloatArray, good: IntArray, taken: list[int]) -> list[int]:
    """Good faces, each the least similar to all that were taken before it."""
    rows: list[int] = []
    left = np.array([row for row in good.tolist() if row not in taken], dtype=np.int64)
    if len(left) == 0 or not taken:
        return rows
    nearest = (embeddings[left] @ embeddings[taken].T).max(axis=1)
    for _ in range(min(MOST, len(left))):
        next_one = int(nearest.argmin())
        rows.append(int(left[next_one]))
        nearest = np.maximum(nearest, embeddings[left] @ embeddings[left[next_one]])
        nearest[next_one] = np.inf
    return rows
