"""Measuring an engine on photos of known people: one folder for each person."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from image_search_service.core.errors import InvalidInputError, MediaError
from image_search_service.core.parallel import chunks, map_ahead, thread_pool
from image_search_service.core.types import FloatArray, IntArray, Pixels, Progress
from image_search_service.media.decode import decode_photo
from image_search_service.media.scan import PhotoScan
from image_search_service.recognition.engines.base import FaceEngine
from image_search_service.recognition.engines.calibration import Calibration, Record
from image_search_service.recognition.measuring import (
    MeasuredRule,
    MeasuredThresholds,
    RecognizabilitySigns,
    blurred_chip,
    choose_rule,
    measure_thresholds,
)
from image_search_service.recognition.recognizability import blank_embedding
from image_search_service.services.evaluation.service import codes, identity

BATCH = 16
"""Photos that one thread reads before it embeds their faces together."""
BLURRED = 300
"""Faces, about, that are embedded blurred, too; every so-manieth."""


@dataclass(frozen=True, slots=True)
class CentralFaces:
    """The face nearest the middle of each photo.

    embeddings: (n, d) float32 unit rows. lengths: (n,) before that. people: (n,) who the folder says it is.
    blurred: the same two of some of them, blurred. photos: how many were looked at.
    """

    embeddings: FloatArray
    lengths: FloatArray
    people: IntArray
    blurred: tuple[FloatArray, FloatArray]
    photos: int


@dataclass(frozen=True, slots=True)
class Measurement:
    """What was measured, and the calibration that it makes."""

    calibration: Calibration
    thresholds: MeasuredThresholds
    rule: MeasuredRule | None
    photos: int
    faces: int
    people: int


def measure(
    engine: FaceEngine,
    folder: Path,
    *,
    command: str,
    workers: int,
    max_pixels: int,
    progress: Progress | None = None,
) -> Measurement:
    """Measure thresholds, and the rule for faces that cannot be told apart, on the photos below ``folder``.

    command: what is kept as the record of how it was measured. Raises InvalidInputError if the folder shows
    too few people.
    """
    faces = _central_faces(engine, folder, workers=workers, max_pixels=max_pixels, progress=progress)
    thresholds = measure_thresholds(faces.embeddings, faces.people)
    blank = blank_embedding(engine)
    rule = choose_rule(
        RecognizabilitySigns(faces.embeddings @ blank, faces.lengths),
        RecognizabilitySigns(faces.blurred[0] @ blank, faces.blurred[1]),
    )
    people = int(faces.people.max()) + 1
    what = f"{faces.photos:,} photos of {people:,} people"
    records = {"thresholds": Record(command, what, _figures(thresholds))}
    if rule is not None:
        figures = {
            "limit": rule.rule.limit,
            "ordinary left out": rule.ordinary_left_out,
            "blurred left out": rule.blurred_left_out,
        }
        records["recognizability"] = Record(command, what, figures)
    calibration = Calibration(
        thresholds.thresholds, None if rule is None else rule.rule, engine.calibration.quality, records
    )
    return Measurement(calibration, thresholds, rule, faces.photos, len(faces.people), people)


def _figures(measured: MeasuredThresholds) -> dict[str, float]:
    limits = measured.thresholds
    return {
        "same_person": limits.same_person,
        "assign": limits.assign,
        "suggest": limits.suggest,
        "neighbour": limits.neighbour,
        "baseline": limits.baseline,
        "pairs of one person": measured.genuine,
        "pairs of two": measured.impostors,
    } | {f"pairs of one person that reach {name}": share for name, share in measured.reached.items()}


def _central_faces(
    engine: FaceEngine, folder: Path, *, workers: int, max_pixels: int, progress: Progress | None
) -> CentralFaces:
    files = [file.path for file in PhotoScan([folder]) if len(file.path.relative_to(folder).parts) > 1]
    step = max(1, len(files) // BLURRED)
    numbered = enumerate(files)
    parts, names, done = [], [], 0
    with thread_pool(workers, "measure") as pool:
        read = partial(_read, engine, max_pixels, step)
        for people, part in map_ahead(pool, read, chunks(numbered, BATCH), 2 * workers):
            parts.append(part)
            names += [identity(path, folder) for path in people]
            done += BATCH
            if progress is not None:
                progress(min(done, len(files)), len(files))
    if not names:
        raise InvalidInputError(
            f"No face was found in {folder}.", hint="It should hold one folder of photos for each person."
        )
    columns = [np.concatenate(column) for column in zip(*parts, strict=True)]
    return CentralFaces(columns[0], columns[1], codes(names), (columns[2], columns[3]), len(files))


_Part = tuple[FloatArray, FloatArray, FloatArray, FloatArray]


def _read(
    engine: FaceEngine, max_pixels: int, step: int, files: Sequence[tuple[int, Path]]
) -> tuple[list[Path], _Part]:
    """The files that show a face; embeddings and lengths of the central faces, and of the blurred ones."""
    chips = [
        (number, path, chip) for number, path in files for chip in _central_chip(engine, path, max_pixels)
    ]
    sharp = engine.embed_with_lengths([chip for _, _, chip in chips])
    blurred = [blurred_chip(chip) for number, _, chip in chips if number % step == 0]
    return [path for _, path, _ in chips], (*sharp, *engine.embed_with_lengths(blurred))


def _central_chip(engine: FaceEngine, path: Path, max_pixels: int) -> Iterator[Pixels]:
    """The aligned face nearest the middle of the photo, if there is one."""
    try:
        image = decode_photo(path, max_pixels=max_pixels).pixels
    except MediaError:
        return
    height, width = image.shape[:2]
    faces = engine.detect(image)
    if faces:
        nearest = min(faces, key=lambda face: math.dist(face.box.center, (width / 2, height / 2)))
        yield engine.align(image, nearest)
