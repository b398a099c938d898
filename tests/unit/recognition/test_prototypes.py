"""Which faces stand for a person."""

from __future__ import annotations

import numpy as np
import pytest

from image_search_service.core.types import FloatArray
from image_search_service.recognition.prototypes import FEWEST, MOST, UNDATED, Role, select_prototypes
from tests.support.backends import unit_vectors


def faces(number: int) -> FloatArray:
    """Faces of one person: around one direction."""
    rows = unit_vectors(1, seed=99) + 0.5 * unit_vectors(number)
    unit: FloatArray = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit


def flat(number: int, value: float = 0.5) -> FloatArray:
    return np.full(number, value, dtype=np.float32)


def undated(number: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.full(number, UNDATED, dtype=np.int64)


def test_the_best_is_primary() -> None:
    """The clearest of equally typical faces comes first, and it is the only primary one."""
    quality = flat(20)
    quality[7] = 1.0
    choices = select_prototypes(faces(20), quality, undated(20))
    assert (choices[0].row, choices[0].role) == (7, Role.PRIMARY)
    assert [choice.role for choice in choices].count(Role.PRIMARY) == 1


@pytest.mark.parametrize("number", [0, 1, 2, 3, 5, 200])
def test_number(number: int) -> None:
    """Nobody has more than ten, and whoever has few faces has them all; no face is there twice."""
    choices = select_prototypes(faces(number), flat(number), undated(number))
    assert min(number, FEWEST) <= len(choices) <= MOST
    assert len({choice.row for choice in choices}) == len(choices)
    assert choices == select_prototypes(faces(number), flat(number), undated(number))


def test_years_are_spread() -> None:
    """Of many years those are chosen that are farthest apart."""
    years = np.array([2000] * 6 + [2001] * 6 + [2010] * 6 + [2020] * 6, dtype=np.int64)
    quality = flat(24)
    quality[0] = 1.0
    quality[[6, 12, 18]] = 0.9
    choices = select_prototypes(faces(24), quality, years)
    assert [choice.row for choice in choices if choice.role == Role.TEMPORAL] == [18, 12, 6]


def test_exemplars_differ() -> None:
    """Ten copies of a face and one other good look: the other look is an exemplar before any copy."""
    look, other = unit_vectors(2, seed=1)
    rows = np.stack([look] * 10 + [(look + other) / np.linalg.norm(look + other)]).astype(np.float32)
    quality = flat(11)
    quality[10] = 1.0
    quality[3] = 1.0
    choices = select_prototypes(rows, quality, undated(11))
    assert {choices[0].row, choices[1].row} == {3, 10}
    assert choices[1].role == Role.EXEMPLAR


def test_pinned_ones_count() -> None:
    """What is pinned is not chosen again and takes its place among the ten."""
    pinned = np.arange(8)
    choices = select_prototypes(faces(40), flat(40), undated(40), pinned)
    assert len(choices) == MOST - 8
    assert not {choice.row for choice in choices} & set(pinned.tolist())
    assert select_prototypes(faces(40), flat(40), undated(40), np.arange(12)) == []
