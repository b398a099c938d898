"""The workers' jobs: each calls one service and returns its counts by name.

A job raises errors; ``runner`` decides which are retried. Its parameters are JSON.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from functools import wraps
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from image_search_service.core.errors import ImageSearchError
from image_search_service.core.logging import get_logger
from image_search_service.core.types import JsonObject, MethodName, Progress, SearchMethod
from image_search_service.faces.assigner import FaceAssigner
from image_search_service.faces.dual_clusterer import DualModeClusterer
from image_search_service.library.stores import Stores
from image_search_service.queue.runner import JobFunction, ProgressReporter
from image_search_service.services.backup.last_backup import embeddings_of_last_backup
from image_search_service.services.backup.schedule import back_up
from image_search_service.services.backup.sending import BACKING_UP, write_backup
from image_search_service.services.centroid_service import CentroidService
from image_search_service.services.doctor.service import DoctorService
from image_search_service.services.face_clustering_service import FaceClusteringService
from image_search_service.services.forgetting.erasing import ErasingService
from image_search_service.services.grouping_proposals import GroupingProposals
from image_search_service.services.indexing.drawing import names_service
from image_search_service.services.indexing.pipeline import index_photos
from image_search_service.services.indexing.report import IndexReport
from image_search_service.services.jobs.outbox import PayloadSender
from image_search_service.services.jobs.service import REPORT, JobKind
from image_search_service.services.metadata.names import MetadataNamesService
from image_search_service.services.suggestions.conflict_finder import ConflictFinder
from image_search_service.services.suggestions.prototypes import PrototypeService
from image_search_service.services.suggestions.search import SuggestionService

log = get_logger(__name__)


ACTOR = "job"
"""The actor of decisions that a job takes from metadata."""


MOST_FAILURES = 1_000
"""Files that were not read and are named in a job's result; ``/photos/failed`` lists all."""


def cluster_faces_job(
    stores: Stores, progress: Progress, *, method: MethodName, min_cluster_size: int
) -> JsonObject:
    """Group the unnamed faces again."""
    grouped = FaceClusteringService(stores).group(
        method=method, min_cluster_size=min_cluster_size, progress=progress
    )
    PayloadSender(stores).send()
    ConflictFinder(stores).look()
    return asdict(grouped)


def propose_grouping_job(
    stores: Stores, progress: Progress, *, method: MethodName, min_cluster_size: int
) -> JsonObject:
    """Compute what grouping all unnamed faces again would change; it is applied when somebody says so."""
    proposal = GroupingProposals(stores).propose(
        method=method, min_cluster_size=min_cluster_size, progress=progress
    )
    return proposal.to_json()


def assign_faces_job(stores: Stores, progress: Progress, *, since: str | None = None) -> JsonObject:
    """Assign unnamed faces to the people whose centroids they resemble. since: ISO 8601."""
    run = FaceAssigner(stores, CentroidService(stores)).assign_new_faces(
        since=None if since is None else datetime.fromisoformat(since), progress=progress
    )
    PayloadSender(stores).send()
    ConflictFinder(stores).look()
    return asdict(run)


def cluster_dual_job(
    stores: Stores, progress: Progress, *, method: MethodName, min_cluster_size: int
) -> JsonObject:
    """Assign unnamed faces to known people, then group the rest."""
    run = DualModeClusterer(stores, CentroidService(stores)).cluster_all(
        method=method, min_cluster_size=min_cluster_size, progress=progress
    )
    PayloadSender(stores).send()
    ConflictFinder(stores).look()
    return asdict(run)


def compute_centroids_job(
    stores: Stores, progress: Progress, *, person_ids: Sequence[str], force: bool
) -> JsonObject:
    """Compute the centroids of those persons whose faces have changed, and choose their prototypes again."""
    ids = _ids(person_ids)
    run = CentroidService(stores).compute_centroids(ids, progress, force=force)
    chosen = PrototypeService(stores).compute_prototypes(ids)
    ConflictFinder(stores).look()
    return {**asdict(run), "prototypes": chosen.prototypes}


def detect_faces_job(
    stores: Stores,
    progress: ProgressReporter,
    *,
    paths: Sequence[str],
    retry_failed: bool = False,
    names_from_metadata: bool | None = None,
) -> JsonObject:
    """Index the photos below ``paths`` as ``image-search index`` does (``services/indexing/pipeline.py``).

    Its progress reports the current step and the counts so far; at the end ``report`` is what the command
    prints.
    """

    @contextmanager
    def watch(what: str, _unit: str) -> Iterator[Progress]:
        progress.found(step=what)
        yield progress

    def found(so_far: IndexReport) -> None:
        progress.found(**_indexed(so_far))

    roots = [Path(path) for path in paths]
    progress.found(step="Opening the face engine")
    done = index_photos(
        stores,
        roots,
        actor=ACTOR,
        watch=watch,
        retry_failed=retry_failed,
        names_from_metadata=names_from_metadata,
        report_changed=found,
    )
    return {
        **_indexed(done.report),
        "faces_named": 0 if done.names is None else done.names.named,
        REPORT: done.to_json(MOST_FAILURES),
    }


def _indexed(report: IndexReport) -> JsonObject:
    """The counts of an index report, by name."""
    return {
        "photos_seen": report.photos_seen,
        "photos_new": report.photos_new,
        "photos_unchanged": report.photos_unchanged,
        "photos_failed": report.photos_failed,
        "photos_waiting": len(report.waiting),
        "photos_missing": report.photos_missing,
        "faces_new": report.faces_new,
        "names_kept": report.names_kept,
        "names_lost": report.names_lost,
        "photos_per_second": round(report.photos_per_second, 1),
    }


def doctor_job(stores: Stores, progress: Progress, *, repair: bool, backup: bool = False) -> JsonObject:
    """Compare the database, Qdrant and the small pictures with each other, and log the findings. backup:
    make one first, if the settings name a folder for it."""
    made = _scheduled_backup(stores, progress) if backup else {}
    doctor = DoctorService(stores, read_embeddings=lambda: embeddings_of_last_backup(stores))
    report = doctor.examine(repair=repair, progress=progress)
    if not report.is_healthy:
        left = {finding.kind.value: finding.found - finding.repaired for finding in report.shown}
        log.warning("the doctor has findings; run image-search doctor for details", left=left)
    return report.to_json() | made


def _scheduled_backup(stores: Stores, progress: Progress) -> JsonObject:
    """What became of it: where none can be made, the doctor says why."""
    folder = stores.settings.backup_dir
    if folder is None:
        return {}
    try:
        return {"backup": back_up(stores, folder, progress)}
    except ImageSearchError as error:
        log.warning("no backup was made", folder=str(folder), error=error.message)
        return {"backup": {"error": error.message}}


def find_conflicts_job(stores: Stores, progress: Progress, *, everybody: bool) -> JsonObject:
    """Compare persons whose faces have changed, or everybody, and keep the contradictions."""
    return asdict(ConflictFinder(stores).look(progress, everybody=everybody))


def find_more_suggestions_job(
    stores: Stores,
    progress: Progress,
    *,
    person_ids: Sequence[str],
    limit: int,
    min_confidence: float | None,
) -> JsonObject:
    """Search for more faces of these persons with their best faces."""
    return _find_more(
        SearchMethod.PROTOTYPES, stores, progress, ids=person_ids, limit=limit, min_confidence=min_confidence
    )


def find_more_multi_prototype_suggestions_job(
    stores: Stores,
    progress: Progress,
    *,
    person_ids: Sequence[str],
    limit: int,
    min_confidence: float | None,
) -> JsonObject:
    """Search for more faces of these persons with all their prototypes."""
    return _find_more(
        SearchMethod.MULTI_PROTOTYPE,
        stores,
        progress,
        ids=person_ids,
        limit=limit,
        min_confidence=min_confidence,
    )


def find_more_centroid_suggestions_job(
    stores: Stores,
    progress: Progress,
    *,
    person_ids: Sequence[str],
    limit: int,
    min_confidence: float | None,
) -> JsonObject:
    """Search for more faces of these persons with their centroids, if they have five faces or more."""
    return _find_more(
        SearchMethod.CENTROID, stores, progress, ids=person_ids, limit=limit, min_confidence=min_confidence
    )


def _find_more(
    method: SearchMethod,
    stores: Stores,
    progress: Progress,
    *,
    ids: Sequence[str],
    limit: int,
    min_confidence: float | None,
) -> JsonObject:
    run = SuggestionService(stores).find_more_by(
        method, _ids(ids), limit=limit, min_confidence=min_confidence, progress=progress
    )
    return asdict(run)


def expire_old_suggestions_job(stores: Stores, _progress: Progress, *, older_than_days: int) -> JsonObject:
    """Withdraw suggestions that have been pending for longer than this."""
    return {"expired": SuggestionService(stores).expire_old(older_than_days)}


def read_metadata_job(stores: Stores, progress: Progress) -> JsonObject:
    """Take names that other programs wrote into photos or their sidecars."""
    report = _metadata_names(stores).read(progress)
    PayloadSender(stores).send_if_it_answers()
    return asdict(report)


def write_backup_job(stores: Stores, progress: ProgressReporter, *, pictures: bool) -> JsonObject:
    """Write a backup that can be downloaded. pictures: with crops and thumbnails."""
    progress.found(step=BACKING_UP)
    return write_backup(stores, progress, pictures=pictures)


def write_metadata_job(
    stores: Stores, progress: Progress, *, dry_run: bool, overrule: bool = False
) -> JsonObject:
    """Write the names that humans gave into sidecars."""
    report = _metadata_names(stores).write(dry_run=dry_run, overrule=overrule, progress=progress)
    return asdict(report)


def erase_photos_job(
    stores: Stores, progress: Progress, *, paths: Sequence[str], actor: str = ACTOR
) -> JsonObject:
    """Erase forgotten photos, and what was said of their faces."""
    return asdict(ErasingService(stores, actor).erase([Path(path) for path in paths], progress))


def _metadata_names(stores: Stores) -> MetadataNamesService:
    return names_service(stores, ACTOR)


def _ids(texts: Sequence[str]) -> list[UUID]:
    return [UUID(text) for text in texts]


def _comparing(job: JobFunction) -> JobFunction:
    """A job that compares faces: it does not begin where embeddings are lost."""

    @wraps(job)
    def compare(stores: Stores, progress: ProgressReporter, **parameters: Any) -> JsonObject:
        stores.require_own()
        stores.require_embeddings()
        return job(stores, progress, **parameters)

    return compare


JOBS: Final[Mapping[str, JobFunction]] = {
    JobKind.ASSIGN_FACES: _comparing(assign_faces_job),
    JobKind.CLUSTER_DUAL: _comparing(cluster_dual_job),
    JobKind.CLUSTER_FACES: _comparing(cluster_faces_job),
    JobKind.COMPUTE_CENTROIDS: _comparing(compute_centroids_job),
    JobKind.DETECT_FACES: detect_faces_job,
    JobKind.DOCTOR: doctor_job,
    JobKind.ERASE_PHOTOS: erase_photos_job,
    JobKind.FIND_CONFLICTS: _comparing(find_conflicts_job),
    JobKind.FIND_MORE_SUGGESTIONS: _comparing(find_more_suggestions_job),
    JobKind.FIND_MORE_MULTI_PROTOTYPE_SUGGESTIONS: _comparing(find_more_multi_prototype_suggestions_job),
    JobKind.FIND_MORE_CENTROID_SUGGESTIONS: _comparing(find_more_centroid_suggestions_job),
    JobKind.EXPIRE_OLD_SUGGESTIONS: expire_old_suggestions_job,
    JobKind.PROPOSE_GROUPING: _comparing(propose_grouping_job),
    JobKind.READ_METADATA: read_metadata_job,
    JobKind.WRITE_BACKUP: write_backup_job,
    JobKind.WRITE_METADATA: write_metadata_job,
}
"""The function of each kind of job."""
