"""Measures reading embeddings by id from the user's own Qdrant, in three ways: ``image-search bench
retrieval``.

This is the only place that requests one id a call, to show what that costs. It uses a temporary collection.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import numpy as np

from image_search_service.core.errors import VectorStoreError
from image_search_service.core.types import FloatArray, Progress
from image_search_service.vector.batching import DEFAULT_BATCH_SIZE
from image_search_service.vector.calls import Retry, call
from image_search_service.vector.collections import FacePayload, FacePoint
from image_search_service.vector.errors import translated
from image_search_service.vector.face_qdrant import FaceQdrantClient

if TYPE_CHECKING:
    from image_search_service.vector.transport import AnyQdrant

PREFIX = "image_search_bench_"
"""Prefix of the names of temporary collections."""
SAMPLE = 100
"""Number of ids that are read one id a call; the time is scaled up, since the calls are independent."""

ONE_ID, SPECIFICATION, OURS = "one id a call", "100 ids a call, in turn", "this program"


@contextmanager
def temporary_faces(client: AnyQdrant, number: int, dimension: int) -> Iterator[FaceQdrantClient]:
    """A new collection of made-up faces with the ids 1 to ``number``; removed in the end, whatever happens.

    Raises UnavailableError, VectorStoreError.
    """
    faces = FaceQdrantClient(client, f"{PREFIX}{uuid4().hex}", dimension)
    name = faces.collection_name
    try:
        faces.ensure_collection()
        faces.upsert_faces(_made_up(number, dimension))
        yield faces
    finally:
        call(
            "delete_collection",
            f"in delete_collection of {name}",
            lambda: client.delete_collection(name),
            Retry(),
        )


def _made_up(number: int, dimension: int) -> Iterator[FacePoint]:
    random = np.random.default_rng(0)
    for row in range(number):
        direction = random.standard_normal(dimension).astype(np.float32)
        unit: FloatArray = direction / np.linalg.norm(direction)
        yield FacePoint(UUID(int=row + 1), unit, FacePayload(UUID(int=row + 1), UUID(int=row + 1)))


def measure(
    faces: FaceQdrantClient, number: int, rounds: int, progress: Progress | None = None
) -> dict[str, float]:
    """Median milliseconds for ``number`` embeddings, 1 or more, to an array, by the name of the way.

    The ways are taken in turn, so that a busy machine slows all alike; the first of ``rounds`` + 1 is not
    counted. Raises UnavailableError, VectorStoreError when not all embeddings come back.
    """
    ids = [UUID(int=row + 1) for row in range(number)]
    sample = ids[:SAMPLE]
    ways: dict[str, tuple[Callable[[], int], float]] = {
        ONE_ID: (lambda: len(_one_by_one(faces, sample)), number / len(sample)),
        SPECIFICATION: (lambda: len(_in_turn(faces, ids)), 1.0),
        OURS: (lambda: len(faces.get_embeddings_by_point_ids(ids)), 1.0),
    }
    times: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(rounds + 1):
        for name, (way, scale) in ways.items():
            started = time.perf_counter()
            count = way()
            times[name].append((time.perf_counter() - started) * 1000 * scale)
            if count * scale < number:
                raise VectorStoreError(f"Of {number} embeddings that were just written, not all can be read.")
        if progress is not None:
            progress(turn + 1, rounds + 1)
    return {name: statistics.median(taken[1:]) for name, taken in times.items()}


def _one_by_one(faces: FaceQdrantClient, ids: Sequence[UUID]) -> FloatArray:
    """One id a call, as before the specification."""
    return _as_array([point for point_id in ids for point in _retrieved(faces, [point_id])])


def _in_turn(faces: FaceQdrantClient, ids: Sequence[UUID]) -> FloatArray:
    """The specification's own design: a batch a call, one after the other, every number checked."""
    points: list[Any] = []
    for start in range(0, len(ids), DEFAULT_BATCH_SIZE):
        records = _retrieved(faces, ids[start : start + DEFAULT_BATCH_SIZE])
        points += [point for point in records if all(isinstance(number, float) for number in point.vector)]
    return _as_array(points)


def _as_array(points: Sequence[Any]) -> FloatArray:
    return np.array([point.vector for point in points], dtype=np.float32)


def _retrieved(faces: FaceQdrantClient, ids: Sequence[UUID]) -> list[Any]:
    with translated("in reading embeddings by id"):
        return faces.client.retrieve(
            faces.collection_name, [str(id_) for id_ in ids], with_payload=False, with_vectors=True
        )
