"""``Stores`` made of what a test has: any database, any collections, any thresholds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast
from uuid import UUID

from image_search_service.core.config import Settings
from image_search_service.core.paths import LibraryPaths
from image_search_service.core.types import EngineIdentity
from image_search_service.db.session import Database
from image_search_service.library.engine import EngineBinding
from image_search_service.library.marks import LibraryMarks
from image_search_service.library.stores import Stores
from image_search_service.recognition.engines.calibration import Calibration
from image_search_service.recognition.engines.synthetic import SyntheticEngine
from image_search_service.recognition.thresholds import Thresholds
from image_search_service.vector.centroid_qdrant import CentroidQdrantClient
from image_search_service.vector.face_qdrant import FaceQdrantClient
from tests.support.served import no_bar

MEMORY = 1 << 30


@dataclass(frozen=True, slots=True)
class GivenCollections:
    """Collections that are open; ``open_faces`` is called each time that the faces are asked for."""

    open_faces: Callable[[], FaceQdrantClient]
    open_centroids: Callable[[], CentroidQdrantClient]

    @property
    def faces(self) -> FaceQdrantClient:
        return self.open_faces()

    @property
    def centroids(self) -> CentroidQdrantClient:
        return self.open_centroids()

    def unchecked_faces(self) -> FaceQdrantClient:
        return self.open_faces()

    def unchecked_centroids(self) -> CentroidQdrantClient:
        return self.open_centroids()

    def faces_of(self, engine: EngineIdentity, library: UUID) -> FaceQdrantClient:
        return self.open_faces()

    def centroids_of(self, engine: EngineIdentity, library: UUID) -> CentroidQdrantClient:
        return self.open_centroids()

    def forget(self) -> None:
        pass

    @property
    def marks(self) -> LibraryMarks:
        """Nobody else can reach what a test holds."""
        return LibraryMarks(cast(Any, None), Path("nowhere"), [])


class GivenBinding(EngineBinding):
    """A library's engine whose thresholds are the test's."""

    def __init__(self, stores: Settings, database: Database, root: Path, thresholds: Thresholds) -> None:
        super().__init__(stores, database, root, lambda _: None, no_bar)
        self._thresholds = thresholds

    def calibration(self) -> Calibration:
        return Calibration(self._thresholds)


def given_stores(
    database: Database,
    faces: Any = None,
    centroids: Any = None,
    thresholds: Thresholds = SyntheticEngine.thresholds,
    folder: Path = Path("nowhere"),
) -> Stores:
    """The stores of a test. faces, centroids: the collections, or whatever answers like them."""
    settings = Settings(library=folder, memory=MEMORY, workers=1)
    return Stores(
        settings,
        LibraryPaths(folder),
        database,
        GivenBinding(settings, database, folder, thresholds),
        GivenCollections(lambda: faces, lambda: centroids),
    )


def with_collections(stores: Stores, *, faces: Any = None, centroids: Any = None) -> Stores:
    """The same stores with other collections, or with what stands before them."""
    own = stores.collections
    return replace(
        stores,
        collections=GivenCollections(
            (lambda: own.faces) if faces is None else (lambda: faces),
            (lambda: own.centroids) if centroids is None else (lambda: centroids),
        ),
    )


def with_opener(stores: Stores, open_faces: Callable[[], Any]) -> Stores:
    """The same stores; ``open_faces`` is called when the collection of faces is opened."""
    return replace(stores, collections=GivenCollections(open_faces, lambda: stores.collections.centroids))
