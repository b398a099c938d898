"""What each sign for faces that cannot be told apart costs and prevents, at several limits.

    python -m benchmarks.recognizability FILE.npz --engine opencv

FILE.npz comes from ``benchmarks.faces_file``. "In groups of strangers" are the faces behind the person in the
middle that go into groups of four or more of which no half comes from one person's photos.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from benchmarks.faces_file import Faces
from benchmarks.report import print_table
from image_search_service.core.types import BoolArray, IntArray
from image_search_service.recognition.clustering.clustering import ClusteringParameters, cluster_embeddings
from image_search_service.recognition.engines.calibrated import MEASURED
from image_search_service.recognition.recognizability import LEAST_VISIBLE

COSTS = (0, 1, 2, 5)
"""Faces in the middle that a limit may leave out."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("--engine", required=True, choices=[*MEASURED])
    given = parser.parse_args()
    faces = Faces.read(given.file)
    inside = np.asarray(faces.visible >= LEAST_VISIBLE)
    rows = [_row("all faces", faces, np.ones(len(inside), bool), given.engine)]
    rows.append(_row("those mostly inside of the photo", faces, inside, given.engine))
    for sign, badness in (("blank", faces.blank), ("length", -faces.lengths)):
        for cost in COSTS:
            limit = np.sort(badness[faces.middle & inside])[-1 - cost]
            name = f"{sign}, limit {abs(limit):.3f}"
            rows.append(_row(name, faces, inside & np.asarray(badness <= limit), given.engine))
    rows.append(_row("the engine's own rule", faces, faces.recognizable(given.engine), given.engine))
    columns = ("grouped are", "in groups of strangers", "the largest", "behind left out", "middle left out")
    print_table(
        f"{given.engine}: {len(inside):,} faces, {int(faces.middle.sum()):,} in the middle", columns, rows
    )


def _row(name: str, faces: Faces, kept: BoolArray, engine: str) -> tuple[str, ...]:
    parameters = ClusteringParameters.for_engine(MEASURED[engine].thresholds, int(kept.sum()))
    labels = np.full(len(kept), -1, dtype=np.int64)
    found = cluster_embeddings(faces.embeddings[kept], faces.photos[kept], parameters, 4 << 30)
    labels[kept] = found.labels
    behind, largest = _strangers(faces, labels)
    left_out = (int(np.sum(~kept & ~faces.middle)), int(np.sum(~kept & faces.middle)))
    return name, f"{behind:,}", f"{largest:,}", *(f"{one:,}" for one in left_out)


def _strangers(faces: Faces, labels: IntArray) -> tuple[int, int]:
    """Faces behind the middle in groups of strangers, and the size of the largest such group."""
    behind = largest = 0
    for label in range(int(labels.max(initial=-1)) + 1):
        rows = np.flatnonzero(labels == label)
        if len(rows) >= 4 and 2 * np.bincount(faces.owners[rows]).max() < len(rows):
            behind += int(np.sum(~faces.middle[rows]))
            largest = max(largest, len(rows))
    return behind, largest


if __name__ == "__main__":
    main()
