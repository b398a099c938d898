"""Reading the library's photos once more, with the new engine."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from image_search_service.core.errors import MediaError
from image_search_service.core.files import FileState
from image_search_service.db.models import FaceInstance
from image_search_service.db.queries.batches import Row
from image_search_service.db.queries.engine_change.staging import PhotoToRead
from image_search_service.media.hashing import hash_file
from image_search_service.recognition.engines.base import Detection
from image_search_service.recognition.quality import FaceQuality
from image_search_service.services.engine_change.places import KnownFace, Origin, origin_of, place_faces
from image_search_service.services.indexing.reader import FaceInCrop, HashedFile, PhotoReader, ReadPhoto
from image_search_service.services.indexing.rows import face_points, face_rows
from image_search_service.vector.collections import FacePoint

_COLUMNS_APART = ("id", "asset_id", "qdrant_point_id", "taken_at")
"""What a staged face does not repeat: it follows from its id and its photo."""


@dataclass(frozen=True, slots=True)
class KnownPhoto:
    """A photo of the library and the faces that it has so far."""

    photo: PhotoToRead
    faces: Sequence[KnownFace]

    @property
    def id(self) -> uuid.UUID:
        return self.photo.asset_id


@dataclass(frozen=True, slots=True)
class RereadPhoto:
    """A photo as the new engine sees it. failure: why no file could be read; then known faces are embedded
    from their crops."""

    known: KnownPhoto
    read: ReadPhoto
    failure: str | None

    def points(self) -> list[FacePoint]:
        return face_points([self.read])

    def photo_row(self) -> Row:
        return {"asset_id": self.known.id, "failure": self.failure}

    def face_rows(self) -> list[Row]:
        """Rows of ``StagedFace``."""
        return [
            {
                "id": face.id,
                "asset_id": self.known.id,
                "origin": self._origin(face.id, face.detection),
                "values": {name: value for name, value in row.items() if name not in _COLUMNS_APART},
            }
            for face, row in zip(self.read.faces, face_rows(self.read), strict=True)
        ]

    def _origin(self, face_id: uuid.UUID, detection: Detection) -> Origin:
        if self.failure is not None:
            return Origin.FROM_CROP
        return origin_of(face_id, detection, self.known.faces)


def known_photo(photo: PhotoToRead, spoken_of: set[uuid.UUID]) -> KnownPhoto:
    """spoken_of: the faces that decisions speak of."""
    return KnownPhoto(
        photo,
        [KnownFace(face.id, _detection(face), face.id in spoken_of, face.by_hand) for face in photo.faces],
    )


def _detection(face: FaceInstance) -> Detection:
    return Detection(face.box, tuple((x, y) for x, y in face.landmarks), face.detection_confidence)


class PhotoRereader:
    """Reads photos with the new engine. Safe to use from several threads. change_id: the move's number."""

    def __init__(self, reader: PhotoReader, change_id: int) -> None:
        self._reader = reader
        self._change_id = change_id

    def read(self, photos: Sequence[KnownPhoto]) -> list[RereadPhoto]:
        """Read each photo from the first of its files that still holds it, or without one from its faces'
        crops.

        A face without a crop is left out then: it has no embedding until its photo is back.
        """
        opened = {known.id: _find_file(known.photo) for known in photos}
        known_by_id = {known.id: known for known in photos}
        files = [file for file, _ in opened.values() if file is not None]
        reads = {read.file.asset_id: read for read in self._read_files(files, known_by_id)}
        failures = {
            known.id: _reason(reads.get(known.id), opened[known.id][1])
            for known in photos
            if known.id not in reads or reads[known.id].failure is not None
        }
        crops = self._reader.read_crops([_crops(known_by_id[asset_id].photo) for asset_id in failures])
        reads |= dict(zip(failures, crops, strict=True))
        return [RereadPhoto(known, reads[known.id], failures.get(known.id)) for known in photos]

    def _read_files(
        self, files: Sequence[HashedFile], known: Mapping[uuid.UUID, KnownPhoto]
    ) -> list[ReadPhoto]:
        def identify(
            asset_id: uuid.UUID, detections: Sequence[Detection]
        ) -> list[tuple[uuid.UUID, Detection]]:
            return place_faces(asset_id, self._change_id, known[asset_id].faces, detections)

        return self._reader.read(files, identify)


def _find_file(photo: PhotoToRead) -> tuple[HashedFile | None, str]:
    """The first file that still holds the photo, or the reason why no file does."""
    reasons = []
    for path in photo.files:
        try:
            digest, state = hash_file(path)
            if digest == photo.content_hash:
                return HashedFile(path, state, digest), ""
            reasons.append(f"{path} holds another photo by now")
        except MediaError as error:
            reasons.append(f"{path}: {error.message}")
    return None, "; ".join(reasons) or "no file of the photo is known any more"


def _reason(read: ReadPhoto | None, otherwise: str) -> str:
    return otherwise if read is None or read.failure is None else f"{read.file.path}: {read.failure}"


def _crops(photo: PhotoToRead) -> tuple[HashedFile, list[FaceInCrop]]:
    faces = [
        FaceInCrop(face.id, _detection(face), FaceQuality(**face.quality_parts), photo.width, photo.height)
        for face in photo.faces
    ]
    return HashedFile(Path(), FileState(0, 0, 0, 0), photo.content_hash), faces
