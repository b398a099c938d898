"""Where people stand in a picture: pure arithmetic on cells and pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

Size = tuple[int, int]

_SPACING = 28.5
"""Cells from one person to the next, so that no scarf is covered: its code and quiet zone take 25."""
_ROW = 45.0
"""Cells from one row to the next: the hat of who stands in front ends below the scarf behind."""
_ABOVE, _BELOW = 37.0, 15.0
"""Cells above the code of the hindmost row and below that of the front row."""


@dataclass(frozen=True, slots=True)
class Place:
    """The middle of a face, the top of its code, and the size of a cell, in pixels."""

    x: float
    y: float
    cell: float


def rows_for(count: int, size: Size) -> list[int]:
    """How many stand in each row, from the hindmost to the front, so that faces become largest."""

    def largest_cell(rows: int) -> float:
        return _cell_for(-(-count // rows), rows, size)

    rows = max(range(1, min(count, 4) + 1), key=largest_cell)
    base, more = divmod(count, rows)
    return [base + (row < more) for row in range(rows)]


def arrange(rng: Random, sizes: Sequence[float], size: Size) -> list[Place]:
    """A place for each person, back rows first; ``sizes`` are the people's sizes, 1 for an adult."""
    rows = rows_for(len(sizes), size)
    limit = _cell_for(max(rows), len(rows), size)
    cell = limit * (rng.uniform(0.62, 1.0) if len(sizes) < 4 else rng.uniform(0.9, 1.0))
    spare = size[1] / cell - (_ABOVE + _ROW * (len(rows) - 1) + _BELOW)
    lift = rng.uniform(0.2, 1.0) * min(spare, 14.0)
    places: list[Place] = []
    remaining = list(sizes)
    for number, count in enumerate(rows):
        row, remaining = remaining[:count], remaining[count:]
        from_front = len(rows) - 1 - number
        base = size[1] - (_BELOW + lift + _ROW * from_front) * cell
        places += _row(rng, row, base, cell, (size[0], from_front))
    return places


def _row(
    rng: Random, sizes: Sequence[float], base: float, cell: float, frame: tuple[int, int]
) -> list[Place]:
    """One row; ``frame``: the picture's width and how many rows stand in front."""
    width, in_front = frame
    room = width / len(sizes)
    slack = max(0.0, min(room - _SPACING * cell, 14 * cell)) / 2
    places = []
    for i, tall in enumerate(sizes):
        own = cell * tall
        # Only in the front row may one stand lower: behind it the rows would cover the scarf.
        drop = 0.0 if in_front else (1 - tall) * 16 * cell
        x = room * (i + 0.5) + rng.uniform(-slack, slack)
        y = base + drop - (0.0 if in_front else rng.uniform(0, 1.5) * cell)
        places.append(Place(x, min(y, base + 4.0 * cell), own))
    return places


def _cell_for(columns: int, rows: int, size: Size) -> float:
    return min(
        size[0] / (_SPACING * columns + 4),
        size[1] / (_ABOVE + _ROW * (rows - 1) + _BELOW),
        size[1] / 66.0,
    )


def free_place(rng: Random, taken: Sequence[Place], size: Size, cell: float) -> Place | None:
    """Somewhere in the background where nobody covers a passer-by's face and scarf; None when it is full."""
    for _ in range(20):
        x = rng.uniform(20 * cell, size[0] - 20 * cell)
        # Every outdoor scene has its ground from 78 % of the height on; shoes are 80 cells below the scarf.
        y = rng.uniform(0.8, 0.85) * size[1] - 80 * cell
        if all(_apart(x, y, cell, other) for other in taken):
            return Place(x, y, cell)
    return None


def _apart(x: float, y: float, cell: float, other: Place) -> bool:
    beside = abs(x - other.x) > 15.5 * (cell + other.cell)
    above = y + 8 * cell < other.y - 37 * other.cell
    return beside or above
