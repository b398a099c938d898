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
    neighbour: below it, two faces are no neighbours in the clustering graph.
    """

    same_person: float
    assign: float
    suggest: float
    neighbour: float
