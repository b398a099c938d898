"""What the workers do: each job calls one service and returns what it found and did, by name.

A job raises what goes wrong; ``runner`` knows what is tried again. Its parameters are JSON.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol
from uuid import UUID

import structlog

from image_search_service.core.config import Settings
from image_search_service.core.types import ClusteringMethod, JsonObject, Progress
from image_search_service.faces.assigner import FaceAssigner
from image_search_service.faces.dual_clusterer import DualModeClusterer
from image_search_service.queue.runner import JobFunction
from image_search_service.services.centroid_service import CentroidService
from image_search_service.services.doctor.service import DoctorService
from image_search_service.services.face_clustering_service import FaceClusteringService
from image_search_service.services.indexing.indexer import IndexService
from image_search_service.services.jobs.service import JobKind
from image_search_service.services.metadata.names import MetadataNamesService
from image_search_service.services.suggestions.prototypes import PrototypeService
from image_search_service.services.suggestions.search import SuggestionService

log = structlog.get_logger(__name__)


ACTOR = "job"
"""Who says what a job takes from metadata."""


class FaceServices(Protocol):
    """The part of ``bootstrap.Library`` that jobs call."""

    @property
    def settings(self) -> Settings: ...

    def face_assigner(self) -> FaceAssigner: ...

    def dual_clusterer(self) -> DualModeClusterer: ...

    def prototype_service(self) -> PrototypeService: ...

    def clustering_service(self) -> FaceClusteringService: ...

    def centroid_service(self) -> CentroidService: ...

    def index_service(self) -> IndexService: ...

    def bind_engine(self) -> object: ...

    def doctor_service(self) -> DoctorService: ...

    def suggestion_service(self) -> SuggestionService: ...

    def group_if_stale(self, progress: Progress | None = None) -> None: ...

    def metadata_names_service(self, actor: str) -> MetadataNamesService: ...

    def send_due_payloads(self) -> int: ...

    def tell_qdrant_if_it_answers(self) -> None: ...


def cluster_faces_job(
    services: FaceServices, progress: Progress, *, method: ClusteringMethod, min_cluster_size: int
) -> JsonObject:
    """Group again the faces that nobody has named."""
    grouped = services.clustering_service().group(
        method=method, min_cluster_size=min_cluster_size, progress=progress
    )
    services.send_due_payloads()
    return asdict(grouped)


def assign_faces_job(services: FaceServices, progress: Progress, *, since: str | None = None) -> JsonObject:
    """Give faces without a name to the people whose centroids they resemble. ``since``: ISO 8601."""
    run = services.face_assigner().assign_new_faces(
        since=None if since is None else datetime.fromisoformat(since), progress=progress
    )
    services.send_due_payloads()
    return asdict(run)


def cluster_dual_job(
    services: FaceServices, progress: Progress, *, method: ClusteringMethod, min_cluster_size: int
) -> JsonObject:
    """Give faces without a name to known people, then group those that are left."""
    run = services.dual_clusterer().cluster_all(
        method=method, min_cluster_size=min_cluster_size, progress=progress
    )
    services.send_due_payloads()
    return asdict(run)


def compute_centroids_job(
    services: FaceServices, progress: Progress, *, person_ids: Sequence[str], force: bool
) -> JsonObject:
    """Compute the centroids of these persons whose faces have changed, and choose their prototypes anew."""
    ids = _ids(person_ids)
    run = services.centroid_service().compute_centroids(ids, progress, force=force)
    chosen = services.prototype_service().compute_prototypes(ids)
    return {**asdict(run), "prototypes": chosen.prototypes}


def detect_faces_job(
    services: FaceServices, progress: Progress, *, paths: Sequence[str], retry_failed: bool = False
) -> JsonObject:
    """Index the photos below ``paths``, take names from their metadata if that is set, then group if there
    are new faces."""
    services.bind_engine()
    roots = [Path(path) for path in paths]
    report = services.index_service().index(roots, retry_failed=retry_failed, progress=progress)
    named = 0
    if services.settings.names_from_metadata:
        named = services.metadata_names_service(ACTOR).read().named
    services.group_if_stale(progress)
    services.send_due_payloads()
    return {
        "photos_seen": report.photos_seen,
        "photos_new": report.photos_new,
        "photos_failed": report.photos_failed,
        "faces_new": report.faces_new,
        "faces_named": named,
    }


def doctor_job(services: FaceServices, progress: Progress, *, repair: bool) -> JsonObject:
    """Compare the database, Qdrant and the small pictures with each other; what is wrong is logged, too."""
    report = services.doctor_service().examine(repair=repair, progress=progress)
    if not report.is_healthy:
        left = {finding.kind.value: finding.found - finding.repaired for finding in report.shown}
        log.warning("the doctor found what is wrong; image-search doctor tells more", left=left)
    return report.to_json()


def find_more_suggestions_job(
    services: FaceServices,
    progress: Progress,
    *,
    person_ids: Sequence[str],
    limit: int,
    min_confidence: float | None,
) -> JsonObject:
    """Look for more faces of these persons with their best faces."""
    run = services.suggestion_service().find_more(
        _ids(person_ids), limit=limit, min_confidence=min_confidence, progress=progress
    )
    return asdict(run)


def find_more_multi_prototype_suggestions_job(
    services: FaceServices,
    progress: Progress,
    *,
    person_ids: Sequence[str],
    limit: int,
    min_confidence: float | None,
) -> JsonObject:
    """Look for more faces of these persons with all faces that stand for them."""
    run = services.suggestion_service().find_more_multi_prototype(
        _ids(person_ids), limit=limit, min_confidence=min_confidence, progress=progress
    )
    return asdict(run)


def find_more_centroid_suggestions_job(
    services: FaceServices,
    progress: Progress,
    *,
    person_ids: Sequence[str],
    limit: int,
    min_confidence: float | None,
) -> JsonObject:
    """Look for more faces of these persons with their centroids, if they have five faces."""
    run = services.suggestion_service().find_more_centroid(
        _ids(person_ids), limit=limit, min_confidence=min_confidence, progress=progress
    )
    return asdict(run)


def expire_old_suggestions_job(
    services: FaceServices, _progress: Progress, *, older_than_days: int
) -> JsonObject:
    """Withdraw suggestions that nobody has decided for so long."""
    return {"expired": services.suggestion_service().expire_old(older_than_days)}


def read_metadata_job(services: FaceServices, progress: Progress) -> JsonObject:
    """Take names that other programs wrote into photos or their sidecars."""
    report = services.metadata_names_service(ACTOR).read(progress)
    services.tell_qdrant_if_it_answers()
    return asdict(report)


def write_metadata_job(services: FaceServices, progress: Progress, *, dry_run: bool) -> JsonObject:
    """Write the names that humans gave into sidecars."""
    return asdict(services.metadata_names_service(ACTOR).write(dry_run=dry_run, progress=progress))


def _ids(texts: Sequence[str]) -> list[UUID]:
    return [UUID(text) for text in texts]


JOBS: Final[Mapping[str, JobFunction]] = {
    JobKind.ASSIGN_FACES: assign_faces_job,
    JobKind.CLUSTER_DUAL: cluster_dual_job,
    JobKind.CLUSTER_FACES: cluster_faces_job,
    JobKind.COMPUTE_CENTROIDS: compute_centroids_job,
    JobKind.DETECT_FACES: detect_faces_job,
    JobKind.DOCTOR: doctor_job,
    JobKind.FIND_MORE_SUGGESTIONS: find_more_suggestions_job,
    JobKind.FIND_MORE_MULTI_PROTOTYPE_SUGGESTIONS: find_more_multi_prototype_suggestions_job,
    JobKind.FIND_MORE_CENTROID_SUGGESTIONS: find_more_centroid_suggestions_job,
    JobKind.EXPIRE_OLD_SUGGESTIONS: expire_old_suggestions_job,
    JobKind.READ_METADATA: read_metadata_job,
    JobKind.WRITE_METADATA: write_metadata_job,
}
"""The function of each kind of job."""
