"""Recreates lost embeddings, crops and thumbnails, photo by photo."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain

from image_search_service.core.parallel import chunks, map_ahead, thread_pool
from image_search_service.core.paths import LibraryPaths
from image_search_service.core.types import Progress
from image_search_service.db.models import FaceInstance
from image_search_service.db.queries.doctor import expected
from image_search_service.db.queries.doctor.expected import PhotoTruth
from image_search_service.media.derived_files import is_whole
from image_search_service.recognition.engines.base import Detection
from image_search_service.services.doctor.context import DoctorContext
from image_search_service.services.doctor.findings import Kind
from image_search_service.services.doctor.photo_restorer import (
    LostFace,
    LostPhoto,
    PhotoRestorer,
    RestoredPhoto,
)
from image_search_service.services.doctor.vector_files import store_embeddings
from image_search_service.services.indexing.indexer import READ_BATCH, READS_AHEAD, STORE_BATCH
from image_search_service.vector.face_qdrant import FaceQdrantClient
from image_search_service.vector.stored_points import PointId, StoredPoint

PHOTOS = 250
"""Photos whose faces are looked up together."""


class Restoring:
    """One pass through all photos: each that lost something is decoded once, several at a time."""

    def __init__(
        self,
        context: DoctorContext,
        faces: FaceQdrantClient,
        restorer: PhotoRestorer,
        paths: LibraryPaths,
        *,
        workers: int,
        progress: Progress | None,
    ) -> None:
        self._context = context
        self._report = context.report
        self._faces = faces
        self._restorer = restorer
        self._paths = paths
        self._workers = workers
        self._progress = progress

    def run(self) -> None:
        """At most three statements and a request for each 250 photos (another for each further thousand
        faces), and one of each for 128 photos that are restored."""
        with thread_pool(self._workers, "restore") as pool:
            batches = chunks(self._lost_photos(), READ_BATCH)
            restored = map_ahead(pool, self._restorer.restore, batches, self._workers * READS_AHEAD)
            for photos in chunks(chain.from_iterable(restored), STORE_BATCH):
                self._store(photos)

    def _lost_photos(self) -> Iterator[LostPhoto]:
        with self._context.database.read() as session:
            total = expected.count_photos(session)
        rows = self._context.rows(expected.photo_page, lambda photo: photo.id)
        for number, photos in enumerate(chunks((photo for _, photo in rows), PHOTOS)):
            if self._progress is not None:
                self._progress(min(number * PHOTOS, total), total)
            ids = [photo.id for photo in photos]
            with self._context.database.read() as session:
                faces = expected.faces_of_photos(session, ids)
            points = self._faces.retrieve_stored(
                face.qdrant_point_id for photo_faces in faces.values() for face in photo_faces
            )
            lost = [self._lost(photo, faces.get(photo.id, []), points) for photo in photos]
            yield from self._with_files([photo for photo in lost if _is_lost(photo)])

    def _lost(
        self, photo: PhotoTruth, faces: Sequence[FaceInstance], points: Mapping[PointId, StoredPoint]
    ) -> LostPhoto:
        known = [(_known_face(face, points), points.get(face.qdrant_point_id)) for face in faces]
        return LostPhoto(
            photo.id,
            photo.content_hash,
            embeddings=[face for face, point in known if point is None or point.problem is not None],
            crops=[face for face, _ in known if not is_whole(self._paths.crop(face.id))],
            thumbnail=photo.failure is None and not is_whole(self._paths.thumbnail(photo.id)),
        )

    def _with_files(self, photos: Sequence[LostPhoto]) -> list[LostPhoto]:
        if not photos:
            return []
        with self._context.database.read() as session:
            files = expected.files_of_photos(session, [photo.asset_id for photo in photos])
        return [replace(photo, files=files.get(photo.asset_id, [])) for photo in photos]

    def _store(self, photos: Sequence[RestoredPhoto]) -> None:
        embedded = {
            face.point_id: (face, row)
            for restored in photos
            for face, row in zip(restored.photo.embeddings, restored.embeddings, strict=False)
        }
        rows = {point_id: row for point_id, (_, row) in embedded.items()}
        for point_id in store_embeddings(self._context, self._faces, rows):
            self._report.repair(_kind(embedded[point_id][0]), 1)
        for restored in photos:
            self._count(restored)

    def _count(self, restored: RestoredPhoto) -> None:
        """Pictures that were made, and why the rest could not be."""
        photo = restored.photo
        if restored.unread is None:
            self._report.repair(Kind.MISSING_CROP, len(photo.crops))
            self._report.repair(Kind.MISSING_THUMBNAIL, int(photo.thumbnail))
        elif photo.crops:
            self._report.give_up(Kind.MISSING_CROP, f"photo {photo.asset_id}: {restored.unread}")
        if restored.unread is not None and photo.thumbnail:
            self._report.give_up(Kind.MISSING_THUMBNAIL, f"photo {photo.asset_id}: {restored.unread}")
        if restored.not_embedded is not None:
            for kind in dict.fromkeys(_kind(face) for face in photo.embeddings):
                self._report.give_up(kind, f"photo {photo.asset_id}: {restored.not_embedded}")


def _known_face(face: FaceInstance, points: Mapping[PointId, StoredPoint]) -> LostFace:
    landmarks = tuple((x, y) for x, y in face.landmarks)
    detection = Detection(face.box, landmarks, face.detection_confidence)
    return LostFace(face.id, face.qdrant_point_id, detection, face.qdrant_point_id in points)


def _kind(face: LostFace) -> Kind:
    return Kind.FACE_WITHOUT_EMBEDDING if face.has_point else Kind.FACE_WITHOUT_POINT


def _is_lost(photo: LostPhoto) -> bool:
    return bool(photo.embeddings or photo.crops or photo.thumbnail)
