"""Every number that depends on an engine, and how it was measured: the one place where they stand.

``tests/unit/recognition/engines/test_calibrated.py`` fails when a number has no record. "Middle" are the
faces nearest the middle of 5,103 photos of 2,320 people (a part of Labeled Faces in the Wild).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from image_search_service.core.types import EngineIdentity
from image_search_service.recognition.engines import known_models
from image_search_service.recognition.engines.calibration import (
    Calibration,
    QualityTables,
    RecognizabilityRule,
    Record,
)
from image_search_service.recognition.engines.known_models import MOBILEFACENET_SHA256, YUNET
from image_search_service.recognition.engines.model_store import combined_checksum_of
from image_search_service.recognition.thresholds import Thresholds

_LFW = "Labeled Faces in the Wild, 5,103 photos of 2,320 people"
_DEGRADED = "256 of these photos of people with four or more, made smaller or blurred; 2,494 for pose"
_TURNED = "256 of these photos of people with four or more, turned by 10 to 45 degrees"
_YUNET_TILT = {"seen_tilt": 5.0, "understated": 2.5, "looks": 3}
"""The constants of the second look at tilted heads: YuNet's, so that both engines with YuNet have them."""

SFACE: Final = Calibration(
    Thresholds(same_person=0.364, assign=0.471, suggest=0.297, neighbour=0.457, baseline=0.092),
    RecognizabilityRule("length", 7.0),
    QualityTables(
        size=(
            (12, 13.4, 16, 18, 23.5, 28.4, 34.4, 45, 56),
            (0.0, 0.43, 0.59, 0.68, 0.85, 0.9, 0.96, 0.99, 1.0),
        ),
        sharpness=(
            (0.0, 0.0005, 0.0008, 0.0012, 0.002, 0.0042, 0.0108, 0.022, 0.074),
            (0.0, 0.29, 0.51, 0.64, 0.77, 0.88, 0.96, 0.99, 1.0),
        ),
        pose=((0.3, 0.44, 0.6, 0.78, 1.3), (1.0, 0.975, 0.9, 0.81, 0.0)),
    ),
    {
        "thresholds": Record(
            "image-search calibrate PHOTOS --engine opencv",
            f"{_LFW}; 33,498 pairs of one person, 12,984,255 of two",
            {
                "same_person": 0.364,
                "assign": 0.471,
                "suggest": 0.297,
                "neighbour": 0.457,
                "baseline": 0.092,
                "pairs of one person that reach same_person": 0.9944,
                "pairs of one person that reach suggest": 0.9976,
                "pairs of one person that reach assign": 0.963,
            },
        ),
        "recognizability": Record(
            "python -m benchmarks.recognizability FILE.npz --engine opencv",
            _LFW,
            {
                "limit": 7.0,
                "middle left out": 1,
                "behind, in groups of strangers, without the rule": 58,
                "behind, in groups of strangers, with it": 21,
            },
        ),
        "quality": Record(
            "python -m benchmarks.quality PHOTOS --engine opencv",
            _DEGRADED,
            {"kept at 28 pixels": 0.904, "kept with a blur of 2 pixels": 0.773},
        ),
        "tilt": Record(
            "python -m benchmarks.quality PHOTOS --engine opencv",
            _TURNED,
            _YUNET_TILT | {"kept at 30°, first look only": 0.581, "kept at 30°, second look": 0.909},
        ),
    },
)
"""The engine ``opencv``. By the blank picture an SFace embedding says nothing: ordinary faces resemble it by
0.19 in the median, and bad ones less."""

MOBILEFACENET: Final = Calibration(
    Thresholds(same_person=0.344, assign=0.47, suggest=0.26, neighbour=0.454, baseline=0.015),
    RecognizabilityRule("blank", 0.26),
    QualityTables(
        size=(
            (12, 14, 16, 18, 23, 28, 34, 45, 56),
            (0.0, 0.17, 0.29, 0.42, 0.67, 0.84, 0.91, 0.96, 1.0),
        ),
        sharpness=(
            (0.0, 0.0005, 0.0008, 0.0012, 0.0022, 0.003, 0.0045, 0.007, 0.012, 0.024, 0.08),
            (0.0, 0.08, 0.16, 0.23, 0.39, 0.5, 0.63, 0.76, 0.88, 0.96, 1.0),
        ),
        pose=((0.2, 0.35, 0.45, 0.6, 1.3), (1.0, 0.95, 0.9, 0.71, 0.0)),
    ),
    {
        "thresholds": Record(
            "image-search calibrate PHOTOS --engine onnx --detector FILE --recognizer FILE",
            f"{_LFW}; 33,498 pairs of one person, 12,984,255 of two",
            {
                "same_person": 0.344,
                "assign": 0.47,
                "suggest": 0.26,
                "neighbour": 0.454,
                "baseline": 0.015,
                "pairs of one person that reach same_person": 0.9608,
                "pairs of one person that reach suggest": 0.9811,
                "pairs of one person that reach assign": 0.8521,
            },
        ),
        "recognizability": Record(
            "python -m benchmarks.recognizability FILE.npz --engine onnx",
            _LFW,
            {
                "limit": 0.26,
                "middle left out": 5,
                "behind, in groups of strangers, without the rule": 593,
                "behind, in groups of strangers, with it": 75,
            },
        ),
        "quality": Record(
            "python -m benchmarks.quality PHOTOS --engine onnx --detector FILE --recognizer FILE",
            _DEGRADED,
            {"kept at 28 pixels": 0.835, "kept with a blur of 2 pixels": 0.389},
        ),
        "tilt": Record(
            "python -m benchmarks.quality PHOTOS --engine onnx --detector FILE --recognizer FILE",
            _TURNED,
            _YUNET_TILT | {"kept at 30°, first look only": 0.378, "kept at 30°, second look": 0.867},
        ),
    },
)
"""The engine ``onnx`` with the file of MobileFaceNet whose checksum is in ``known_models``."""

DLIB: Final = Calibration(
    Thresholds(same_person=0.929, assign=0.958, suggest=0.912, neighbour=0.953, baseline=0.84),
    None,
    QualityTables(
        size=((18, 36.5, 52.5, 73), (0.0, 0.96, 0.98, 1.0)),
        sharpness=(
            (0.0, 0.00018, 0.00032, 0.00046, 0.00081, 0.0016, 0.0045, 0.0101, 0.029),
            (0.0, 0.5, 0.63, 0.71, 0.8, 0.89, 0.965, 0.99, 1.0),
        ),
        pose=((0.25, 0.45, 0.6, 1.3), (1.0, 0.985, 0.91, 0.0)),
    ),
    {
        "thresholds": Record(
            "image-search calibrate PHOTOS --engine dlib",
            f"{_LFW}, in 5,058 of which it finds a face; 33,037 pairs of one person, 12,756,116 of two",
            {
                "same_person": 0.929,
                "assign": 0.958,
                "suggest": 0.912,
                "neighbour": 0.953,
                "baseline": 0.84,
                "pairs of one person that reach same_person": 0.9508,
                "pairs of one person that reach suggest": 0.9919,
                "pairs of one person that reach assign": 0.449,
            },
        ),
        "recognizability": Record(
            "python -m benchmarks.recognizability FILE.npz --engine dlib",
            _LFW,
            {"behind, in groups of strangers, without a rule": 0, "middle left out, as cut off": 1},
        ),
        "quality": Record(
            "python -m benchmarks.quality PHOTOS --engine dlib",
            f"{_DEGRADED}; what is above the mean similarity of two strangers, 0.84",
            {"kept at 36 pixels": 0.961, "kept with a blur of 2 pixels": 0.805},
        ),
    },
)
"""The engine ``dlib``. Its embeddings all lie in one corner, where cosines of two people are 0.84 in the
mean; dlib's own measure, the distance, does no better than the cosine (93.5 %, where that has 94.3 %; 1,600
photos, no mirror images)."""


def _in_proportion(same_person: float, source: str) -> Calibration:
    """For an engine of which one similarity at most is known: the others stand to it as MobileFaceNet's do.
    Nothing else of it is used."""
    known = MOBILEFACENET.thresholds
    factor = same_person / known.same_person
    thresholds = replace(
        known,
        same_person=same_person,
        assign=round(known.assign * factor, 3),
        suggest=round(known.suggest * factor, 3),
        neighbour=round(known.neighbour * factor, 3),
    )
    return Calibration(thresholds, source=source)


ARCFACE: Final = _in_proportion(
    0.28,
    "0.28 is published for ArcFace, 512 numbers, at one in a thousand pairs of two people in Labeled Faces "
    "in the Wild (Deb et al., AdvFaces, IJCB 2020; the procedure is in ronny3050/AdvFaces issue 7)",
)
"""The engine ``insightface``, estimated."""

UNKNOWN_ONNX: Final = _in_proportion(
    MOBILEFACENET.thresholds.same_person,
    "MobileFaceNet's, to which recognisers trained with ArcFace's loss are near",
)
"""The engine ``onnx`` with any other file, estimated."""

MEASURED: Final = {"opencv": SFACE, "onnx": MOBILEFACENET, "dlib": DLIB}
ESTIMATED: Final = {"insightface": ARCFACE, "onnx": UNKNOWN_ONNX}

OPENCV_IDENTITY: Final = EngineIdentity(
    "opencv", combined_checksum_of([YUNET.sha256, known_models.SFACE.sha256]), 128
)
"""The identity of the engine ``opencv``, known without its models."""

_MOBILEFACENET_ENGINE: Final = combined_checksum_of([YUNET.sha256, MOBILEFACENET_SHA256])


def engine_calibration(identity: EngineIdentity) -> Calibration:
    """That of an engine by its identity, without its models: ``open_engine(…).calibration`` is the same."""
    kind = identity.name.partition(":")[0]
    if kind == "synthetic":
        from image_search_service.recognition.engines.synthetic import SyntheticEngine

        return SyntheticEngine.calibration
    if kind == "onnx" and identity.checksum != _MOBILEFACENET_ENGINE:
        return UNKNOWN_ONNX
    return MEASURED.get(kind) or ESTIMATED[kind]


def quality_tables(calibration: Calibration) -> QualityTables:
    """The engine's own tables, or those of ``onnx`` where nobody measured them."""
    tables = calibration.quality or MOBILEFACENET.quality
    assert tables is not None  # noqa: S101 - the line above has them
    return tables
