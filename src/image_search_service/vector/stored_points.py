"""Reads points exactly as stored, with their defects, for ``image-search doctor``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias
from uuid import UUID

import numpy as np
import numpy.typing as npt

from image_search_service.core.types import BoolArray, FloatArray
from image_search_service.vector.embedding_batch import NO_EMBEDDING, EmbeddingRows

if TYPE_CHECKING:
    from qdrant_client import models

PointId: TypeAlias = UUID | int
"""A Qdrant point id: a UUID, as this project writes, or a whole number, as other programs may."""

UNIT_TOLERANCE = 1e-3
"""How far from 1 the length of an embedding may be; Qdrant itself normalises to about 1e-7."""


@dataclass(frozen=True, slots=True)
class StoredPoint:
    """A point and what is wrong with its vector: None for a finite one of unit length and right dimension."""

    id: PointId
    payload: dict[str, Any]
    problem: str | None


def stored_points(
    records: Sequence[models.Record], dimension: int, vector_name: str | None
) -> list[StoredPoint]:
    """Check the vectors of returned points; the result has the problems but not the vectors."""
    ids = [_point_id(record.id) for record in records]
    rows = EmbeddingRows([id_ for id_ in ids if isinstance(id_, UUID)], dimension, vector_name)
    points = ((str(record.id), record.vector) for record in records)
    rows.fill(points, rows.row_by_id(range(len(rows))))
    batch = rows.batch()
    problems: dict[PointId, str] = {}
    problems.update(batch.missing.items())
    lengths = _lengths(batch.matrix)
    for row in np.flatnonzero(~is_unit(batch.matrix)).tolist():
        problems[batch.ids[row]] = f"has the length {lengths[row]:.3g}, expected 1"
    return [
        StoredPoint(id_, record.payload or {}, problems.get(id_, _without_uuid(id_)))
        for id_, record in zip(ids, records, strict=True)
    ]


def is_unit(embeddings: FloatArray) -> BoolArray:
    """For each row of ``(n, d)`` whether its length is 1, as that of every stored embedding should be."""
    return np.asarray(np.abs(_lengths(embeddings) - 1) <= UNIT_TOLERANCE)


def _lengths(embeddings: FloatArray) -> npt.NDArray[np.float64]:
    """In double precision: squares of what is damaged may be beyond a float's."""
    return np.asarray(np.linalg.norm(embeddings.astype(np.float64), axis=1))


def _point_id(value: Any) -> PointId:
    return value if isinstance(value, int) else UUID(str(value))


def _without_uuid(point_id: PointId) -> str | None:
    return None if isinstance(point_id, UUID) else NO_EMBEDDING
