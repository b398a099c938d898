"""The library's two collections in Qdrant, opened when they are first needed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING
from uuid import UUID

from image_search_service.core.config import Settings
from image_search_service.core.lazy import locked_property
from image_search_service.core.paths import LibraryPaths
from image_search_service.core.types import EngineIdentity
from image_search_service.library.engine import EngineBinding, identity_of
from image_search_service.library.marks import FolderMark, LibraryMarks, QdrantMark, StoreWithMark

if TYPE_CHECKING:
    from image_search_service.vector.centroid_qdrant import CentroidQdrantClient
    from image_search_service.vector.collections import CollectionSettings
    from image_search_service.vector.face_qdrant import FaceQdrantClient
    from image_search_service.vector.server_state import ServerState
    from image_search_service.vector.transport import AnyQdrant


class LibraryCollections:
    """Faces and centroids of one library, on a Qdrant server or in the library's folder.

    Everything raises UnavailableError while Qdrant does not answer, and NotFoundError for a library that is
    bound to no engine. Opening ``faces`` or ``centroids`` raises CopiedLibraryError where another copy of the
    library was there last; see ``marks``.
    """

    def __init__(self, settings: Settings, folder: Path, engine: EngineBinding) -> None:
        self._settings = settings
        self._folder = folder
        self._engine = engine
        self._on_close: list[Callable[[], None]] = []
        self._claiming = Lock()
        self._claimed = False
        self.marks = LibraryMarks(engine.database, settings.library, self._marked_stores())

    def close(self) -> None:
        """Close what was opened, the last first."""
        while self._on_close:
            self._on_close.pop()()

    @locked_property
    def faces(self) -> FaceQdrantClient:
        """The collection of the library's faces; it is created if it does not exist."""
        from image_search_service.vector.face_qdrant import configure_face_qdrant_client

        client = self.unchecked_faces()
        client.ensure_collection()
        self._claim()
        configure_face_qdrant_client(client)
        self._on_close.append(lambda: configure_face_qdrant_client(None))
        return client

    @locked_property
    def centroids(self) -> CentroidQdrantClient:
        """The collection of the persons' centroids; it is created if it does not exist."""
        client = self.unchecked_centroids()
        client.ensure_collection()
        self._claim()
        return client

    def _claim(self) -> None:
        """Once, by whoever opens the first of the two collections. Raises CopiedLibraryError."""
        with self._claiming:
            if not self._claimed:
                self.marks.claim()
                self._claimed = True

    def _marked_stores(self) -> list[StoreWithMark]:
        """The stores that other copies of the library can reach."""
        stores: list[StoreWithMark] = []
        if self._settings.qdrant_url is not None:
            stores.append(QdrantMark(self.unchecked_centroids))
        if self._settings.database_url is not None:
            stores.append(FolderMark(LibraryPaths(self._settings.library).mark))
        return stores

    def unchecked_faces(self) -> FaceQdrantClient:
        """The same collection, whether or not it exists and fits: what the doctor examines."""
        row = self._engine.require_row()
        return self.faces_of(identity_of(row), row.uid)

    def unchecked_centroids(self) -> CentroidQdrantClient:
        """The same collection, whether or not it exists and fits."""
        row = self._engine.require_row()
        return self.centroids_of(identity_of(row), row.uid)

    def faces_of(self, engine: EngineIdentity, library: UUID) -> FaceQdrantClient:
        """The collection of a library's faces for one engine."""
        from image_search_service.vector.collections import faces_collection
        from image_search_service.vector.face_qdrant import FaceQdrantClient

        name = faces_collection(engine, library)
        return FaceQdrantClient(self._qdrant, name, engine.dimension, settings=self._collection_settings())

    def centroids_of(self, engine: EngineIdentity, library: UUID) -> CentroidQdrantClient:
        """The collection of a library's centroids for one engine."""
        from image_search_service.vector.centroid_qdrant import CentroidQdrantClient
        from image_search_service.vector.collections import centroids_collection

        name = centroids_collection(engine, library)
        return CentroidQdrantClient(
            self._qdrant, name, engine.dimension, settings=self._collection_settings()
        )

    def server_state(self) -> ServerState:
        """What the Qdrant server says of itself. Raises UnavailableError."""
        from image_search_service.vector.server_state import server_state

        faces = None if self._engine.row() is None else self.unchecked_faces()
        return server_state(self._qdrant, faces)

    def forget(self) -> None:
        """After the library was moved to another engine: let that one's collections be opened."""
        for name in ("faces", "centroids"):
            self.__dict__.pop(name, None)
        self._claimed = False

    @locked_property
    def _qdrant(self) -> AnyQdrant:
        client = open_qdrant(self._settings, self._folder)
        self._on_close.append(client.close)
        return client

    def _collection_settings(self) -> CollectionSettings:
        from image_search_service.vector.collections import CollectionSettings

        settings = self._settings
        return CollectionSettings(
            shard_number=settings.qdrant_shard_number,
            replication_factor=settings.qdrant_replication_factor,
            on_disk=settings.qdrant_on_disk,
            quantization=settings.qdrant_quantization,
        )


def open_qdrant(settings: Settings, folder: Path) -> AnyQdrant:
    """The Qdrant server that the settings name, else the engine embedded in ``folder``.

    A server is not asked for anything yet. Raises LibraryInUseError.
    """
    from image_search_service.vector.client import QdrantServerOptions, open_embedded, open_server

    if settings.qdrant_url is None:
        return open_embedded(folder)
    return open_server(
        QdrantServerOptions(
            url=settings.qdrant_url,
            api_key=settings.qdrant_api_key,
            prefer_grpc=settings.qdrant_over_grpc,
            grpc_port=settings.qdrant_grpc_port,
            timeout=settings.qdrant_timeout,
            certificates=settings.qdrant_ca,
        )
    )
