"""Between ``qdrant_client.models`` and ``qdrant_edge``: pure functions, both ways.

What the embedded engine is not asked to do by this project is refused by name, never passed over in silence.
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


def supported(given: Any, what: str, *kinds: type) -> Any:
    """``given`` if it is None or one of ``kinds``. Raises UnsupportedByEmbeddedQdrantError."""
    if given is not None and not isinstance(given, kinds):
        raise UnsupportedByEmbeddedQdrantError(f"{what} of the type {type(given).__name__}")
    return given


def only(model: Any, what: str, *fields: str) -> None:
    """Refuse a model that sets anything but ``fields``. Raises UnsupportedByEmbeddedQdrantError."""
    given = {name for name in type(model).model_fields if getattr(model, name) is not None}
    if extra := sorted(given.difference(fields)):
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


def point_id(given: Any) -> int | str:
    """A whole number of 64 bits, or a UUID in any of its forms. Raises ValueError."""
    if not isinstance(given, int):
        return str(given)  # the engine reads it
    if isinstance(given, bool) or not 0 <= given < 2**64:
        raise ValueError(f"Invalid point id {given}: a UUID or a whole number from 0 to 2^64 - 1 is needed")
    return given


def point_ids(given: Iterable[Any]) -> list[int | UUID | str]:
    return [point_id(one) for one in given]


def limit(given: int | None) -> int:
    """How many to return; 10 if it is not said. Raises ValueError below 1."""
    if given is not None and given < 1:
        raise ValueError(f"Invalid limit {given}: it must be 1 or more")
    return 10 if given is None else given


def vector(given: Any, vectors: Mapping[str, models.VectorParams]) -> Any:
    """A dense vector, or several by name, as the collection's ``vectors`` say. Raises ValueError."""
    if isinstance(given, dict):
        return {name: _numbers(numbers, name, vectors) for name, numbers in given.items()}
    return _numbers(given, "", vectors)


def _numbers(given: Any, name: str, vectors: Mapping[str, models.VectorParams]) -> list[float]:
    """Finite float32 numbers, as many as the vector of that name has. Integers among them are numbers."""
    if name not in vectors:
        raise ValueError(f"Invalid vector name {name!r}: the collection has {sorted(vectors)}")
    numbers = np.asarray(supported(given, "a vector", list, tuple, np.ndarray), dtype=np.float64)
    if numbers.ndim != 1:
        raise UnsupportedByEmbeddedQdrantError("a vector of vectors")
    if numbers.size != vectors[name].size:
        raise ValueError(f"Vector dimension error: expected dim: {vectors[name].size}, got {numbers.size}")
    if not np.abs(numbers).max() <= _FLOAT32_MAX:  # false for NaN, too
        raise ValueError("Invalid vector: a number in it is not finite")
    plain: list[float] = numbers.tolist()
    return plain


def payload(given: dict[str, Any] | None) -> dict[str, Any]:
    """JSON values; ids and moments as the text that the server would store."""
    return {key: _json(value) for key, value in (given or {}).items()}


def _json(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: _json(item) for key, item in value.items()}
    return [_json(item) for item in value] if isinstance(value, list | tuple) else value


def selection(given: Any) -> Any:
    """What of the payload to return: True or False, or certain keys."""
    if isinstance(given, models.PayloadSelectorInclude):
        return edge.PayloadSelector.Include(list(given.include))
    if isinstance(given, models.PayloadSelectorExclude):
        return edge.PayloadSelector.Exclude(list(given.exclude))
    return list(given) if isinstance(given, list | tuple) else bool(given)


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


def filter_(given: models.Filter | None) -> edge.Filter | None:
    """A filter with all that is in it."""
    if given is None:
        return None
    only(given, "a filter", "must", "should", "must_not")
    return edge.Filter(_conditions(given.must), _conditions(given.should), _conditions(given.must_not))


def _conditions(given: Any) -> list[Any] | None:
    if given is None:
        return None
    return [_condition(one) for one in (given if isinstance(given, Sequence) else [given])]


def _condition(given: Any) -> Any:
    for kind, convert in _CONDITIONS.items():
        if isinstance(given, kind):
            return convert(given)
    raise UnsupportedByEmbeddedQdrantError(f"a condition of the type {type(given).__name__}")


def _field(given: models.FieldCondition) -> edge.FieldCondition:
    only(given, "a condition", "key", "match", "range", "is_empty", "is_null")
    return edge.FieldCondition(
        given.key,
        match=_match(given.match),
        range=_range(given.range),
        is_empty=given.is_empty,
        is_null=given.is_null,
    )


def _match(given: Any) -> Any:
    supported(given, "a match", models.MatchValue, models.MatchAny, models.MatchExcept)
    if isinstance(given, models.MatchValue):
        return edge.MatchValue(given.value)
    if isinstance(given, models.MatchAny):
        values: Any = list(given.any)
        return edge.MatchAny(values)
    values = list(given.except_) if given else []
    return edge.MatchExcept(values) if isinstance(given, models.MatchExcept) else None


def _range(given: Any) -> Any:
    supported(given, "a range", models.Range)
    return given and edge.RangeFloat(gte=given.gte, gt=given.gt, lte=given.lte, lt=given.lt)


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


def record(found: edge.Record) -> models.Record:
    return models.Record.model_construct(
        id=_plain_id(found.id), payload=found.payload, vector=found.vector, shard_key=None, order_value=None
    )


def scored(found: edge.ScoredPoint) -> models.ScoredPoint:
    return models.ScoredPoint.model_construct(
        id=_plain_id(found.id),
        version=found.version,
        score=found.score,
        payload=found.payload,
        vector=found.vector,
        shard_key=None,
        order_value=None,
    )


def next_offset(found: Any) -> int | str | None:
    return None if found is None else _plain_id(found)


def _plain_id(given: Any) -> int | str:
    return given if isinstance(given, int) else str(given)
