"""Indexing in five steps, the same for the command ``image-search index`` and for the job ``detect_faces``.

1. Read the photos below the folders that are new or changed, and find the faces in them. In a long run the
   faces are grouped in between, so that naming may begin.
2. Take names that other programs wrote into photos, if the settings say so.
3. Group the faces without a name, if there are new ones.
4. Tell Qdrant the persons and clusters that follow.
5. Report.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from image_search_service.core.errors import UnavailableError
from image_search_service.core.types import JsonObject
from image_search_service.db.queries import library as library_queries
from image_search_service.db.queries.library import Counts
from image_search_service.library.engine import Watch
from image_search_service.library.stores import Stores
from image_search_service.services.face_clustering_service import FaceClusteringService
from image_search_service.services.indexing.drawing import names_service
from image_search_service.services.indexing.indexer import IndexService
from image_search_service.services.indexing.report import Failure, IndexReport
from image_search_service.services.indexing.roots import RootService
from image_search_service.services.jobs.outbox import PayloadSender
from image_search_service.services.metadata.report import ReadReport

FIRST_GROUPING, GROWTH = 300, 4
"""Faces are grouped in between when the library has 300, and each time it has four times as many as the last
time: together a tenth of what the grouping in the end takes, since that grows with the square."""


READING, NAMES, COMPARING = "Reading photos", "Reading names", "Comparing faces"
UNITS: Final = {READING: "photos", NAMES: "photos", COMPARING: "blocks"}
"""The steps that show their progress, and what is counted in each."""


@dataclass(frozen=True, slots=True)
class IndexResult:
    """What one run did, and what the library has after it. names: None unless the settings ask for them."""

    engine: str
    report: IndexReport
    names: ReadReport | None
    counts: Counts

    def to_json(self, most_failures: int | None = None) -> JsonObject:
        """What the command prints. most_failures: only so many files that were not read are named."""
        report, counts = self.report, self.counts
        return {
            "photos_seen": report.photos_seen,
            "photos_new": report.photos_new,
            "photos_unchanged": report.photos_unchanged,
            "photos_moved": report.photos_moved,
            "photos_missing": report.photos_missing,
            "files_excluded": report.files_excluded,
            "folders_away": [str(path) for path in report.folders_away],
            "photos_failed": report.photos_failed,
            "photos_waiting": len(report.waiting),
            "waiting_reasons": report.waiting_reasons(),
            "photos_missing_in_all": counts.photos_missing,
            "photos_excluded": counts.photos_excluded,
            "photos": counts.photos,
            "photos_with_faces": counts.photos_with_faces,
            "files_ignored": report.files_ignored,
            "faces_new": report.faces_new,
            "names_kept": report.names_kept,
            "names_lost": report.names_lost,
            "faces": counts.faces,
            "clusters": counts.clusters,
            "clustered_faces": counts.clustered_faces,
            "noise_faces": counts.noise_faces,
            "named_faces": counts.named_faces,
            "persons": counts.persons,
            "seconds": round(report.seconds, 3),
            "photos_per_second": round(report.photos_per_second, 1),
            "engine": self.engine,
            "failures": _named([*report.failures, *report.unread_folders][:most_failures]),
            "waiting": _named(report.waiting[:most_failures]),
        } | ({} if self.names is None else {"names_from_metadata": asdict(self.names)})


def index_photos(
    stores: Stores,
    roots: Sequence[Path],
    *,
    actor: str,
    watch: Watch,
    retry_failed: bool = False,
    names_from_metadata: bool | None = None,
    report_changed: Callable[[IndexReport], None] | None = None,
) -> IndexResult:
    """Bring the library up to date with the photos below ``roots``, folders or files; without any, below all
    folders of the library.

    actor: who says what is taken from metadata. watch: shows the progress of one step.
    retry_failed: read again what could not be read before. names_from_metadata: None leaves it to the
    settings. report_changed: told the report of the first step so far.

    Raises InvalidInputError for a root that does not exist and for none at all, EngineMismatchError, and
    UnavailableError when a store fails; what was stored until then stays, and the next run goes on.
    Raises LostEmbeddingsError before anything is done if Qdrant answers that it has fewer faces than SQL.
    """
    roots = roots or RootService(stores.database).topmost()
    engine = stores.binding.bind().name
    with suppress(UnavailableError):  # a run over what is known needs no Qdrant
        stores.require_embeddings()
    reached = _EarlyGrouping(stores, report_changed)
    with watch(READING, UNITS[READING]) as progress:
        report = IndexService(stores).index(
            roots, retry_failed=retry_failed, progress=progress, report_changed=reached
        )
    wants_names = stores.settings.names_from_metadata if names_from_metadata is None else names_from_metadata
    names = _read_names(stores, actor, watch) if wants_names else None
    with watch(COMPARING, UNITS[COMPARING]) as progress:
        FaceClusteringService(stores).group_if_stale(progress)
    PayloadSender(stores).send()
    with stores.database.read() as session:
        return IndexResult(engine, report, names, library_queries.library_counts(session))


def _named(failures: Sequence[Failure]) -> list[JsonObject]:
    return [{"path": str(item.path), "reason": item.reason} for item in failures]


class _EarlyGrouping:
    """Groups the faces while photos are being read, whenever there are many more than at the last time."""

    def __init__(self, stores: Stores, report_changed: Callable[[IndexReport], None] | None) -> None:
        self._stores = stores
        self._report_changed = report_changed
        with stores.database.read() as session:
            self._before = library_queries.faces_kept(session)
        self._next = max(FIRST_GROUPING, GROWTH * self._before)

    def __call__(self, report: IndexReport) -> None:
        faces = self._before + report.faces_new
        if faces >= self._next:
            FaceClusteringService(self._stores).group_if_stale()
            self._next = GROWTH * faces
        if self._report_changed:
            self._report_changed(report)


def _read_names(stores: Stores, actor: str, watch: Watch) -> ReadReport:
    with watch(NAMES, UNITS[NAMES]) as progress:
        return names_service(stores, actor).read(progress)
