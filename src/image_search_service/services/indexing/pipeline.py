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
from dataclasses import dataclass
from pathlib import Path

from image_search_service.db.queries import library as library_queries
from image_search_service.db.queries.library import Counts
from image_search_service.library.engine import Watch
from image_search_service.library.stores import Stores
from image_search_service.services.face_clustering_service import FaceClusteringService
from image_search_service.services.indexing.drawing import names_service
from image_search_service.services.indexing.indexer import IndexService
from image_search_service.services.indexing.report import IndexReport
from image_search_service.services.jobs.outbox import PayloadSender
from image_search_service.services.metadata.reading import ReadReport

FIRST_GROUPING, GROWTH = 300, 4
"""Faces are grouped in between when the library has 300, and each time it has four times as many as the last
time: together a tenth of what the grouping in the end takes, since that grows with the square."""


@dataclass(frozen=True, slots=True)
class IndexResult:
    """What one run did, and what the library has after it. names: None unless the settings ask for them."""

    engine: str
    report: IndexReport
    names: ReadReport | None
    counts: Counts


def index_photos(
    stores: Stores,
    roots: Sequence[Path],
    *,
    actor: str,
    watch: Watch,
    retry_failed: bool = False,
    report_changed: Callable[[IndexReport], None] | None = None,
) -> IndexResult:
    """Bring the library up to date with the photos below ``roots``, folders or files.

    actor: who says what is taken from metadata. watch: shows the progress of one step.
    retry_failed: read again what could not be read before. report_changed: told the report of the first step
    so far.

    Raises InvalidInputError for a root that does not exist, EngineMismatchError, and UnavailableError when a
    store fails; what was stored until then stays, and the next run goes on.
    """
    engine = stores.binding.bind().name
    reached = _EarlyGrouping(stores, report_changed)
    with watch("Reading photos", "photos") as progress:
        report = IndexService(stores).index(
            roots, retry_failed=retry_failed, progress=progress, report_changed=reached
        )
    names = _read_names(stores, actor, watch) if stores.settings.names_from_metadata else None
    with watch("Comparing faces", "blocks") as progress:
        FaceClusteringService(stores).group_if_stale(progress)
    PayloadSender(stores).send()
    with stores.database.read() as session:
        return IndexResult(engine, report, names, library_queries.library_counts(session))


class _EarlyGrouping:
    """Groups the faces while photos are being read, whenever there are many more than at the last time."""

    def __init__(self, stores: Stores, report_changed: Callable[[IndexReport], None] | None) -> None:
        self._stores = stores
        self._report_changed = report_changed
        with stores.database.read() as session:
            self._before = library_queries.library_counts(session).faces
        self._next = max(FIRST_GROUPING, GROWTH * self._before)

    def __call__(self, report: IndexReport) -> None:
        faces = self._before + report.faces_new
        if faces >= self._next:
            FaceClusteringService(self._stores).group_if_stale()
            self._next = GROWTH * faces
        if self._report_changed:
            self._report_changed(report)


def _read_names(stores: Stores, actor: str, watch: Watch) -> ReadReport:
    with watch("Reading names", "photos") as progress:
        return names_service(stores, actor).read(progress)
