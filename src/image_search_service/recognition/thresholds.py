"""Cosine similarities at which something is decided. They belong to the engine that made the embeddings.

Every threshold of the project is one of these fields; each engine holds its own ``Thresholds`` and
the command that found them is kept with them (``engines/calibrated.py``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from image_search_service.core.types import Likeness

FALSE_SUGGESTIONS = 1.0
"""Strangers that looking for somebody's faces finds, on average. Of 5,098 photos of 2,317 people (Labeled
Faces in the Wild, MobileFaceNet; 20 or 100 people with 2 or 5 named photos each, ten draws) 88 to 92 %
of what a centroid found with it were theirs, and 97 to 99 % of theirs were found; of what reaches ``suggest``
23 to 39 % were theirs. What it gives with each engine, and the two numbers below: ``benchmarks.suggestions``
and docs/performance.md, "How often a proposal is right"."""

BEYOND_ASSIGN = 0.05
"""How far beyond ``assign``, of the way to 1, a face must resemble a centroid to be given to its person: a
mean has less of its own than a photo has, so that everybody resembles it more. In the same draws 99.8 % were
right instead of 99.2 to 99.6 %, and 92 to 97 % of theirs were found instead of 94 to 98 %."""

MARGIN = 0.05
"""How much more alike, of the way from ``baseline`` to 1, the best person must be than the second best."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Similarities (cosine, −1 to 1), measured on pairs of photos of known people.

    same_person: the verification threshold: one in a thousand pairs of different people reaches it.
    assign: above it a face may be given to a person without asking: one in a hundred thousand.
    suggest: below it no face is worth showing as a suggestion: one in a hundred. Among many faces it takes
        more (``suggest_among``).
    neighbour: one in fifty thousand; with 6,000 faces to group, two below it are no neighbours (how that
        depends on their number: ``ClusteringParameters.for_engine``).
    baseline: the mean over pairs of different people; 0 ≤ baseline < neighbour (0 where it is negative).

    "One in so many" is a quantile over all pairs of photos of different people, strangers behind
    them left out: ``np.quantile(impostors, 1 - 1 / 50_000)``. The rule serves every engine alike: what
    clustering decides beyond ``neighbour`` lies between it and 1, in shares that are the same for all
    (``ClusteringParameters``).
    """

    same_person: float
    assign: float
    suggest: float
    neighbour: float
    baseline: float = 0.0

    def suggest_among(self, pairs: int) -> float:
        """From which similarity one of so many compared pairs is worth showing: the more strangers
        there are, the more of them look alike by chance. Never below ``suggest``, never above ``assign``."""
        return self.reached_by(min(1.0, FALSE_SUGGESTIONS / max(pairs, 1)))

    @property
    def assign_to_centroid(self) -> float:
        """From which similarity to a person's centroid a face may be given to them without asking."""
        return self.assign + BEYOND_ASSIGN * (1 - self.assign)

    @property
    def margin(self) -> float:
        """By how much the best person must surpass the second best for that."""
        return MARGIN * (1 - self.baseline)

    def likeness(self, similarity: float) -> Likeness:
        """How alike two faces, or a face and a centroid, are, in a word."""
        if similarity >= self.assign_to_centroid:
            return Likeness.VERY
        return Likeness.QUITE if similarity >= self.same_person else Likeness.HARDLY

    def reached_by(self, share: float) -> float:
        """The similarity that ``share``, 0 < share ≤ 1, of the pairs of different people reach.

        Between the measured ones it is read off a line over the logarithm of the share, as the tail of
        similarities nearly is; beyond them it is the nearest one measured.
        """
        measured = {1e-2: self.suggest, 1e-3: self.same_person, 1 / 50_000: self.neighbour, 1e-5: self.assign}
        decades = [-math.log10(similarity) for similarity in measured]
        return float(np.interp(-math.log10(share), decades, list(measured.values())))
