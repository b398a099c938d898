"""``Stores``: what one library holds. Services take it, and use the parts that they need."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from image_search_service.core.config import Settings
from image_search_service.core.errors import LostEmbeddingsError
from image_search_service.core.paths import LibraryPaths
from image_search_service.core.types import EngineIdentity
from image_search_service.db.queries import library as library_queries
from image_search_service.db.session import Database
from image_search_service.library.engine import EngineBinding
from image_search_service.library.marks import LibraryMarks

if TYPE_CHECKING:
    from image_search_service.library.centroids_in_memory import CentroidsInMemory
    from image_search_service.recognition.engines.base import FaceEngine
    from image_search_service.recognition.thresholds import Thresholds
    from image_search_service.vector.centroid_qdrant import CentroidQdrantClient
    from image_search_service.vector.face_qdrant import FaceQdrantClient


class Collections(Protocol):
    """The two collections in Qdrant; see ``LibraryCollections``, which opens them when they are needed."""

    @property
    def faces(self) -> FaceQdrantClient: ...

    @property
    def centroids(self) -> CentroidQdrantClient: ...

    def unchecked_faces(self) -> FaceQdrantClient: ...

    def unchecked_centroids(self) -> CentroidQdrantClient: ...

    def faces_of(self, engine: EngineIdentity, library: UUID) -> FaceQdrantClient: ...

    def centroids_of(self, engine: EngineIdentity, library: UUID) -> CentroidQdrantClient: ...

    def forget(self) -> None: ...

    @property
    def marks(self) -> LibraryMarks: ...


@dataclass(frozen=True)
class Stores:
    """Database, vectors, files and engine of one library.

    Reading ``faces``, ``centroids`` or ``engine`` opens them on the first use, so that a command which needs
    only SQL starts at once.
    """

    settings: Settings
    paths: LibraryPaths
    database: Database
    binding: EngineBinding
    collections: Collections

    @cached_property
    def centroids_in_memory(self) -> CentroidsInMemory:
        """Everybody's centroid as an array; a value with other collections has another one."""
        from image_search_service.library.centroids_in_memory import CentroidsInMemory

        return CentroidsInMemory(self.database, self.collections)

    @property
    def faces(self) -> FaceQdrantClient:
        """The collection of faces. Raises UnavailableError, NotFoundError for an empty library."""
        return self.collections.faces

    @property
    def centroids(self) -> CentroidQdrantClient:
        """The collection of centroids. Raises UnavailableError, NotFoundError for an empty library."""
        return self.collections.centroids

    @property
    def engine(self) -> FaceEngine:
        """The face engine with its models. Raises EngineMismatchError, UnavailableError."""
        return self.binding.engine

    @property
    def thresholds(self) -> Thresholds:
        """The engine's thresholds, known without its models. Raises NotFoundError for an empty library."""
        return self.binding.calibration().thresholds

    def require_embeddings(self) -> None:
        """Raises LostEmbeddingsError if Qdrant has fewer faces than SQL: one statement, one request.

        Embeddings are written before rows and removed after them, so that a run at work looks no different.
        """
        with self.database.read() as session:
            expected = library_queries.faces_kept(session)
        if expected and (there := self.faces.count()) < expected:
            raise LostEmbeddingsError(there, expected)

    def require_own(self) -> None:
        """Raises CopiedLibraryError if another copy of the library has opened one of its stores since.

        Asked where something begins that removes or overwrites what is stored; a library in one folder is not
        asked anything.
        """
        self.collections.marks.require()

    def use_bound_engine(self) -> None:
        """After the library was moved to another engine: what was opened for the former one is forgotten."""
        self.binding.forget()
        self.collections.forget()

    @property
    def max_pixels(self) -> int:
        """How many pixels a photo may have."""
        return self.settings.max_megapixels * 1_000_000
