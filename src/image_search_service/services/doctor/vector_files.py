"""Makes the embedded engine's collections anew where their files are damaged, from what can be read of
them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias
from uuid import UUID

from image_search_service.core.errors import VectorStoreError
from image_search_service.core.logging import get_logger
from image_search_service.core.parallel import chunks
from image_search_service.core.types import FloatArray
from image_search_service.db.queries import events
from image_search_service.db.queries.doctor import expected
from image_search_service.db.queries.doctor.expected import FaceTruth
from image_search_service.services.doctor.context import PAGE, DoctorContext
from image_search_service.services.doctor.findings import DoctorProblem, Kind, face_payload
from image_search_service.vector.centroid_qdrant import CentroidQdrantClient
from image_search_service.vector.collections import FacePoint
from image_search_service.vector.face_qdrant import FaceQdrantClient
from image_search_service.vector.stored_points import is_unit

log = get_logger(__name__)

ReadEmbeddings: TypeAlias = Callable[[], Iterator[tuple[list[UUID], FloatArray]]]
"""Reads embeddings of this library from elsewhere: point ids and ``(n, d)``, some at a time."""


def from_nowhere() -> Iterator[tuple[list[UUID], FloatArray]]:
    """Where there is nothing to read embeddings from."""
    return iter(())


class VectorFileCheck:
    """One pass through the files of both collections, and for faces that are lost one through a backup."""

    def __init__(
        self, context: DoctorContext, faces: FaceQdrantClient, centroids: CentroidQdrantClient
    ) -> None:
        self._context = context
        self._report = context.report
        self._faces = faces
        self._centroids = centroids

    def run(self) -> bool:
        """Whether both collections can be read, perhaps since they were made anew. Persons' centroids are
        computed again; of faces what can be read is kept, and what is not is then found missing."""
        damaged = [
            (collection, reason)
            for collection in (self._faces, self._centroids)
            if (reason := collection.damage()) is not None
        ]
        for collection, reason in damaged:
            self._report.add([DoctorProblem(Kind.DAMAGED_FILES, reason)])
            if self._context.repair:
                former = collection.make_anew()
                if isinstance(former, FaceQdrantClient):
                    self._keep_readable(former)
                if former is not None:
                    former.remove_collection()
                self._report.repair(Kind.DAMAGED_FILES, 1)
        return self._context.repair or not damaged

    def _keep_readable(self, former: FaceQdrantClient) -> None:
        for page in _until_damage(stored_faces(self._context, former)):
            self._faces.upsert_faces(page)

    def fill_from(self, read_embeddings: ReadEmbeddings) -> None:
        """Embeddings that Qdrant lacks, from a backup: for each thousand of its a request, and where some are
        lacking another one and three statements."""
        for ids, matrix in read_embeddings():
            for start in range(0, len(ids), PAGE):
                self._fill(dict(zip(ids[start : start + PAGE], matrix[start : start + PAGE], strict=True)))

    def _fill(self, known: Mapping[UUID, FloatArray]) -> None:
        stored = self._faces.retrieve_stored(known)
        lost = {
            point_id: row
            for point_id, row in known.items()
            if point_id not in stored or stored[point_id].problem is not None
        }
        for point_id in store_embeddings(self._context, self._faces, lost):
            is_there = point_id in stored
            self._report.repair(Kind.FACE_WITHOUT_EMBEDDING if is_there else Kind.FACE_WITHOUT_POINT, 1)


def stored_faces(context: DoctorContext, former: FaceQdrantClient) -> Iterator[list[FacePoint]]:
    """The library's faces as a collection has them, those that are there and whole.

    ⌈n ÷ 1,000⌉ statements and as many requests for n faces.
    """
    rows = context.rows(expected.face_page, lambda face: face.point_id)
    for page in chunks((face for _, face in rows), PAGE):
        batch = former.get_embeddings_by_point_ids([face.point_id for face in page], PAGE)
        truth = {face.point_id: face for face in page}
        yield [
            FacePoint(point_id, row, face_payload(truth[point_id]))
            for point_id, row, is_whole in zip(batch.ids, batch.matrix, is_unit(batch.matrix), strict=True)
            if is_whole
        ]


def _until_damage(pages: Iterator[list[FacePoint]]) -> Iterator[list[FacePoint]]:
    """Those before the first one that cannot be read. An error of whoever stores them is not caught."""
    try:
        yield from pages
    except VectorStoreError as error:
        log.warning("What is left of a damaged collection cannot be read", error=error.message)


def store_embeddings(
    context: DoctorContext, faces: FaceQdrantClient, rows: Mapping[UUID, FloatArray]
) -> dict[UUID, FaceTruth]:
    """Store the embeddings of those points that are faces, and return these. Qdrant first; what was decided
    since the rows were read is sent once more after it."""
    if not rows:
        return {}
    with context.database.read() as session:
        truth = expected.faces_at_points(session, list(rows))
    faces.upsert_faces(
        FacePoint(point_id, rows[point_id], face_payload(face)) for point_id, face in truth.items()
    )
    with context.database.write() as session:
        events.take_turn(session)
        expected.mark_payloads_due(session, [face.id for face in truth.values()])
    return truth
