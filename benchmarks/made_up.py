"""How near the made-up embeddings come to a real engine's, and the fitting of their constants.

    python -m benchmarks.made_up FILE.npz [--fit]

FILE.npz is made by ``python -m benchmarks.faces_file PHOTOS FILE.npz --engine opencv``. As many made-up faces
of as many people are made, with the constants of ``recognition/made_up.py``, and quantiles of both printed.
``--fit`` looks for better constants (Nelder and Mead's simplex; minutes) and prints them.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from benchmarks.faces_file import Faces
from benchmarks.report import machine, print_table
from image_search_service.core.types import FloatArray, IntArray
from image_search_service.recognition.made_up import SFACE_SPREAD, FaceSpread

DIFFERENT = (0.9, 0.5, 0.1, 1e-2, 1e-3, 1e-4, 1e-5)
"""Shares of the pairs of different people that reach a similarity."""
WEIGHTS = (0.5, 2.0, 1.0, 4.0, 8.0, 8.0, 8.0)
"""What a deviation counts for: the tail decides how many strangers are neighbours."""
SAME = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99)
"""Shares of the pairs of one person that stay below one. Rarer ones are errors of the photos' labels."""
SEEDS = (1, 2)
TRIES = 70
FITTED = ("common", "person", "decay", "unevenness")
Quantiles = tuple[FloatArray, FloatArray]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("--fit", action="store_true", help="look for better constants")
    given = parser.parse_args()
    faces = Faces.read(given.file)
    faces = faces.where(faces.middle)
    people = np.unique(faces.people, return_inverse=True)[1]
    real = quantiles(faces.embeddings, people)
    spread = fitted(real, people) if given.fit else SFACE_SPREAD
    print({name: round(value, 4) for name, value in asdict(spread).items()})
    show(real, made_quantiles(spread, people), f"{len(people):,} faces, {people.max() + 1:,} people")


def quantiles(embeddings: FloatArray, people: IntArray) -> Quantiles:
    """Similarities of different people, (7,), and of one person, (8,), at the shares above."""
    product = embeddings @ embeddings.T
    same = people[:, None] == people
    pair = np.triu(np.ones_like(same), 1)
    different, own = product[pair & ~same], product[pair & same]
    places = [int((1 - share) * (len(different) - 1)) for share in DIFFERENT]
    return np.partition(different, places)[places], np.quantile(own, SAME).astype(np.float32)


def made_quantiles(spread: FaceSpread, people: IntArray) -> Quantiles:
    """The same of made-up faces, in the mean over ``SEEDS``."""
    made = [
        quantiles(np.concatenate(list(spread.faces(np.random.default_rng(seed), people))), people)
        for seed in SEEDS
    ]
    different, same = (np.mean(column, axis=0) for column in zip(*made, strict=True))
    return different, same


def fitted(real: Quantiles, people: IntArray) -> FaceSpread:
    """The constants whose quantiles come nearest. The three variances sum up to 1, as only ratios matter."""

    def with_constants(values: npt.NDArray[np.float64]) -> FaceSpread:
        constants: dict[str, Any] = {name: float(value) for name, value in zip(FITTED, values, strict=True)}
        rest = 1 - constants["common"] - constants["person"]
        return replace(SFACE_SPREAD, photo=rest, **constants)

    def distance(values: npt.NDArray[np.float64]) -> float:
        different, same = made_quantiles(with_constants(values), people)
        tail = np.square(different - real[0]) * WEIGHTS
        return float(tail.sum() + np.square(same - real[1]).sum())

    start = np.array([getattr(SFACE_SPREAD, name) for name in FITTED])
    corners = [start, *(start + step for step in np.diag(0.1 * start))]
    options: Any = {"maxfev": TRIES, "initial_simplex": corners}
    found = minimize(distance, start, method="Nelder-Mead", options=options)
    return with_constants(found.x)


def show(real: Quantiles, made: Quantiles, title: str) -> None:
    shares = [f"different people, {share:g} reach" for share in DIFFERENT]
    shares += [f"one person, {share:g} stay below" for share in SAME]
    rows = [
        (share, f"{one:.3f}", f"{other:.3f}")
        for share, one, other in zip(shares, np.concatenate(real), np.concatenate(made), strict=True)
    ]
    print_table(f"{title}, {machine()}", ("", "real", "made up"), rows)


if __name__ == "__main__":
    main()
