"""Several threads with one engine."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from image_search_service.core.types import FloatArray, Pixels
from image_search_service.recognition.engines.base import Detection, FaceEngine


def assert_four_threads_find_what_one_does(engine: FaceEngine, pictures: Sequence[Pixels]) -> None:
    """The same detections and, to the last bit, the same embeddings."""

    def faces(picture: Pixels) -> tuple[list[Detection], FloatArray]:
        found = engine.detect(picture)
        return list(found), engine.embed([engine.align(picture, face) for face in found])

    alone = [faces(picture) for picture in pictures]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(faces, pictures))
    for (found, vectors), (expected, expected_vectors) in zip(together, alone, strict=True):
        assert found == expected
        np.testing.assert_array_equal(vectors, expected_vectors)
