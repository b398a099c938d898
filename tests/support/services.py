"""The services that jobs call, on stores of the test's choice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from image_search_service.core.types import Progress
from image_search_service.db.session import Database
from image_search_service.faces.assigner import FaceAssigner
from image_search_service.faces.dual_clusterer import DualModeClusterer
from image_search_service.faces.grouper import FaceGrouper
from image_search_service.recognition.thresholds import Thresholds
from image_search_service.services.centroid_service import CentroidService
from image_search_service.services.face_clustering_service import FaceClusteringService
from image_search_service.services.indexing.indexer import IndexService
from image_search_service.services.jobs.outbox import PayloadSender
from image_search_service.services.suggestions.prototypes import PrototypeService
from image_search_service.services.suggestions.search import SuggestionService
from image_search_service.vector.centroid_qdrant import CentroidQdrantClient
from image_search_service.vector.face_qdrant import FaceQdrantClient

MEMORY = 1 << 30


@dataclass
class Services:
    """What of ``bootstrap.Library`` the jobs call, but for indexing."""

    database: Database
    faces: FaceQdrantClient
    centroids: CentroidQdrantClient
    thresholds: Thresholds

    def face_assigner(self) -> FaceAssigner:
        return FaceAssigner(self.database, self.faces, self.centroid_service(), self.thresholds)

    def dual_clusterer(self) -> DualModeClusterer:
        grouper = FaceGrouper(self.database, self.faces, self.thresholds, memory=MEMORY)
        return DualModeClusterer(self.face_assigner(), grouper)

    def clustering_service(self) -> FaceClusteringService:
        return FaceClusteringService(self.database, self.faces, self.thresholds, memory=MEMORY)

    def centroid_service(self) -> CentroidService:
        return CentroidService(self.database, self.faces, self.centroids)

    def prototype_service(self) -> PrototypeService:
        return PrototypeService(self.database, self.faces)

    def suggestion_service(self) -> SuggestionService:
        return SuggestionService(self.database, self.faces, self.centroids, self.thresholds)

    def index_service(self) -> IndexService:
        raise NotImplementedError("indexing needs a library")

    def bind_engine(self) -> Any:
        raise NotImplementedError("indexing needs a library")

    def group_if_stale(self, progress: Progress | None = None) -> None:
        raise NotImplementedError("indexing needs a library")

    def send_due_payloads(self) -> int:
        return PayloadSender(self.database, lambda: self.faces).send()
