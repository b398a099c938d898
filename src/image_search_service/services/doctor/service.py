"""Compares decisions, SQL, Qdrant and the files completely, a page at a time, and repairs differences.

SQL's rows and Qdrant's points come in the same order, so one pass through both finds every difference with
⌈n ÷ 1,000⌉ requests to each and a page of each in memory. What differs is looked at again by id before it
counts, first in SQL, then in Qdrant, then in SQL: the library may be in use, and the two pages were not read
at the same moment.

Repair is idempotent and may be interrupted at any moment. What is made again is written to Qdrant first and
then marked as due in SQL, so that what a human decides meanwhile is told to Qdrant after it.
"""

from __future__ import annotations

import time
from dataclasses import replace

from image_search_service.core.types import Progress
from image_search_service.library.stores import Stores
from image_search_service.services.centroid_service import CentroidService
from image_search_service.services.decisions.replay import RebuildService
from image_search_service.services.doctor.centroids import CentroidCheck
from image_search_service.services.doctor.context import DoctorContext
from image_search_service.services.doctor.copied import CopyCheck
from image_search_service.services.doctor.database import DatabaseCheck
from image_search_service.services.doctor.faces import FaceCheck
from image_search_service.services.doctor.files import FileCheck, crops, larger_pictures, thumbnails
from image_search_service.services.doctor.findings import HINTS, DoctorProblem, DoctorReport, Kind
from image_search_service.services.doctor.names import NameCheck
from image_search_service.services.doctor.permissions import PermissionCheck
from image_search_service.services.doctor.photo_restorer import PhotoRestorer
from image_search_service.services.doctor.restoring import Restoring
from image_search_service.services.doctor.vector_files import ReadEmbeddings, VectorFileCheck, from_nowhere
from image_search_service.services.jobs.outbox import PayloadSender
from image_search_service.services.suggestions.conflict_finder import ConflictFinder
from image_search_service.vector.qdrant_collection import QdrantCollection

__all__ = ["DoctorReport", "DoctorService"]


class DoctorService:
    """Finds and mends every difference. Raises UnavailableError; what was mended until then stays.

    alone: no other process or thread works on the library meanwhile. read_embeddings: reads those of the last
    backup, for faces that have lost theirs.
    """

    def __init__(
        self, stores: Stores, *, alone: bool = False, read_embeddings: ReadEmbeddings = from_nowhere
    ) -> None:
        self._stores = stores
        self._database = stores.database
        self._faces = stores.collections.unchecked_faces()
        self._centroids = stores.collections.unchecked_centroids()
        self._restorer = PhotoRestorer(lambda: stores.engine, stores.paths, max_pixels=stores.max_pixels)
        self._paths = stores.paths
        self._workers = stores.settings.workers
        self._alone = alone
        self._read_embeddings = read_embeddings

    def examine(self, *, repair: bool = False, progress: Progress | None = None) -> DoctorReport:
        """Look at everything; with ``repair`` mend what is found, and look once more before that is believed.
        ``progress`` is told the faces seen and, where something has to be made again, then the photos.

        The database's file comes first: what is read of a damaged one may be anything. Then what was decided,
        since Qdrant is told what follows from it. Embeddings and pictures are made before centroids, which
        are computed from embeddings.
        """
        started = time.monotonic()
        context = DoctorContext(self._database, DoctorReport(), repair, self._alone)
        self._look(context, progress)
        if repair and context.report.findings.keys() - HINTS:
            again = replace(context, report=DoctorReport(), repair=False)
            self._look(again, None)
            context.report.look_again(again.report)
        context.report.seconds = time.monotonic() - started
        return context.report

    def _look(self, context: DoctorContext, progress: Progress | None) -> None:
        if DatabaseCheck(context).run() and CopyCheck(context, self._stores).run():
            self._compare(context, progress)

    def _compare(self, context: DoctorContext, progress: Progress | None) -> None:
        repair = context.repair
        self._examine_decisions(context)
        vector_files = VectorFileCheck(context, self._faces, self._centroids)
        readable = vector_files.run()
        faces_fit = readable and self._fits(context, self._faces)
        if faces_fit:
            FaceCheck(context, self._faces, progress).run()
            if repair and context.report.has(Kind.FACE_WITHOUT_POINT, Kind.FACE_WITHOUT_EMBEDDING):
                vector_files.fill_from(self._read_embeddings)
        for files in (crops(self._paths), thumbnails(self._paths), *larger_pictures(self._paths)):
            FileCheck(context, files).run()
        if repair and faces_fit and context.report.has(*_RESTORED):
            Restoring(
                context, self._faces, self._restorer, self._paths, workers=self._workers, progress=progress
            ).run()
        PermissionCheck(context, self._paths).run()
        if faces_fit:
            self._examine_centroids(context)
            NameCheck(context, self._faces, self._stores.thresholds.suggest).run()
        if repair and faces_fit:
            ConflictFinder(self._stores).look(everybody=True)
            PayloadSender(self._stores).send()

    def _examine_decisions(self, context: DoctorContext) -> None:
        service = RebuildService(self._database)
        rebuilt = service.rebuild() if context.repair else service.check()
        context.report.checked["facts"] += rebuilt.facts
        context.report.add_counted(Kind.NOT_AS_DECIDED, rebuilt.wrong, rebuilt.examples)
        context.report.add_counted(Kind.MISCOUNTED, rebuilt.miscounted, rebuilt.miscounts)
        if rebuilt.repaired:
            context.report.repair(Kind.NOT_AS_DECIDED, rebuilt.wrong)
            context.report.repair(Kind.MISCOUNTED, rebuilt.miscounted)

    def _examine_centroids(self, context: DoctorContext) -> None:
        if self._fits(context, self._centroids):
            service = CentroidService(self._stores)
            CentroidCheck(context, self._centroids, service).run()

    def _fits(self, context: DoctorContext, collection: QdrantCollection) -> bool:
        """Whether the collection can hold the embeddings. Repair makes it anew; its points are of no use,
        but it is kept unless there is a model to fill it again with."""
        problem = collection.problem()
        if problem is not None:
            context.report.add([DoctorProblem(Kind.WRONG_COLLECTION, problem)])
            if not context.repair:
                return False
            self._restorer.open_engine()
            collection.reset_collection(confirm=collection.collection_name)
            context.report.repair(Kind.WRONG_COLLECTION, 1)
        lacking = collection.lacking_indexes()
        context.report.add(
            DoctorProblem(Kind.MISSING_INDEX, f"{key} of {collection.collection_name}") for key in lacking
        )
        if not lacking or context.repair:
            collection.ensure_collection()  # makes indexes, too, and a collection that is not there
            context.report.repair(Kind.MISSING_INDEX, len(lacking))
        return True


_RESTORED = (
    Kind.FACE_WITHOUT_POINT,
    Kind.FACE_WITHOUT_EMBEDDING,
    Kind.MISSING_CROP,
    Kind.MISSING_THUMBNAIL,
)
"""What is made again from the photo."""
