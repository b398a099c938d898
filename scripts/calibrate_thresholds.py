"""Find an engine's thresholds on photos of known people, one folder for each.

Of each photo the face nearest the middle counts as the person after whom the folder is named. All pairs of
two photos are compared; what each threshold means is defined in ``recognition/thresholds.py``. The result
belongs in ``recognition/engines/calibrated.py``.

    python scripts/calibrate_thresholds.py PHOTOS --engine dlib [--most 1500]
    python scripts/calibrate_thresholds.py PHOTOS --engine onnx --detector FILE --recognizer FILE
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from image_search_service.core.config import Settings
from image_search_service.core.errors import MediaError
from image_search_service.core.types import FloatArray, Pixels
from image_search_service.media.decode import decode_photo
from image_search_service.recognition.engines.base import FaceEngine
from image_search_service.recognition.engines.registry import open_engine
from image_search_service.recognition.thresholds import Thresholds

SAME_PERSON, ASSIGN, SUGGEST, NEIGHBOUR = 1e-3, 1e-5, 1e-2, 1 / 50_000
"""Share of the pairs of different people that may reach the threshold; see ``Thresholds``."""


def main() -> None:
    given = _arguments()
    engine = open_engine(
        given.engine, models=given.models, detector=given.detector, recognizer=given.recognizer
    )
    files = _sample(sorted(given.photos.glob("*/*")), given.most)
    embeddings, people = _central_faces(engine, files)
    genuine, impostors = _similarities(embeddings, people)
    print(
        f"{engine.identity.name}: faces in {len(people):,} of {len(files):,} photos, of {len(set(people)):,}"
    )
    print(f"{genuine.size:,} pairs of one person, {impostors.size:,} of two")
    for share in (SUGGEST, SAME_PERSON, 1e-4, NEIGHBOUR, ASSIGN):
        threshold = float(np.quantile(impostors, 1 - share))
        reached = np.mean(genuine >= threshold)
        print(f"  1 in {1 / share:>9,.0f}: {threshold:.3f}, reached by {reached:.1%} of one person's")
    print(_thresholds(impostors))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photos", type=Path)
    parser.add_argument("--engine", required=True)
    parser.add_argument("--detector", type=Path)
    parser.add_argument("--recognizer", type=Path)
    parser.add_argument("--models", type=Path, default=Settings().models)
    parser.add_argument(
        "--most", type=int, default=sys.maxsize, help="photos at most, of the people with the most"
    )
    return parser.parse_args()


def _sample(files: list[Path], most: int) -> list[Path]:
    """At most so many files: all of the people with several photos before those with one.

    Pairs of one person are few, pairs of two are many; so this loses the least.
    """
    photos_of: dict[Path, list[Path]] = {}
    for file in files:
        photos_of.setdefault(file.parent, []).append(file)
    # No more than ten of one person, or a few people would make up most of the pairs.
    groups = sorted((group[:10] for group in photos_of.values()), key=len, reverse=True)
    return files if len(files) <= most else [file for group in groups for file in group][:most]


def _central_faces(engine: FaceEngine, files: list[Path]) -> tuple[FloatArray, list[str]]:
    """Embeddings ``(n, d)`` of the central faces, and the names of their people."""
    found = [(chip, file.parent.name) for file in files for chip in _central_chip(engine, file)]
    return engine.embed([chip for chip, _ in found]), [person for _, person in found]


def _central_chip(engine: FaceEngine, file: Path) -> Iterator[Pixels]:
    """The aligned face nearest the middle of the photo, if there is one."""
    try:
        image = decode_photo(file, max_pixels=250_000_000).pixels
    except MediaError:
        return
    height, width = image.shape[:2]
    faces = engine.detect(image)
    if faces:
        face = min(faces, key=lambda one: math.dist(one.box.center, (width / 2, height / 2)))
        yield engine.align(image, face)


def _similarities(embeddings: FloatArray, people: list[str]) -> tuple[FloatArray, FloatArray]:
    """Cosines of all pairs of one person, and of all pairs of two."""
    _, person = np.unique(people, return_inverse=True)
    upper = np.triu_indices(len(person), 1)
    cosine = (embeddings @ embeddings.T)[upper]
    same = person[upper[0]] == person[upper[1]]
    return cosine[same], cosine[~same]


def _thresholds(impostors: FloatArray) -> Thresholds:
    def reached_by(share: float) -> float:
        return round(float(np.quantile(impostors, 1 - share)), 3)

    return Thresholds(
        same_person=reached_by(SAME_PERSON),
        assign=reached_by(ASSIGN),
        suggest=reached_by(SUGGEST),
        neighbour=reached_by(NEIGHBOUR),
        baseline=max(0.0, round(float(impostors.mean()), 3)),
    )


if __name__ == "__main__":
    main()
