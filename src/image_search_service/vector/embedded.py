"""Qdrant's own engine in this process, with the methods of ``QdrantClient`` that the project uses.

``qdrant_edge`` (in beta, its version pinned) keeps one shard in one folder; here a collection is such a
folder below ``path``. Arguments and answers are ``qdrant_client.models``; what is not supported is refused
by name with UnsupportedByEmbeddedQdrantError.

Errors are raised as qdrant-client's local mode and the engine raise them (ValueError for a malformed request
and for a collection that is not there, RuntimeError once closed, the engine's bare Exception):
``vector/errors.py`` translates those of all clients alike. The project's own come only for what no vendor
says: a folder in use (LibraryInUseError), a full disk (UnavailableError), damaged files and a panic
(DamagedCollectionError).

An update that returned survives ``kill -9``, since the shard writes ahead to a log; a power failure may cost
what came after the last flush. Several threads may use one object. The engine does not release Python's
global lock: a call, and ``optimize`` most of all, holds up every other thread of the process.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

import qdrant_edge as edge
from qdrant_client import QdrantClient, models
from qdrant_client.http.models import QueryResponse  # qdrant_client.models has fastembed's of the same name

from image_search_service.core.errors import DamagedCollectionError, UnsupportedByEmbeddedQdrantError
from image_search_service.vector import embedded_convert as convert, embedded_updates as updates
from image_search_service.vector.embedded_damage import wrong_indexes
from image_search_service.vector.embedded_shards import SET_ASIDE, SPACE_NEEDED, ShardFolder
from image_search_service.vector.embedding_batch import RawPoint

_IGNORED: Final = frozenset({"wait", "timeout", "ordering", "consistency"})
"""Options for answers of a server or cluster, ignored here. Every call acts as if ``wait`` were true."""
_IGNORED_AT_CREATION: Final = frozenset(
    {"shard_number", "replication_factor", "write_consistency_factor", "on_disk_payload", "timeout"}
    | {"hnsw_config", "optimizers_config", "quantization_config", "wal_config", "metadata"}
)
"""Options for collections of a server or cluster, ignored here."""

_COMPLETED = models.UpdateResult(operation_id=0, status=models.UpdateStatus.COMPLETED)


class EmbeddedQdrant:
    """Collections below ``path``, each opened on first use.

    Raises LibraryInUseError when another process has ``path`` open. With fewer than ``space_needed`` bytes
    free on its disk, writing raises UnavailableError.
    """

    def __init__(self, path: Path, *, space_needed: int = SPACE_NEEDED) -> None:
        self._shards = ShardFolder(path, space_needed)
        self._updates: Counter[str] = Counter()
        """Updates of each collection that have taken effect."""
        self._counted: dict[str, tuple[int, int]] = {}
        """Of a collection: after how many updates its points were counted, and their number."""

    def __enter__(self) -> EmbeddedQdrant:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self, **_: Any) -> None:
        """Write everything to disk and let the next process in; every later call raises RuntimeError."""
        self._shards.close()

    if not TYPE_CHECKING:  # the type checker is to know which methods there are

        def __getattr__(self, name: str) -> Any:
            if callable(getattr(QdrantClient, name, None)) and not name.startswith("_"):
                raise UnsupportedByEmbeddedQdrantError(f"the method {name}")
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    # Collections

    def collection_exists(self, collection_name: str) -> bool:
        return self._shards.has(collection_name)

    def create_collection(
        self,
        collection_name: str,
        vectors_config: models.VectorParams | Mapping[str, models.VectorParams],
        **options: Any,
    ) -> bool:
        """Make a collection. Options of a server or a cluster have no effect; others are refused."""
        _refuse(options, "a collection", _IGNORED_AT_CREATION)
        named = {"": vectors_config} if isinstance(vectors_config, models.VectorParams) else vectors_config
        self._shards.create(collection_name, named)
        self._updates[collection_name] += 1
        return True

    def delete_collection(self, collection_name: str, **_: Any) -> bool:
        """Remove a collection; False if there is none. Threads that are using it get an error."""
        is_removed = self._shards.remove(collection_name)
        self._updates[collection_name] += 1
        return is_removed

    def get_collections(self) -> models.CollectionsResponse:
        return models.CollectionsResponse(
            collections=[models.CollectionDescription(name=name) for name in self._shards.names()]
        )

    def get_collection(self, collection_name: str) -> models.CollectionInfo:
        """Information on a collection: points, indexed vectors, segments, indexes, the vectors'
        parameters."""
        shard = self._shards.shard(collection_name)
        return convert.collection_info(shard.engine.info(), shard.vectors)

    def create_payload_index(
        self, collection_name: str, field_name: str, field_schema: Any = None, **refused: Any
    ) -> models.UpdateResult:
        _refuse(refused, "a payload index")
        schema = convert.index_schema(field_schema)
        return self._update(collection_name, edge.UpdateOperation.create_field_index(field_name, schema))

    def optimize(self, collection_name: str) -> bool:
        """Merge segments and index the vectors of a large collection; True if there was work to do.

        It blocks every thread of the process, for about a second per thousand points of 512 numbers on two
        cores; a search of 100,000 points is then ten times faster. Nothing calls it automatically: run it
        in a process that does nothing else.
        """
        return bool(self._shards.shard(collection_name).engine.optimize())

    def damage(self, collection_name: str) -> str | None:
        """Why the collection's files are not as they should be; None if they are, or it is not there.

        Every point is read. An index may be found wrong only if nothing was changed meanwhile.
        """
        if self._shards.has(f"{collection_name}{SET_ASIDE}"):
            return "a repair of its files was broken off"
        if not self._shards.has(collection_name):
            return None
        before = self._updates[collection_name]
        try:
            wrong = wrong_indexes(self._shards.shard(collection_name).engine)
        except DamagedCollectionError as error:
            return error.message
        if not wrong or before != self._updates[collection_name]:
            return None
        return f"the index of {', '.join(wrong)} is not of the points that it has"

    def set_aside(self, collection_name: str, vectors_config: models.VectorParams) -> str | None:
        """See ``ShardFolder.set_aside``; the name under which what is readable can be read."""
        aside = self._shards.set_aside(collection_name, {"": vectors_config})
        self._updates[collection_name] += 1
        return aside

    # Reading

    def retrieve(
        self,
        collection_name: str,
        ids: Iterable[models.ExtendedPointId],
        with_payload: Any = True,
        with_vectors: Any = False,
        **refused: Any,
    ) -> list[models.Record]:
        """The points that are there, each once, in any order."""
        _refuse(refused, "reading by id")
        wanted = convert.point_ids(ids)
        engine = self._shards.shard(collection_name).engine
        records = engine.retrieve(wanted, convert.selection(with_payload), convert.selection(with_vectors))
        return [convert.record(record) for record in records]

    def read_vectors(self, collection_name: str, ids: Iterable[models.ExtendedPointId]) -> Iterator[RawPoint]:
        """Ids and vectors of the points that are there, without a ``models.Record`` for each, which takes
        longer than reading it."""
        engine = self._shards.shard(collection_name).engine
        records = engine.retrieve(convert.point_ids(ids), False, True)
        return ((str(record.id), record.vector) for record in records)

    def query_points(
        self,
        collection_name: str,
        query: Any = None,
        *,
        using: str | None = None,
        query_filter: models.Filter | None = None,
        limit: int = 10,
        offset: int | None = None,
        score_threshold: float | None = None,
        with_payload: Any = True,
        with_vectors: Any = False,
        **refused: Any,
    ) -> QueryResponse:
        _refuse(refused, "a query")
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
        self, collection_name: str, requests: Sequence[models.QueryRequest], **refused: Any
    ) -> list[QueryResponse]:
        """Searches that share one pass over the vectors, each by a vector and not by a point's id."""
        _refuse(refused, "a query")
        if not requests:
            return []
        shard = self._shards.shard(collection_name)
        batch = edge.QueryBatchRequest([convert.query(request, shard.vectors) for request in requests])
        return [
            QueryResponse.model_construct(points=[convert.scored(point) for point in points])
            for points in shard.engine.query_batch(batch)
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
        """A page of points in the order of their ids, and the id that the next page begins with."""
        _refuse(refused, "a scroll")
        request = edge.ScrollRequest(
            offset=None if offset is None else convert.point_id(offset),
            limit=convert.limit(limit),
            filter=convert.filter_(scroll_filter),
            with_payload=convert.selection(with_payload),
            with_vector=convert.selection(with_vectors),
        )
        records, offset_after = self._shards.shard(collection_name).engine.scroll(request)
        return [convert.record(record) for record in records], convert.next_offset(offset_after)

    def count(
        self,
        collection_name: str,
        count_filter: models.Filter | None = None,
        exact: bool = True,
        **refused: Any,
    ) -> models.CountResult:
        """All points are counted once until the next update: it takes 20 ms for 100,000 of them, every other
        thread waits as long, and each answer that compares faces asks whether they are all there."""
        _refuse(refused, "a count")
        shard, updates = self._shards.shard(collection_name), self._updates[collection_name]
        counted = self._counted.get(collection_name)
        if count_filter is None and counted is not None and counted[0] == updates:
            return models.CountResult(count=counted[1])
        request = edge.CountRequest(exact, convert.filter_(count_filter))
        number = shard.engine.count(request)
        if count_filter is None and exact:
            self._counted[collection_name] = updates, number
        return models.CountResult(count=number)

    # Writing

    def upsert(self, collection_name: str, points: Any, **refused: Any) -> models.UpdateResult:
        """All of the points, or none if one of their vectors or ids is malformed (ValueError)."""
        _refuse(refused, "an upsert")
        vectors = self._shards.shard(collection_name).vectors
        return self._update(collection_name, updates.upsert(points, vectors))

    def update_vectors(
        self, collection_name: str, points: Sequence[models.PointVectors], **refused: Any
    ) -> models.UpdateResult:
        _refuse(refused, "an update of vectors")
        vectors = self._shards.shard(collection_name).vectors
        return self._update(collection_name, updates.update_vectors(points, vectors))

    def delete(self, collection_name: str, points_selector: Any, **refused: Any) -> models.UpdateResult:
        _refuse(refused, "a deletion")
        return self._update(collection_name, updates.delete(points_selector))

    def set_payload(
        self, collection_name: str, payload: dict[str, Any], points: Any, **refused: Any
    ) -> models.UpdateResult:
        _refuse(refused, "a payload update")
        return self._update(collection_name, updates.set_payload(payload, points))

    def overwrite_payload(
        self, collection_name: str, payload: dict[str, Any], points: Any, **refused: Any
    ) -> models.UpdateResult:
        _refuse(refused, "a payload update")
        return self._update(collection_name, updates.overwrite_payload(payload, points))

    def delete_payload(
        self, collection_name: str, keys: Sequence[str], points: Any, **refused: Any
    ) -> models.UpdateResult:
        _refuse(refused, "a payload update")
        return self._update(collection_name, updates.delete_payload(keys, points))

    def batch_update_points(
        self, collection_name: str, update_operations: Sequence[models.UpdateOperation], **refused: Any
    ) -> list[models.UpdateResult]:
        """Several updates in order, in one call; none of them if one is not supported."""
        _refuse(refused, "a batch of updates")
        vectors = self._shards.shard(collection_name).vectors
        operations = [updates.operation(change, vectors) for change in update_operations]
        return [self._update(collection_name, operation) for operation in operations]

    def _update(self, collection_name: str, operation: edge.UpdateOperation) -> models.UpdateResult:
        try:
            self._shards.shard(collection_name).update(operation)
        finally:
            self._updates[collection_name] += 1
        return _COMPLETED


def _refuse(options: Mapping[str, Any], what: str, ignored: frozenset[str] = _IGNORED) -> None:
    """Raise for options that other clients have and this one does not support."""
    options_set = {name for name, value in options.items() if value is not None} - ignored
    if options_set:
        raise UnsupportedByEmbeddedQdrantError(f"{what} with {', '.join(sorted(options_set))}")
