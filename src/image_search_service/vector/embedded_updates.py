"""Changes to points, from ``qdrant_client.models`` to the embedded engine's operations: pure functions.

The engine logs an operation before it checks it, and may apply half of one that it refuses (a vector of an
unknown name leaves a point without a vector). So vectors are checked here first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import qdrant_edge as edge
from qdrant_client import models

from image_search_service.core.errors import UnsupportedByEmbeddedQdrantError
from image_search_service.vector import embedded_convert as convert

Vectors = Mapping[str, models.VectorParams]


def upsert(points: Any, vectors: Vectors) -> edge.UpdateOperation:
    """``points``: a list of ``PointStruct``, or a ``Batch``, which has the same in columns."""
    if isinstance(points, models.Batch):
        points = _rows(points)
    return edge.UpdateOperation.upsert_points(
        [
            edge.Point(
                convert.point_id(point.id),
                convert.vector(point.vector, vectors),
                convert.payload(point.payload),
            )
            for point in points
        ]
    )


def _rows(batch: models.Batch) -> list[models.PointStruct]:
    columns: Any = batch.vectors
    if isinstance(columns, dict):
        columns = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    payloads: Sequence[Any] = batch.payloads or [None] * len(batch.ids)
    return [
        models.PointStruct.model_construct(id=point_id, vector=vector, payload=payload)
        for point_id, vector, payload in zip(batch.ids, columns, payloads, strict=True)
    ]


def update_vectors(points: Sequence[models.PointVectors], vectors: Vectors) -> edge.UpdateOperation:
    return edge.UpdateOperation.update_vectors(
        [
            edge.PointVectors(convert.point_id(point.id), convert.vector(point.vector, vectors))
            for point in points
        ]
    )


def delete(points: Any) -> edge.UpdateOperation:
    operations = edge.UpdateOperation
    return _selected(points, operations.delete_points, operations.delete_points_by_filter)


def set_payload(payload: dict[str, Any], points: Any) -> edge.UpdateOperation:
    values = convert.payload(payload)
    return _selected(
        points,
        lambda ids: edge.UpdateOperation.set_payload(ids, values),
        lambda where: edge.UpdateOperation.set_payload_by_filter(where, values),
    )


def overwrite_payload(payload: dict[str, Any], points: Any) -> edge.UpdateOperation:
    values = convert.payload(payload)
    return _selected(
        points,
        lambda ids: edge.UpdateOperation.overwrite_payload(ids, values),
        lambda where: edge.UpdateOperation.overwrite_payload_by_filter(where, values),
    )


def delete_payload(keys: Sequence[str], points: Any) -> edge.UpdateOperation:
    return _selected(
        points,
        lambda ids: edge.UpdateOperation.delete_payload(ids, list(keys)),
        lambda where: edge.UpdateOperation.delete_payload_by_filter(where, list(keys)),
    )


def operation(change: models.UpdateOperation, vectors: Vectors) -> edge.UpdateOperation:
    """One of the operations of ``batch_update_points``."""
    convert_change = _OPERATIONS.get(type(change))
    if convert_change is None:
        raise UnsupportedByEmbeddedQdrantError(f"an update of the type {type(change).__name__}")
    return convert_change(change, vectors)


def _upsert_all(change: models.PointsList | models.PointsBatch, vectors: Vectors) -> edge.UpdateOperation:
    convert.only(change, "an upsert", "points", "batch")
    return upsert(change.points if isinstance(change, models.PointsList) else change.batch, vectors)


def _update_vectors(change: models.UpdateVectors, vectors: Vectors) -> edge.UpdateOperation:
    convert.only(change, "an update of vectors", "points")
    return update_vectors(change.points, vectors)


def _on_points(
    change_payload: Callable[[Any, Any], edge.UpdateOperation], change: Any, what: str
) -> edge.UpdateOperation:
    """An operation on the change's points. what: the field with the values or keys to set or remove."""
    convert.only(change, "a payload update", what, "points", "filter")
    return change_payload(getattr(change, what), change.filter or change.points or [])


_OPERATIONS: Final[dict[type, Callable[[Any, Vectors], edge.UpdateOperation]]] = {
    models.UpsertOperation: lambda given, vectors: _upsert_all(given.upsert, vectors),
    models.UpdateVectorsOperation: lambda given, vectors: _update_vectors(given.update_vectors, vectors),
    models.DeleteOperation: lambda given, _: delete(given.delete),
    models.SetPayloadOperation: lambda given, _: _on_points(set_payload, given.set_payload, "payload"),
    models.OverwritePayloadOperation: lambda given, _: _on_points(
        overwrite_payload, given.overwrite_payload, "payload"
    ),
    models.DeletePayloadOperation: lambda given, _: _on_points(delete_payload, given.delete_payload, "keys"),
}


def _selected(
    points: Any,
    by_ids: Callable[[list[Any]], edge.UpdateOperation],
    by_filter: Callable[[Any], edge.UpdateOperation],
) -> edge.UpdateOperation:
    """The operation on points given by their ids, or by a filter, in any of the client's ways to say so."""
    if isinstance(points, models.FilterSelector):
        convert.only(points, "a selection", "filter")
        points = points.filter
    if isinstance(points, models.Filter):
        return by_filter(convert.filter_(points))
    if isinstance(points, models.PointIdsList):
        convert.only(points, "a selection", "points")
        points = points.points
    return by_ids(convert.point_ids(points if isinstance(points, list | tuple) else [points]))
