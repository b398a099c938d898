"""Cosine similarities at which something is decided. They belong to the engine that made the embeddings.

Every threshold of the project is one of these fields; each engine holds its own ``Thresholds`` and
says there how the numbers were found (``scripts/calibrate_thresholds.py``).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Similarities (cosine, −1 to 1), measured on pairs of photos of known people.

    same_person: the verification threshold: one in a thousand pairs of different people reaches it.
    assign: above it a face may be given to a person without asking: one in a hundred thousand.
    suggest: above it a face is worth showing as a suggestion: one in a hundred.
    neighbour: below it, two faces are no neighbours in the clustering graph: one in fifty thousand
        pairs of different people reaches it.
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
