"""Thresholds and rules from faces of known people."""

from __future__ import annotations

import numpy as np
import pytest

from image_search_service.core.errors import InvalidInputError
from image_search_service.core.types import FloatArray, IntArray
from image_search_service.recognition.measuring import (
    FEWEST_PAIRS,
    SHARES,
    RecognizabilitySigns,
    choose_rule,
    measure_thresholds,
)


def people(count: int, each: int) -> tuple[FloatArray, IntArray]:
    random = np.random.default_rng(0)
    who = np.repeat(np.arange(count), each)
    faces = random.standard_normal((count, 64))[who] + 0.7 * random.standard_normal((len(who), 64))
    unit: FloatArray = (faces / np.linalg.norm(faces, axis=1, keepdims=True)).astype(np.float32)
    return unit, who


def test_thresholds_are_quantiles_over_all_pairs_of_two_people() -> None:
    """As numpy has them from the full matrix, to the third digit."""
    embeddings, who = people(700, 2)
    found = measure_thresholds(embeddings, who)
    left, right = np.triu_indices(len(who), 1)
    similarity = (embeddings @ embeddings.T)[left, right]
    same = who[left] == who[right]
    for name, share in SHARES.items():
        exact = np.quantile(similarity[~same], 1 - share)
        assert getattr(found.thresholds, name) == pytest.approx(exact, abs=2e-3)
        assert found.reached[name] == pytest.approx(np.mean(similarity[same] >= exact), abs=0.02)
    assert found.thresholds.baseline == pytest.approx(max(0, similarity[~same].mean()), abs=1e-3)
    assert (found.genuine, found.impostors) == (same.sum(), (~same).sum())


def test_too_few_people_are_refused() -> None:
    """One in a hundred thousand cannot be measured on fewer pairs than that."""
    with pytest.raises(InvalidInputError, match=f"{FEWEST_PAIRS:,} are needed"):
        measure_thresholds(*people(30, 2))


def test_the_rule_takes_the_sign_that_tells_blurred_faces() -> None:
    """Whichever of the two it is; ordinary faces are left out at most one in two thousand."""
    random = np.random.default_rng(0)
    chance = (
        random.normal(0.2, 0.1, 3_000).astype(np.float32),
        random.normal(0.2, 0.1, 300).astype(np.float32),
    )
    long = random.normal(12, 1, 3_000).astype(np.float32), random.normal(4, 1, 300).astype(np.float32)
    by_length = choose_rule(
        RecognizabilitySigns(chance[0], long[0]), RecognizabilitySigns(chance[1], long[1])
    )
    assert by_length is not None
    assert (by_length.rule.sign, by_length.ordinary_left_out) == ("length", 1)
    blank = [np.asarray(1 - lengths / 20, np.float32) for lengths in long]
    by_blank = choose_rule(
        RecognizabilitySigns(blank[0], 9 + chance[0]), RecognizabilitySigns(blank[1], 9 + chance[1])
    )
    assert by_blank is not None
    assert (by_blank.rule.sign, by_blank.ordinary_left_out) == ("blank", 1)
    assert by_blank.blurred_left_out > 0.9


def test_a_rule_that_tells_nothing_is_not_used() -> None:
    """Where blurred faces look like others by both signs there is no rule."""
    random = np.random.default_rng(0)
    ordinary = RecognizabilitySigns(*random.normal(0, 1, (2, 3_000)).astype(np.float32))
    assert (
        choose_rule(ordinary, RecognizabilitySigns(*random.normal(0, 1, (2, 300)).astype(np.float32))) is None
    )
