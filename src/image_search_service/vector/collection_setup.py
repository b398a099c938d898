"""Making, comparing and removing one collection of unit vectors, and how its requests are sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, ClassVar, ParamSpec, Self, TypeVar, cast

from image_search_service.core.errors import ConflictError, KeyRefusedError, LostCollectionError
from image_search_service.core.logging import get_logger
from image_search_service.vector.batching import BatchReader
from image_search_service.vector.calls import Retry, call
from image_search_service.vector.collections import CollectionSettings, IndexKind
from image_search_service.vector.limits import Limits
from image_search_service.vector.transport import is_in_process

if TYPE_CHECKING:
    from qdrant_client import QdrantClient, models

    from image_search_service.vector.embedded import EmbeddedQdrant
    from image_search_service.vector.transport import AnyQdrant

P = ParamSpec("P")
T = TypeVar("T")
log = get_logger(__name__)


class CollectionSetup:
    """A collection on one client, with the limits that its server sets. It raises what ``qdrant_collection``
    says."""

    indexes: ClassVar[Mapping[str, IndexKind]]

    def __init__(
        self,
        client: AnyQdrant,
        collection_name: str,
        dimension: int,
        *,
        settings: CollectionSettings | None = None,
        vector_name: str | None = None,
        retry: Retry | None = None,
    ) -> None:
        self.client = cast("QdrantClient", client)  # EmbeddedQdrant has the methods that are used
        self.collection_name = collection_name
        self.dimension = dimension
        self._settings = settings or CollectionSettings()
        self._vector_name = vector_name
        self._retry = retry or Retry()
        self._limits = Limits(dimension)
        self._reader = BatchReader(
            client,
            collection_name,
            dimension,
            vector_name=vector_name,
            retry=self._retry,
            size=self._limits.reads,
        )

    def ensure_collection(self) -> None:
        """Makes the collection, and those of its payload indexes that it lacks; learns the server's limits.

        Raises ConflictError when it is there with vectors of another dimension or distance.
        """
        info = self.info()
        if info is None:
            self._create()
            return
        problem = self._problem(info)
        if problem is not None:
            raise ConflictError(
                problem, hint="It was made by another engine or program. Use that engine, or another library."
            )
        try:
            self.create_indexes(self._lacking(info))
        except KeyRefusedError as error:  # searches work without them, unless strict mode says otherwise
            log.warning("A payload index is missing and the key may not make it", error=error.message)

    def info(self) -> models.CollectionInfo | None:
        """The collection's state and configuration, in one request; None if it is not there.

        It asks for this collection alone: a key may allow no other, and no list of them.
        """
        try:
            info = self._call("get_collection", self.client.get_collection, self.collection_name)
        except LostCollectionError:
            return None
        self._limits.learn(info.config)
        return info

    def problem(self) -> str | None:
        """Why the collection cannot hold these vectors; None if it can, or is not there."""
        info = self.info()
        return None if info is None else self._problem(info)

    def damage(self) -> str | None:
        """Why the files of the embedded engine's collection are not as they should be; None if they are. A
        server looks after its own."""
        look = getattr(self.client, "damage", None) if is_in_process(self.client) else None
        return None if look is None else cast("str | None", look(self.collection_name))

    def make_anew(self) -> Self | None:
        """Make the embedded engine's collection anew, empty; returns the former one, as far as its points
        can be read by id. Whoever has read them removes it."""
        from image_search_service.vector import queries

        engine = cast("EmbeddedQdrant", self.client)
        vectors = queries.new_collection(self.dimension, self._settings)["vectors_config"]
        aside = engine.set_aside(self.collection_name, vectors)
        self.ensure_collection()
        return None if aside is None else type(self)(self.client, aside, self.dimension)

    def lacking_indexes(self) -> list[str]:
        """The payload keys that lack their index; none for a collection that is not there."""
        info = self.info()
        return [] if info is None else self._lacking(info)

    def create_indexes(self, keys: Iterable[str]) -> None:
        """Makes the payload indexes of these keys: one request for each."""
        from image_search_service.vector import queries

        for key in keys:
            self._call(
                "create_payload_index",
                self.client.create_payload_index,
                self.collection_name,
                key,
                field_schema=queries.index_schema(self.indexes[key]),
            )

    def _problem(self, info: models.CollectionInfo) -> str | None:
        from image_search_service.vector import queries

        vectors = info.config.params.vectors
        if queries.same_vectors(vectors, self.dimension):
            return None
        return (
            f"The collection {self.collection_name} does not hold vectors of {self.dimension} numbers "
            f"compared by cosine, but: {vectors}."
        )

    def _lacking(self, info: models.CollectionInfo) -> list[str]:
        """The keys without an index, or with one of another kind."""
        if not _has_indexes(self.client):
            return []
        there = {key: index.data_type.value for key, index in info.payload_schema.items()}
        return [key for key, kind in self.indexes.items() if there.get(key) != kind]

    def _create(self) -> None:
        from image_search_service.vector import queries

        arguments = queries.new_collection(self.dimension, self._settings)
        try:
            self._call("create_collection", self.client.create_collection, self.collection_name, **arguments)
        except ConflictError:  # created by another process meanwhile, or by a try whose answer got lost
            log.info("The collection exists by now", collection=self.collection_name)
        self._limits.rescored = self._settings.quantization is not None
        self.create_indexes(self.indexes if _has_indexes(self.client) else ())

    def reset_collection(self, confirm: str | None = None) -> None:
        """Delete all points. confirm: the collection's name, required unless it is empty.

        Raises ConflictError without the confirmation.
        """
        number = self.count()
        if number and confirm != self.collection_name:
            raise ConflictError(
                f"The collection {self.collection_name} holds {number} points; they would be lost.",
                hint=f"To remove them all the same, confirm with its name: {self.collection_name}",
            )
        self._call("delete_collection", self.client.delete_collection, self.collection_name)
        self._create()

    def exists(self) -> bool:
        """Whether the collection is there."""
        return self.info() is not None

    def remove_collection(self) -> None:
        """Delete the collection with its points, if it exists."""
        self._call("delete_collection", self.client.delete_collection, self.collection_name)

    def count(self) -> int:
        """Number of points: exactly, unless the server's strict mode refuses to count so."""
        exact = self._limits.exact
        return self._call("count", self.client.count, self.collection_name, exact=exact).count

    def _call(self, operation: str, send: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Send one request by a method of the client; all requests go through here."""
        doing = f"in {operation} of {self.collection_name}"
        return call(operation, doing, lambda: send(*args, **kwargs), self._retry, self.client)


def _has_indexes(client: AnyQdrant) -> bool:
    """qdrant-client's local mode has no payload indexes and warns when asked for one."""
    return not (is_in_process(client) and hasattr(client, "init_options"))
