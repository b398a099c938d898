"""Faces of known people, embedded once and kept in a file: what the benchmarks of quality work on.

    python -m benchmarks.faces_file PHOTOS FILE.npz --engine opencv [--detector FILE] [--recognizer FILE]

PHOTOS has one folder for each person. FILE.npz holds, for every face: ``embeddings`` (n, d) float32 unit
rows, ``lengths`` before that, ``blank``: cosines with the blank embedding, ``visible``: share in the photo,
``photos`` and ``owners`` (n,) int64: its photo, and whose photo that is, and ``people``: who it is if it is
the one nearest the middle, else −1 (such faces are clustered but not scored).
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from image_search_service.core.config import Settings
from image_search_service.core.errors import MediaError
from image_search_service.core.types import BoolArray, FloatArray, IntArray
from image_search_service.media.decode import decode_photo
from image_search_service.recognition.engines.base import FaceEngine
from image_search_service.recognition.engines.calibrated import MEASURED
from image_search_service.recognition.engines.registry import open_engine
from image_search_service.recognition.evaluation import Scores, score_clustering
from image_search_service.recognition.recognizability import LEAST_VISIBLE, blank_embedding, visible_share


@dataclass(frozen=True, slots=True)
class Faces:
    """The arrays of FILE.npz."""

    embeddings: FloatArray
    lengths: FloatArray
    blank: FloatArray
    visible: FloatArray
    photos: IntArray
    owners: IntArray
    people: IntArray

    @classmethod
    def read(cls, path: Path) -> Faces:
        with np.load(path) as arrays:
            return cls(**{field.name: arrays[field.name] for field in fields(cls)})

    @property
    def middle(self) -> BoolArray:
        return np.asarray(self.people >= 0)

    def where(self, kept: BoolArray) -> Faces:
        return Faces(**{field.name: getattr(self, field.name)[kept] for field in fields(self)})

    def of(self, people: IntArray) -> Faces:
        """All faces in the photos of some people."""
        return self.where(np.isin(self.owners, people))

    def recognizable(self, engine: str) -> BoolArray:
        """(n,) bool, by the engine's own rule."""
        inside = np.asarray(self.visible >= LEAST_VISIBLE)
        rule = MEASURED[engine].recognizability
        if rule is None:
            return inside
        signs = self.blank if rule.sign == "blank" else self.lengths
        return inside & (signs < rule.limit if rule.sign == "blank" else signs >= rule.limit)

    def scores(self, labels: IntArray) -> Scores:
        return score_clustering(self.people[self.middle], labels[self.middle])


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photos", type=Path)
    parser.add_argument("file", type=Path)
    engine_arguments(parser)
    given = parser.parse_args()
    make(open_given(given), given.photos, given.file)


def engine_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--engine", required=True)
    parser.add_argument("--detector", type=Path)
    parser.add_argument("--recognizer", type=Path)
    parser.add_argument("--models", type=Path, default=Settings().models)


def open_given(given: argparse.Namespace) -> FaceEngine:
    return open_engine(
        given.engine, models=given.models, detector=given.detector, recognizer=given.recognizer
    )


def make(engine: FaceEngine, photos: Path, file: Path) -> None:
    """Detect and embed all faces; write FILE.npz."""
    blank = blank_embedding(engine)
    folders = sorted(folder for folder in photos.iterdir() if folder.is_dir())
    files = [(path, person) for person, folder in enumerate(folders) for path in sorted(folder.iterdir())]
    rows = [
        (embedding, length, embedding @ blank, visible, photo, person, person if central else -1)
        for photo, (path, person) in enumerate(files)
        for embedding, length, visible, central in _faces(engine, path)
    ]
    columns = (np.array(column) for column in zip(*rows, strict=True))
    names = [field.name for field in fields(Faces)]
    arrays: Any = dict(zip(names, columns, strict=True))
    np.savez(file, **arrays)


def _faces(engine: FaceEngine, path: Path) -> Iterator[tuple[FloatArray, float, float, bool]]:
    """Embedding, length, visible share, and whether it is the face nearest the middle."""
    try:
        image = decode_photo(path, max_pixels=250_000_000).pixels
    except MediaError as error:
        print(error)
        return
    height, width = image.shape[:2]
    found = engine.detect(image)
    if not found:
        return
    nearest = int(np.argmin([math.dist(face.box.center, (width / 2, height / 2)) for face in found]))
    embeddings, lengths = engine.embed_with_lengths([engine.align(image, face) for face in found])
    for i, face in enumerate(found):
        visible = visible_share(face.box, width=width, height=height)
        yield embeddings[i], float(lengths[i]), visible, i == nearest


if __name__ == "__main__":
    main()
