"""How much of a face's resemblance is kept when it is small, blurred, turned or tilted: tables of
``FaceQuality``, and what the second look at tilted heads is worth (``recognition/engines/tilt.py``).

    python -m benchmarks.quality PHOTOS --engine opencv [--detector FILE] [--recognizer FILE]

A photo of each person with four or more is made smaller or blurred and looked at again; kept is the mean of
the median similarity to the person's other photos, as a share of what the photo has untouched; "above
strangers" is the same of what is above the mean similarity of two strangers, which for dlib is 0.84. Pose:
all photos of these people, by how far the head is turned, as a share of what frontal ones have.
"""

from __future__ import annotations

import argparse
import itertools
import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from benchmarks.faces_file import engine_arguments, open_given
from benchmarks.report import print_table
from image_search_service.core.types import FloatArray, Pixels
from image_search_service.media.decode import decode_photo
from image_search_service.recognition.engines import tilt
from image_search_service.recognition.engines.base import FaceEngine
from image_search_service.recognition.quality import sharpness, turn

SIZES = (0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.8)
BLURS = (0.7, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0)
TURNS = (0.0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.9, 1.3)
TILTS = (10, 20, 30, 45)
"""Degrees by which a whole photo is turned."""
PHOTOS = 4

Way = Callable[[Pixels], Pixels]


@dataclass(frozen=True, slots=True)
class Looked:
    """What an engine sees of the face nearest the middle. size: shorter side in pixels."""

    embedding: FloatArray
    size: float
    sharpness: float
    turn: float


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("photos", type=Path)
    engine_arguments(parser)
    given = parser.parse_args()
    engine = open_given(given)
    folders = [sorted(folder.iterdir()) for folder in sorted(given.photos.iterdir()) if folder.is_dir()]
    people = [[_pixels(path) for path in files] for files in folders if len(files) >= PHOTOS]
    rows = [*_spoiled(engine, people, _ways()), *_poses(engine, people)]
    with _first_look_only():
        rows += _spoiled(engine, people, _tilts("first look only"))
    print_table(given.engine, ("photos", "faces found", "measure (median)", "kept", "above strangers"), rows)


def _pixels(path: Path) -> Pixels:
    return decode_photo(path, max_pixels=250_000_000).pixels


def _look(engine: FaceEngine, image: Pixels) -> Looked | None:
    height, width = image.shape[:2]
    found = engine.detect(image)
    if not found:
        return None
    face = min(found, key=lambda one: math.dist(one.box.center, (width / 2, height / 2)))
    chip = engine.align(image, face)
    size = min(face.box.width, face.box.height)
    return Looked(engine.embed([chip])[0], size, sharpness(chip), turn(face.landmarks))


def _others(engine: FaceEngine, photos: list[Pixels], but: int) -> FloatArray:
    looked = [_look(engine, image) for i, image in enumerate(photos) if i != but]
    return np.array([one.embedding for one in looked if one is not None], np.float32)


@contextmanager
def _first_look_only() -> Iterator[None]:
    """Without the second look at tilted heads, which is YuNet's: engines with another detector have none."""
    seen = tilt.SEEN_TILT
    tilt.SEEN_TILT = math.inf
    yield
    tilt.SEEN_TILT = seen


def _spoiled(
    engine: FaceEngine, people: list[list[Pixels]], ways: Iterable[tuple[str, Way]]
) -> Iterator[tuple[str, ...]]:
    """One photo of each person, spoiled in each of these ways."""
    others = [_others(engine, photos, 0) for photos in people]
    known = [(photos[0], rows) for photos, rows in zip(people, others, strict=True) if len(rows)]
    whole = [(_look(engine, image), image, rows) for image, rows in known]
    clear = [(image, rows, float(np.median(rows @ one.embedding))) for one, image, rows in whole if one]
    for name, spoil in ways:
        found = [(_look(engine, spoil(image)), rows, before) for image, rows, before in clear]
        seen = [(one, float(np.median(rows @ one.embedding)), before) for one, rows, before in found if one]
        if len(seen) < 20:
            continue
        now, before = np.mean([one[1:] for one in seen], axis=0)
        measure = np.median([one.size if "size" in name else one.sharpness for one, _, _ in seen])
        yield name, f"{len(seen)} of {len(clear)}", f"{measure:.4g}", *_shares(engine, now, before)


def _shares(engine: FaceEngine, now: float, before: float) -> tuple[str, str]:
    """Of a similarity, and of what of it is above the mean of two strangers."""
    strangers = engine.calibration.thresholds.baseline
    return f"{now / before:.3f}", f"{(now - strangers) / (before - strangers):.3f}"


def _blurred(image: Pixels, sigma: float) -> Pixels:
    return np.asarray(Image.fromarray(image).filter(ImageFilter.GaussianBlur(sigma)))


def _ways() -> Iterator[tuple[str, Way]]:
    for factor in SIZES:
        yield f"size × {factor}", partial(_reduced, factor=factor)
    for sigma in BLURS:
        yield f"blur of {sigma} pixels", partial(_blurred, sigma=sigma)
    yield from _tilts("second look")


def _tilts(look: str) -> Iterator[tuple[str, Way]]:
    for degrees in TILTS:
        yield f"photo turned by {degrees}°, {look}", partial(_tilted, degrees=degrees)


def _tilted(image: Pixels, degrees: int) -> Pixels:
    turned = Image.fromarray(image).rotate(degrees, Image.Resampling.BICUBIC)
    return np.asarray(turned)


def _reduced(image: Pixels, factor: float) -> Pixels:
    height, width = image.shape[:2]
    size = round(width * factor), round(height * factor)
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BOX))


def _poses(engine: FaceEngine, people: list[list[Pixels]]) -> Iterator[tuple[str, ...]]:
    """All photos of these people, by how far the head is turned."""
    found: list[tuple[float, float]] = []
    for photos in people:
        looked = [one for one in (_look(engine, image) for image in photos) if one is not None]
        rows = np.array([one.embedding for one in looked], np.float32)
        for i, one in enumerate(looked):
            if len(looked) > 1:
                found.append((one.turn, float(np.median(np.delete(rows @ one.embedding, i)))))
    turns, similarity = np.array(found).T
    frontal = similarity[turns < TURNS[1]].mean()
    for low, high in itertools.pairwise(TURNS):
        inside = (turns >= low) & (turns < high)
        if inside.any():
            yield (
                f"turned {low} to {high}",
                str(int(inside.sum())),
                f"{turns[inside].mean():.2f}",
                *_shares(engine, similarity[inside].mean(), frontal),
            )


if __name__ == "__main__":
    main()
