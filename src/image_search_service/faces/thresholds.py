"""Cosine similarities at which something is decided. They belong to the engine that made the embeddings.

Every threshold of the project is one of these fields; each engine holds its own ``Thresholds`` and
says there how the numbers were found (``scripts/calibrate_thresholds.py``).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Similarities (cosine, −1 to 1), measured on pairs of photos of known people.

    same_person: the verification threshold: one in a thousand pairs of different people reaches it.
    assign: above it a face may be given to a person without asking: one in a hundred thousand.
    suggest: above it a face is worth showing as a suggestion: one in a hundred.
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

    def reached_by(self, share: float) -> float:
        """The similarity that ``share``, 0 < share ≤ 1, of the pairs of different people reach.

        Between the measured ones it is read off a line over the logarithm of the share, as the tail of
        similarities nearly is; beyond them it is the nearest one measured.
        """
        measured = {1e-2: self.suggest, 1e-3: self.same_person, 1 / 50_000: self.neighbour, 1e-5: self.assign}
        decades = [-math.log10(one) for one in measured]
        return float(np.interp(-math.log10(share), decades, list(measured.values())))
