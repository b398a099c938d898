"""Qdrant's own engine in this process, with the methods of ``QdrantClient`` that the project uses.

``qdrant_edge`` (in beta, its version pinned) keeps one shard in one folder; here a collection is such a
folder below ``path``. Arguments and answers are ``qdrant_client.models``; what is not supported is refused
by name.
Errors are raised as the vendor raises them: ``vector/errors.py`` translates those of all clients alike.

An update that returned survives ``kill -9``, since the shard writes ahead to a log. Several threads may use
one object; a second process that opens the same folder is refused.
"""

from __future__ import annotations

import json
import re
import shutil
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import qdrant_edge as edge
from qdrant_client import models
from qdrant_client.http.models import QueryResponse  # qdrant_client.models has fastembed's of the same name

from image_search_service.core.errors import UnsupportedByEmbeddedQdrantError
from image_search_service.vector import embedded_convert as convert

_PARAMS = "collection.json"
"""Written last: a folder without it was not finished and is made anew."""
_UNFINISHED, _REMOVED = ".unfinished-", ".removed-"
_NAME = re.compile(r"[\w:-][\w.:-]{0,200}")
_IGNORED_AT_CREATION: Final = frozenset(
    {"shard_number", "replication_factor", "write_consistency_factor", "on_disk_payload", "timeout"}
    | {"hnsw_config", "optimizers_config", "quantization_config", "wal_config", "metadata"}
)
"""Settings of a server or a cluster, which a library outgrows this engine to get; here they mean nothing."""

_COMPLETED = models.UpdateResult(operation_id=0, status=models.UpdateStatus.COMPLETED)


class EmbeddedQdrant:
    """Collections below ``path``, each opened on first use."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.RLock()
        self._shards: dict[str, edge.EdgeShard] = {}
        self._closed = False
        path.mkdir(parents=True, exist_ok=True)
        for left in [*path.glob(f"{_UNFINISHED}*"), *path.glob(f"{_REMOVED}*")]:
            shutil.rmtree(left)

    def __enter__(self) -> EmbeddedQdrant:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self, **_: Any) -> None:
        """Write everything to disk and let the next process in. To be called once no thread uses it."""
        with self._lock:
            self._closed = True
            while self._shards:
                self._shards.popitem()[1].close()

    # Collections

    def collection_exists(self, collection_name: str) -> bool:
        return (self._folder(collection_name) / _PARAMS).is_file()

    def create_collection(
        self,
        collection_name: str,
        vectors_config: models.VectorParams | Mapping[str, models.VectorParams],
        **options: Any,
    ) -> bool:
        """Make a collection. Options of a server or a cluster have no effect; others are refused."""
        if refused := {name for name, value in options.items() if value is not None} - _IGNORED_AT_CREATION:
            raise UnsupportedByEmbeddedQdrantError(f"a collection with {', '.join(sorted(refused))}")
        by_name = {"": vectors_config} if isinstance(vectors_config, models.VectorParams) else vectors_config
        config = edge.EdgeConfig({name: convert.vector_params(one) for name, one in by_name.items()})
        with self._lock:
            if self.collection_exists(collection_name):
                raise ValueError(f"Collection {collection_name} already exists")
            self._make(collection_name, config, by_name)
        return True

    def _make(self, name: str, config: edge.EdgeConfig, vectors: Mapping[str, models.VectorParams]) -> None:
        """Under another name first: whatever has the right name is whole."""
        unfinished = self._path / f"{_UNFINISHED}{name}"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        edge.EdgeShard.create(str(unfinished / "shard"), config).close()
        params = {key: one.model_dump(mode="json", exclude_none=True) for key, one in vectors.items()}
        (unfinished / _PARAMS).write_text(json.dumps({"vectors": params}))
        unfinished.replace(self._folder(name))

    def delete_collection(self, collection_name: str, **_: Any) -> bool:
        """Remove a collection; False if there is none. No thread may be using it."""
        with self._lock:
            if not self.collection_exists(collection_name):
                return False
            if collection_name in self._shards:
                self._shards.pop(collection_name).close()
            removed = self._path / f"{_REMOVED}{collection_name}"
            shutil.rmtree(removed, ignore_errors=True)
            self._folder(collection_name).replace(removed)
            shutil.rmtree(removed)
        return True

    def get_collections(self) -> models.CollectionsResponse:
        names = sorted(params.parent.name for params in self._path.glob(f"*/{_PARAMS}"))
        return models.CollectionsResponse(
            collections=[models.CollectionDescription(name=name) for name in names]
        )

    def get_collection(self, collection_name: str) -> models.CollectionInfo:
        """What a caller can rely on: points, indexed vectors, segments, and the vectors' parameters."""
        info = self._shard(collection_name).info()
        stored = json.loads((self._folder(collection_name) / _PARAMS).read_text())["vectors"]
        by_name = {name: models.VectorParams(**params) for name, params in stored.items()}
        vectors = by_name[""] if set(by_name) == {""} else by_name
        return models.CollectionInfo.model_construct(
            status=models.CollectionStatus.GREEN,
            points_count=info.points_count,
            indexed_vectors_count=info.indexed_vectors_count,
            segments_count=info.segments_count,
            payload_schema=dict(info.payload_schema),
            config=models.CollectionConfig.model_construct(
                params=models.CollectionParams.model_construct(vectors=vectors)
            ),
        )

    def create_payload_index(
        self, collection_name: str, field_name: str, field_schema: Any = None, **_: Any
    ) -> models.UpdateResult:
        schema = convert.index_schema(field_schema)
        return self._update(collection_name, edge.UpdateOperation.create_field_index(field_name, schema))

    def optimize(self, collection_name: str) -> bool:
        """Merge segments and build the index of a large collection. Blocks; True if there was work to do."""
        return self._shard(collection_name).optimize()

    # Reading

    def retrieve(
        self,
        collection_name: str,
        ids: Iterable[models.ExtendedPointId],
        with_payload: Any = True,
        with_vectors: Any = False,
        **_: Any,
    ) -> list[models.Record]:
        wanted = convert.point_ids(ids)
        shard = self._shard(collection_name)
        found = shard.retrieve(wanted, convert.selection(with_payload), convert.selection(with_vectors))
        return [convert.record(one) for one in found]

    def query_points(
        self,
        collection_name: str,
        query: Any,
        *,
        using: str | None = None,
        query_filter: models.Filter | None = None,
        limit: int = 10,
        offset: int | None = None,
        score_threshold: float | None = None,
        with_payload: Any = True,
        with_vectors: Any = False,
    ) -> QueryResponse:
        request = models.QueryRequest.model_construct(
            query=query,
            using=using,
            filter=query_filter,
            limit=limit,
            offset=offset,
            score_threshold=score_threshold,
            with_payload=with_payload,
            with_vector=with_vectors,
        )
        return self.query_batch_points(collection_name, [request])[0]

    def query_batch_points(
        self, collection_name: str, requests: Sequence[models.QueryRequest], **_: Any
    ) -> list[QueryResponse]:
        if not requests:
            return []
        batch = edge.QueryBatchRequest([convert.query(request) for request in requests])
        answers = self._shard(collection_name).query_batch(batch)
        return [
            QueryResponse.model_construct(points=[convert.scored(point) for point in points])
            for points in answers
        ]

    def scroll(  # noqa: PLR0917 - QdrantClient's signature
        self,
        collection_name: str,
        scroll_filter: models.Filter | None = None,
        limit: int = 10,
        offset: models.ExtendedPointId | None = None,
        with_payload: Any = True,
        with_vectors: Any = False,
        **refused: Any,
    ) -> tuple[list[models.Record], int | str | None]:
        _refuse(refused, "a scroll")
        request = edge.ScrollRequest(
            offset=None if offset is None else convert.point_id(offset),
            limit=limit,
            filter=convert.filter_(scroll_filter),
            with_payload=convert.selection(with_payload),
            with_vector=convert.selection(with_vectors),
        )
        found, offset_after = self._shard(collection_name).scroll(request)
        return [convert.record(one) for one in found], convert.next_offset(offset_after)

    def count(
        self, collection_name: str, count_filter: models.Filter | None = None, exact: bool = True, **_: Any
    ) -> models.CountResult:
        request = edge.CountRequest(exact, convert.filter_(count_filter))
        return models.CountResult(count=self._shard(collection_name).count(request))

    # Writing

    def upsert(self, collection_name: str, points: Any, **refused: Any) -> models.UpdateResult:
        _refuse(refused, "an upsert")
        return self._update(collection_name, edge.UpdateOperation.upsert_points(convert.points(points)))

    def delete(self, collection_name: str, points_selector: Any, **_: Any) -> models.UpdateResult:
        operation = _selected(
            points_selector,
            edge.UpdateOperation.delete_points,
            edge.UpdateOperation.delete_points_by_filter,
        )
        return self._update(collection_name, operation)

    def set_payload(
        self, collection_name: str, payload: dict[str, Any], points: Any, **refused: Any
    ) -> models.UpdateResult:
        _refuse(refused, "a payload update")
        return self._update(collection_name, _set_payload(payload, points))

    def delete_payload(
        self, collection_name: str, keys: Sequence[str], points: Any, **_: Any
    ) -> models.UpdateResult:
        return self._update(collection_name, _delete_payload(keys, points))

    def batch_update_points(
        self, collection_name: str, update_operations: Sequence[models.UpdateOperation], **_: Any
    ) -> list[models.UpdateResult]:
        """Several updates in order, in one call."""
        operations = [_operation(one) for one in update_operations]
        return [self._update(collection_name, operation) for operation in operations]

    def _update(self, collection_name: str, operation: edge.UpdateOperation) -> models.UpdateResult:
        self._shard(collection_name).update(operation)
        return _COMPLETED

    # Shards

    def _shard(self, name: str) -> edge.EdgeShard:
        with self._lock:
            if self._closed:
                raise RuntimeError(f"The vector store {self._path} is closed.")
            if name not in self._shards:
                if not self.collection_exists(name):
                    raise ValueError(f"Collection {name} not found")
                self._shards[name] = edge.EdgeShard.load(str(self._folder(name) / "shard"))
            return self._shards[name]

    def _folder(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise ValueError(f"Invalid collection name {name!r}: letters, digits and .:_- may be in it")
        return self._path / name


def _refuse(options: Mapping[str, Any], what: str) -> None:
    """Options of other clients that have no equal here; ``wait`` is always as if it were true."""
    given = {name for name, value in options.items() if value is not None} - {"wait", "timeout", "ordering"}
    if given:
        raise UnsupportedByEmbeddedQdrantError(f"{what} with {', '.join(sorted(given))}")


def _operation(given: models.UpdateOperation) -> edge.UpdateOperation:
    if isinstance(given, models.SetPayloadOperation):
        change = given.set_payload
        convert.only(change, "a payload update", "payload", "points", "filter")
        return _set_payload(change.payload, change.filter or change.points or [])
    if isinstance(given, models.DeletePayloadOperation):
        removal = given.delete_payload
        convert.only(removal, "a payload update", "keys", "points", "filter")
        return _delete_payload(removal.keys, removal.filter or removal.points or [])
    if isinstance(given, models.UpsertOperation):
        upsert = given.upsert
        points = upsert.points if isinstance(upsert, models.PointsList) else upsert.batch
        return edge.UpdateOperation.upsert_points(convert.points(points))
    if isinstance(given, models.DeleteOperation):
        by_ids, by_filter = (
            edge.UpdateOperation.delete_points,
            edge.UpdateOperation.delete_points_by_filter,
        )
        return _selected(given.delete, by_ids, by_filter)
    raise UnsupportedByEmbeddedQdrantError(f"an update of the type {type(given).__name__}")


def _set_payload(payload: dict[str, Any], points: Any) -> edge.UpdateOperation:
    values = convert.payload(payload)
    return _selected(
        points,
        lambda ids: edge.UpdateOperation.set_payload(ids, values),
        lambda where: edge.UpdateOperation.set_payload_by_filter(where, values),
    )


def _delete_payload(keys: Sequence[str], points: Any) -> edge.UpdateOperation:
    return _selected(
        points,
        lambda ids: edge.UpdateOperation.delete_payload(ids, list(keys)),
        lambda where: edge.UpdateOperation.delete_payload_by_filter(where, list(keys)),
    )


def _selected(
    points: Any,
    by_ids: Callable[[list[Any]], edge.UpdateOperation],
    by_filter: Callable[[Any], edge.UpdateOperation],
) -> edge.UpdateOperation:
    """The operation on points given by their ids, or by a filter, in any of the client's ways to say so."""
    if isinstance(points, models.FilterSelector):
        points = points.filter
    if isinstance(points, models.Filter):
        return by_filter(convert.filter_(points))
    ids = points.points if isinstance(points, models.PointIdsList) else points
    return by_ids(convert.point_ids(ids if isinstance(ids, list | tuple) else [ids]))
