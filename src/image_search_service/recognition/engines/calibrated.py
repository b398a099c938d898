"""Each engine's thresholds, and how each number was found. What they mean: ``recognition/thresholds.py``."""

from __future__ import annotations

from typing import Final

from image_search_service.recognition.thresholds import Thresholds

MOBILEFACENET: Final = Thresholds(
    same_person=0.344, assign=0.47, suggest=0.26, neighbour=0.454, baseline=0.015
)
"""The engine ``onnx``. Measured with MobileFaceNet on 5,103 photos of 2,320 people (Labeled Faces in the
Wild), 12,984,255 pairs of two people, by

    python scripts/calibrate_thresholds.py PHOTOS --engine onnx --detector FILE --recognizer FILE

Of 33,498 pairs of one person 96.0 % reach ``same_person``, 98.0 % ``suggest``, 85.4 % ``assign``. Other
recognisers trained with ArcFace's loss are near these numbers, so any file given gets them."""


def _in_proportion(same_person: float) -> Thresholds:
    """For an engine of which only one similarity is known: the others stand to it as MobileFaceNet's do."""
    factor = same_person / MOBILEFACENET.same_person
    return Thresholds(
        same_person=same_person,
        assign=round(MOBILEFACENET.assign * factor, 3),
        suggest=round(MOBILEFACENET.suggest * factor, 3),
        neighbour=round(MOBILEFACENET.neighbour * factor, 3),
        baseline=MOBILEFACENET.baseline,
    )


SFACE: Final = _in_proportion(0.363)
"""The engine ``opencv``. Not measured here. 0.363 is the cosine that OpenCV publishes for SFace
(``samples/dnn/face_detect.cpp`` and OpenCV Zoo's ``sface.py``): the best accuracy on Labeled Faces in the
Wild."""

ARCFACE: Final = _in_proportion(0.28)
"""The engine ``insightface``. Not measured here. 0.28 is published for ArcFace, 512 numbers, at one in a
thousand pairs of two people in Labeled Faces in the Wild (Deb et al., AdvFaces, IJCB 2020; the procedure is
in ronny3050/AdvFaces issue 7)."""

DLIB: Final = Thresholds(same_person=0.929, assign=0.958, suggest=0.912, neighbour=0.953, baseline=0.84)
"""The engine ``dlib``. Measured on the same photos, of which it finds a face in 5,058, 12,756,116 pairs, by

    python scripts/calibrate_thresholds.py PHOTOS --engine dlib

Of 33,037 pairs of one person 95.0 % reach ``same_person``, 99.2 % ``suggest``, 45.9 % ``assign``. Its
embeddings all lie in one corner, where cosines of two people are 0.84 in the mean; dlib's own measure, the
distance, does no better than the cosine (93.5 %, where that has 94.3 %; 1,600 photos, no mirror images)."""

_BY_ENGINE: Final = {"opencv": SFACE, "onnx": MOBILEFACENET, "insightface": ARCFACE, "dlib": DLIB}


def engine_thresholds(name: str) -> Thresholds:
    """Those of an engine by its name, without its models: ``open_engine(name).thresholds`` is the same."""
    kind = name.partition(":")[0]
    if kind in _BY_ENGINE:
        return _BY_ENGINE[kind]
    from image_search_service.recognition.engines.synthetic import SyntheticEngine

    return SyntheticEngine.thresholds
