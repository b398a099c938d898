"""Measures an engine's thresholds, and its rule for faces that cannot be told apart.

Pure functions on arrays of faces of known people. What each threshold means is defined in ``thresholds.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from image_search_service.core.errors import InvalidInputError
from image_search_service.core.types import FloatArray, IntArray, Pixels
from image_search_service.recognition.engines.calibration import RecognizabilityRule, Sign
from image_search_service.recognition.thresholds import Thresholds

SHARES: Final = {"suggest": 1e-2, "same_person": 1e-3, "neighbour": 1 / 50_000, "assign": 1e-5}
"""Share of the pairs of different people that may reach the threshold."""

FEWEST_PAIRS = 100_000
"""Pairs of different people; with fewer nobody knows what one in a hundred thousand reaches."""

LEFT_OUT_AT_MOST = 1 / 2_000
"""Share of ordinary faces that a rule may leave out: half of what is allowed to the engines that come with
the program, whose rules were looked at."""
CAUGHT_AT_LEAST = 0.5
"""Share of faces blurred beyond recognition that a rule has to leave out to be worth having."""
BLUR = 8 / 112
"""Sigma of that blur, as a share of the chip's side."""

_BINS = 20_000
_ROWS = 1_024


@dataclass(frozen=True, slots=True)
class MeasuredThresholds:
    """thresholds, and how they were found. genuine, impostors: pairs of one person and of two. reached: the
    share of the pairs of one person that reaches each threshold, by its name."""

    thresholds: Thresholds
    genuine: int
    impostors: int
    reached: dict[str, float]


def measure_thresholds(embeddings: FloatArray, people: IntArray) -> MeasuredThresholds:
    """Thresholds from all pairs, to three digits, in memory that does not grow with the number of pairs.

    embeddings: (n, d) float32 unit rows. people: (n,) int64, who each is.
    Raises InvalidInputError for fewer than ``FEWEST_PAIRS`` pairs of different people.
    """
    genuine, impostors, total = _histograms(embeddings, people)
    pairs = int(impostors.sum())
    if pairs < FEWEST_PAIRS:
        raise InvalidInputError(
            f"There are {pairs:,} pairs of two people; {FEWEST_PAIRS:,} are needed.",
            hint="Give photos of more people: 450 with one photo each are enough.",
        )
    limits = {name: _reached_by(impostors, share) for name, share in SHARES.items()}
    thresholds = Thresholds(**limits, baseline=max(0.0, round(total / pairs, 3)))
    reached = {name: _share_above(genuine, value) for name, value in limits.items()}
    return MeasuredThresholds(thresholds, int(genuine.sum()), pairs, reached)


def _histograms(embeddings: FloatArray, people: IntArray) -> tuple[IntArray, IntArray, float]:
    """How many pairs of one person, and of two, have each similarity; the sum over the latter."""
    genuine, impostors = np.zeros(_BINS, np.int64), np.zeros(_BINS, np.int64)
    total = 0.0
    for top in range(0, len(embeddings), _ROWS):
        rows = np.arange(top, min(top + _ROWS, len(embeddings)))
        similarity = embeddings[rows] @ embeddings.T
        later = np.arange(len(embeddings)) > rows[:, None]
        same = people[rows][:, None] == people
        bins = np.clip((similarity + 1) / 2 * _BINS, 0, _BINS - 1).astype(np.int64)
        genuine += np.bincount(bins[later & same], minlength=_BINS)
        impostors += np.bincount(bins[later & ~same], minlength=_BINS)
        total += float(similarity[later & ~same].sum(dtype=np.float64))
    return genuine, impostors, total


def _reached_by(histogram: IntArray, share: float) -> float:
    """The similarity that this share of the pairs reaches, to three digits."""
    above = np.cumsum(histogram[::-1])[::-1]
    bins = int(np.count_nonzero(above >= share * histogram.sum()))
    return round(2 * bins / _BINS - 1, 3)


def _share_above(histogram: IntArray, similarity: float) -> float:
    first = int(np.clip((similarity + 1) / 2 * _BINS, 0, _BINS))
    total = int(histogram.sum())
    return round(float(histogram[first:].sum() / total), 4) if total else 1.0


@dataclass(frozen=True, slots=True)
class RecognizabilitySigns:
    """What tells recognisable faces. blank: (n,) cosines with the blank embedding. length: (n,) of
    the embeddings before they were brought to unit length."""

    blank: FloatArray
    length: FloatArray


@dataclass(frozen=True, slots=True)
class MeasuredRule:
    """A rule, how many ordinary faces it leaves out, and which share of the blurred ones."""

    rule: RecognizabilityRule
    ordinary_left_out: int
    blurred_left_out: float


def choose_rule(ordinary: RecognizabilitySigns, blurred: RecognizabilitySigns) -> MeasuredRule | None:
    """The sign that leaves out most blurred faces at hardly any ordinary one; None: neither is worth it."""
    rules = [_rule("blank", ordinary.blank, blurred.blank), _rule("length", ordinary.length, blurred.length)]
    best = max(rules, key=lambda rule: rule.blurred_left_out)
    return best if best.blurred_left_out >= CAUGHT_AT_LEAST else None


def _rule(sign: Sign, ordinary: FloatArray, blurred: FloatArray) -> MeasuredRule:
    turned = -1 if sign == "blank" else 1  # the lower the worse
    allowed = int(len(ordinary) * LEFT_OUT_AT_MOST)
    limit = turned * round(float(np.sort(turned * ordinary)[allowed]) - 5e-4, 3)
    if sign == "blank":
        left_out, caught = np.sum(ordinary >= limit), np.mean(blurred >= limit)
    else:
        left_out, caught = np.sum(ordinary < limit), np.mean(blurred < limit)
    return MeasuredRule(RecognizabilityRule(sign, limit), int(left_out), round(float(caught), 4))


def blurred_chip(chip: Pixels) -> Pixels:
    """The chip, blurred until no person can be recognised."""
    from scipy.ndimage import gaussian_filter

    sigma = BLUR * chip.shape[0]
    blurred: Pixels = np.round(gaussian_filter(chip.astype(np.float32), (sigma, sigma, 0))).astype(np.uint8)
    return blurred
