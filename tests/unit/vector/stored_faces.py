"""The faces that the stand-in server has, a reader of scripted answers, and a sleep that only notes."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from image_search_service.vector.batching import BatchReader, EmbeddingBatch
from image_search_service.vector.face_qdrant import FaceQdrantClient
from tests.support.backends import face_points
from tests.unit.vector.scripted_qdrant import ScriptedQdrant

FACES = face_points(250)
IDS = [face.point_id for face in FACES]
A, B, C = IDS[:3]


def read(vectors: dict[UUID, Any], ids: list[UUID] | None = None, **options: Any) -> EmbeddingBatch:
    return BatchReader(ScriptedQdrant(vectors), "faces", 2, **options).read(ids or list(vectors))  # type: ignore[arg-type]


class Pauses:
    """A clock's sleep that only notes."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)


def pauses(faces: FaceQdrantClient) -> list[float]:
    sleep = faces._retry.sleep
    assert isinstance(sleep, Pauses)
    return sleep.slept
