"""Converts between ``qdrant_client.models`` and ``qdrant_edge``, both ways. Pure functions.

Unsupported options are refused by name, never ignored silently.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

import numpy as np
import qdrant_edge as edge
from qdrant_client import models

from image_search_service.core.errors import UnsupportedByEmbeddedQdrantError

_DISTANCES: Final = {
    models.Distance.COSINE: edge.Distance.Cosine,
    models.Distance.DOT: edge.Distance.Dot,
    models.Distance.EUCLID: edge.Distance.Euclid,
    models.Distance.MANHATTAN: edge.Distance.Manhattan,
}
_INDEXES: Final = {
    models.PayloadSchemaType.KEYWORD: edge.PayloadSchemaType.Keyword,
    models.PayloadSchemaType.INTEGER: edge.PayloadSchemaType.Integer,
    models.PayloadSchemaType.FLOAT: edge.PayloadSchemaType.Float,
    models.PayloadSchemaType.BOOL: edge.PayloadSchemaType.Bool,
    models.PayloadSchemaType.DATETIME: edge.PayloadSchemaType.Datetime,
    models.PayloadSchemaType.UUID: edge.PayloadSchemaType.Uuid,
}
_INDEXES_BACK: Final = {theirs: ours for ours, theirs in _INDEXES.items()}
_FLOAT32_MAX: Final = float(np.finfo(np.float32).max)


def supported(value: Any, what: str, *kinds: type) -> Any:
    """``given`` if it is None or one of ``kinds``. Raises UnsupportedByEmbeddedQdrantError."""
    if value is not None and not isinstance(value, kinds):
        raise UnsupportedByEmbeddedQdrantError(f"{what} of the type {type(value).__name__}")
    return value


def only(model: Any, what: str, *fields: str) -> None:
    """Refuse a model that sets anything but ``fields``. Raises UnsupportedByEmbeddedQdrantError."""
    fields_set = {name for name in type(model).model_fields if getattr(model, name) is not None}
    if extra := sorted(fields_set.difference(fields)):
        raise UnsupportedByEmbeddedQdrantError(f"{what} with {', '.join(extra)}")


# To the engine


def vector_params(params: models.VectorParams) -> edge.EdgeVectorParams:
    only(params, "vectors", "size", "distance", "on_disk", "hnsw_config", "quantization_config")
    return edge.EdgeVectorParams(params.size, _DISTANCES[params.distance], on_disk=params.on_disk)


def index_schema(schema: Any) -> Any:
    supported(schema, "a payload index", models.PayloadSchemaType, str)
    kind = models.PayloadSchemaType(schema)
    if kind not in _INDEXES:
        raise UnsupportedByEmbeddedQdrantError(f"a payload index of the type {kind.value}")
    return _INDEXES[kind]


def point_id(value: Any) -> int | str:
    """A whole number of 64 bits, or a UUID in any of its forms. Raises ValueError."""
    if not isinstance(value, int):
        return str(value)  # the engine reads it
    if isinstance(value, bool) or not 0 <= value < 2**64:
        raise ValueError(f"Invalid point id {value}: a UUID or a whole number from 0 to 2^64 - 1 is needed")
    return value


def point_ids(values: Iterable[Any]) -> list[int | UUID | str]:
    return [point_id(value) for value in values]


def limit(value: int | None) -> int:
    """The number of results; 10 by default. Raises ValueError below 1."""
    if value is not None and value < 1:
        raise ValueError(f"Invalid limit {value}: it must be 1 or more")
    return 10 if value is None else value


def vector(value: Any, vectors: Mapping[str, models.VectorParams]) -> Any:
    """A dense vector, or several by name, as the collection's ``vectors`` say. Raises ValueError."""
    if isinstance(value, dict):
        return {name: _numbers(numbers, name, vectors) for name, numbers in value.items()}
    return _numbers(value, "", vectors)


def _numbers(value: Any, name: str, vectors: Mapping[str, models.VectorParams]) -> list[float]:
    """Finite float32 numbers, as many as the vector of that name has. Integers among them are numbers."""
    if name not in vectors:
        raise ValueError(f"Invalid vector name {name!r}: the collection has {sorted(vectors)}")
    numbers = np.asarray(supported(value, "a vector", list, tuple, np.ndarray), dtype=np.float64)
    if numbers.ndim != 1:
        raise UnsupportedByEmbeddedQdrantError("a vector of vectors")
    if numbers.size != vectors[name].size:
        raise ValueError(f"Vector dimension error: expected dim: {vectors[name].size}, got {numbers.size}")
    if not np.abs(numbers).max() <= _FLOAT32_MAX:  # false for NaN, too
        raise ValueError("Invalid vector: a number in it is not finite")
    plain: list[float] = numbers.tolist()
    return plain


def payload(values: dict[str, Any] | None) -> dict[str, Any]:
    """JSON values; ids and moments as the text that the server would store."""
    return {key: _json(value) for key, value in (values or {}).items()}


def _json(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: _json(item) for key, item in value.items()}
    return [_json(item) for item in value] if isinstance(value, list | tuple) else value


def selection(value: Any) -> Any:
    """Which parts of the payload to return: all, none, or certain keys."""
    if isinstance(value, models.PayloadSelectorInclude):
        return edge.PayloadSelector.Include(list(value.include))
    if isinstance(value, models.PayloadSelectorExclude):
        return edge.PayloadSelector.Exclude(list(value.exclude))
    return list(value) if isinstance(value, list | tuple) else bool(value)


def query(request: models.QueryRequest, vectors: Mapping[str, models.VectorParams]) -> edge.QueryRequest:
    """A nearest-neighbour search by a vector; others are refused."""
    only(
        request,
        "a query",
        *("query", "using", "filter", "limit", "offset", "score_threshold", "with_payload", "with_vector"),
    )
    nearest = request.query.nearest if isinstance(request.query, models.NearestQuery) else request.query
    if nearest is None:
        raise UnsupportedByEmbeddedQdrantError("a query without a vector")
    return edge.QueryRequest(
        limit(request.limit),
        offset=request.offset,
        query=edge.Query.Nearest(_numbers(nearest, request.using or "", vectors), request.using),
        with_vector=selection(request.with_vector),
        with_payload=selection(request.with_payload),
        filter=filter_(request.filter),
        score_threshold=request.score_threshold,
    )


def filter_(condition: models.Filter | None) -> edge.Filter | None:
    """A filter with its conditions."""
    if condition is None:
        return None
    only(condition, "a filter", "must", "should", "must_not")
    return edge.Filter(
        _conditions(condition.must), _conditions(condition.should), _conditions(condition.must_not)
    )


def _conditions(conditions: Any) -> list[Any] | None:
    if conditions is None:
        return None
    return [
        _condition(condition)
        for condition in (conditions if isinstance(conditions, Sequence) else [conditions])
    ]


def _condition(condition: Any) -> Any:
    for kind, convert in _CONDITIONS.items():
        if isinstance(condition, kind):
            return convert(condition)
    raise UnsupportedByEmbeddedQdrantError(f"a condition of the type {type(condition).__name__}")


def _field(condition: models.FieldCondition) -> edge.FieldCondition:
    only(condition, "a condition", "key", "match", "range", "is_empty", "is_null")
    return edge.FieldCondition(
        condition.key,
        match=_match(condition.match),
        range=_range(condition.range),
        is_empty=condition.is_empty,
        is_null=condition.is_null,
    )


def _match(match: Any) -> Any:
    supported(match, "a match", models.MatchValue, models.MatchAny, models.MatchExcept)
    if isinstance(match, models.MatchValue):
        return edge.MatchValue(match.value)
    if isinstance(match, models.MatchAny):
        values: Any = list(match.any)
        return edge.MatchAny(values)
    values = list(match.except_) if match else []
    return edge.MatchExcept(values) if isinstance(match, models.MatchExcept) else None


def _range(bounds: Any) -> Any:
    supported(bounds, "a range", models.Range)
    return bounds and edge.RangeFloat(gte=bounds.gte, gt=bounds.gt, lte=bounds.lte, lt=bounds.lt)


_CONDITIONS: Final[dict[type, Callable[[Any], Any]]] = {
    models.FieldCondition: _field,
    models.IsEmptyCondition: lambda given: edge.IsEmptyCondition(given.is_empty.key),
    models.IsNullCondition: lambda given: edge.IsNullCondition(given.is_null.key),
    models.HasIdCondition: lambda given: edge.HasIdCondition(set(point_ids(given.has_id))),
    models.Filter: filter_,
}


# Back from the engine


def collection_info(
    info: edge.ShardInfo, vectors: Mapping[str, models.VectorParams]
) -> models.CollectionInfo:
    params = models.CollectionParams.model_construct(
        vectors=vectors[""] if set(vectors) == {""} else dict(vectors)
    )
    indexes = {
        key: models.PayloadIndexInfo(data_type=_INDEXES_BACK[index.data_type], points=index.points)
        for key, index in info.payload_schema.items()
    }
    return models.CollectionInfo.model_construct(
        status=models.CollectionStatus.GREEN,
        points_count=info.points_count,
        indexed_vectors_count=info.indexed_vectors_count,
        segments_count=info.segments_count,
        payload_schema=indexes,
        config=models.CollectionConfig.model_construct(params=params),
    )


def record(point: edge.Record) -> models.Record:
    return models.Record.model_construct(
        id=_plain_id(point.id), payload=point.payload, vector=point.vector, shard_key=None, order_value=None
    )


def scored(point: edge.ScoredPoint) -> models.ScoredPoint:
    return models.ScoredPoint.model_construct(
        id=_plain_id(point.id),
        version=point.version,
        score=point.score,
        payload=point.payload,
        vector=point.vector,
        shard_key=None,
        order_value=None,
    )


def next_offset(point_id_: Any) -> int | str | None:
    return None if point_id_ is None else _plain_id(point_id_)


def _plain_id(value: Any) -> int | str:
    return value if isinstance(value, int) else str(value)
