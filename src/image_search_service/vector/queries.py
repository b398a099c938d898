"""Qdrant's request objects, built from the project's own types. Pure functions, no input or output.

Importing this module imports ``qdrant_client``, which takes a second or two: import it where it is used.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from qdrant_client import models

from image_search_service.core.parallel import chunks
from image_search_service.core.types import FloatArray
from image_search_service.vector.collections import (
    CLUSTER_ID,
    HIDDEN,
    PERSON_ID,
    QUALITY_SCORE,
    UNRECOGNIZABLE,
    CollectionSettings,
    FaceFilter,
    IndexKind,
)

OVERSAMPLING = 2.0
"""How many times as many points as asked for are scored anew where small copies are searched."""

_INDEX_SCHEMAS = {
    "uuid": models.PayloadSchemaType.UUID,
    "float": models.PayloadSchemaType.FLOAT,
    "bool": models.PayloadSchemaType.BOOL,
}


def new_collection(dimension: int, settings: CollectionSettings) -> dict[str, Any]:
    """Arguments of ``create_collection``: unit vectors compared by cosine, and what the settings ask for."""
    arguments: dict[str, Any] = {
        "vectors_config": models.VectorParams(
            size=dimension, distance=models.Distance.COSINE, on_disk=settings.on_disk
        ),
        "shard_number": settings.shard_number,
        "replication_factor": settings.replication_factor,
        "quantization_config": _quantization(settings),
    }
    return {name: value for name, value in arguments.items() if value is not None}


def _quantization(settings: CollectionSettings) -> models.QuantizationConfig | None:
    if settings.quantization == "scalar":
        return models.ScalarQuantization(scalar=models.ScalarQuantizationConfig(type=models.ScalarType.INT8))
    if settings.quantization == "binary":
        return models.BinaryQuantization(binary=models.BinaryQuantizationConfig())
    return None


def same_vectors(vectors: Any, dimension: int) -> bool:
    """Whether a collection's vectors are of this dimension and compared by cosine."""
    return (
        isinstance(vectors, models.VectorParams)
        and vectors.size == dimension
        and vectors.distance == models.Distance.COSINE
    )


def index_schema(kind: IndexKind) -> models.PayloadSchemaType:
    return _INDEX_SCHEMAS[kind]


def point(point_id: UUID, embedding: FloatArray, payload: dict[str, Any]) -> models.PointStruct:
    return models.PointStruct(id=str(point_id), vector=embedding.tolist(), payload=payload)


def ids_of(point_ids: Iterable[UUID | int]) -> list[models.ExtendedPointId]:
    return [point_id if isinstance(point_id, int) else str(point_id) for point_id in point_ids]


def has_id(point_ids: Iterable[UUID]) -> models.Filter:
    """The points among ``point_ids`` that exist. An id list would fail for one that does not."""
    return models.Filter(must=[models.HasIdCondition(has_id=ids_of(point_ids))])


def face_filter(where: FaceFilter, most_ids: int) -> models.Filter | None:
    """The filter as Qdrant's model; None if everything matches. most_ids: in one condition, 1 or more."""
    must = list(_conditions(where, most_ids))
    must_not: list[models.Condition] = list(_one_of(where.except_ids, most_ids))
    return models.Filter(must=must or None, must_not=must_not or None) if must or must_not else None


def _one_of(point_ids: Iterable[UUID], most_ids: int) -> list[models.HasIdCondition]:
    """Conditions of which one holds for each of these points."""
    return [models.HasIdCondition(has_id=ids_of(part)) for part in chunks(point_ids, most_ids)]


def _conditions(where: FaceFilter, most_ids: int) -> Iterator[models.Condition]:
    if where.person_id is not None:
        yield _equals(PERSON_ID, where.person_id)
    if where.cluster_id is not None:
        yield _equals(CLUSTER_ID, where.cluster_id)
    if where.unlabeled:
        yield _is_empty(PERSON_ID)
    if where.recognizable:
        yield _is_empty(UNRECOGNIZABLE)
    if where.shown:
        yield _is_empty(HIDDEN)
    if where.min_quality is not None:
        yield models.FieldCondition(key=QUALITY_SCORE, range=models.Range(gte=where.min_quality))
    if where.among is not None:
        parts = _one_of(where.among, most_ids) or [models.HasIdCondition(has_id=[])]
        yield parts[0] if len(parts) == 1 else models.Filter(should=list(parts))


def _is_empty(key: str) -> models.IsEmptyCondition:
    return models.IsEmptyCondition(is_empty=models.PayloadField(key=key))


def _equals(key: str, value: UUID) -> models.FieldCondition:
    return models.FieldCondition(key=key, match=models.MatchValue(value=str(value)))


def pages(limit: int, most: int) -> list[tuple[int, int]]:
    """Offset and limit of each request for ``limit`` results, at most ``most`` in one."""
    return [(offset, min(most, limit - offset)) for offset in range(0, limit, most)]


@dataclass(frozen=True, slots=True)
class SearchTemplate:
    """What the searches of a batch have in common.

    score_threshold: scores above it are found. rescored: the collection searches in small copies of its
    vectors; scores are computed from the vectors themselves, of ``OVERSAMPLING`` times as many points as
    asked for, so that the nearest are among them. most_oversampling: what the server allows of that.
    """

    score_threshold: float | None
    rescored: bool = False
    most_oversampling: float | None = None

    def request(
        self, embedding: Sequence[float], page: tuple[int, int], where: models.Filter | None
    ) -> models.QueryRequest:
        """One nearest-neighbour query. page: offset and limit."""
        offset, limit = page
        return models.QueryRequest(
            query=list(embedding),
            filter=where,
            params=self._params(),
            limit=limit,
            offset=offset or None,
            score_threshold=self.score_threshold,
            with_payload=True,
        )

    def _params(self) -> models.SearchParams | None:
        if not self.rescored:
            return None
        oversampling = min(OVERSAMPLING, self.most_oversampling or OVERSAMPLING)
        quantization = models.QuantizationSearchParams(rescore=True, oversampling=oversampling)
        return models.SearchParams(quantization=quantization)


def payload_updates(key: str, values: Mapping[UUID, UUID | bool | None]) -> list[models.UpdateOperation]:
    """Operations that set ``key`` of each point, one for each different value; None removes the key."""
    groups: dict[UUID | bool | None, list[UUID]] = {}
    for point_id, value in values.items():
        groups.setdefault(value, []).append(point_id)
    return [_payload_update(key, value, point_ids) for value, point_ids in groups.items()]


def _payload_update(key: str, value: UUID | bool | None, point_ids: Sequence[UUID]) -> models.UpdateOperation:
    where = has_id(point_ids)
    if value is None:
        return models.DeletePayloadOperation(delete_payload=models.DeletePayload(keys=[key], filter=where))
    stored = value if isinstance(value, bool) else str(value)
    return models.SetPayloadOperation(set_payload=models.SetPayload(payload={key: stored}, filter=where))


def payload_overwrites(payloads: Mapping[UUID, dict[str, Any]]) -> list[models.UpdateOperation]:
    """Operations that replace the whole payload of each point."""
    return [
        models.OverwritePayloadOperation(
            overwrite_payload=models.SetPayload(payload=payload, filter=has_id([point_id]))
        )
        for point_id, payload in payloads.items()
    ]
