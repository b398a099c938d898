"""What indexing writes for a photo: its rows in SQL and its points in Qdrant. Pure functions."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from pathlib import Path

from image_search_service.core.files import FileState
from image_search_service.db.models import utc_now
from image_search_service.db.queries.batches import Row
from image_search_service.media.decode import DECODER
from image_search_service.services.indexing.reader import HashedFile, ReadFace, ReadPhoto
from image_search_service.vector.collections import FacePayload, FacePoint


def asset_row(read: ReadPhoto) -> Row:
    photo = read.photo
    return {
        "id": read.file.asset_id,
        "content_hash": read.file.content_hash,
        "format": photo.format if photo else None,
        "width": photo.width if photo else None,
        "height": photo.height if photo else None,
        "taken_at": photo.taken_at if photo else None,
        "failure": read.failure,
        "failed_with": None if read.failure is None else DECODER,
    }


def path_row(file: HashedFile, asset_id: uuid.UUID, run: int) -> Row:
    return {
        "path": file.path,
        "asset_id": asset_id,
        **file.state._asdict(),
        "seen_in_run": run,
        "missing_since": None,
        "excluded": False,
    }


def gone_path_row(path: Path, asset_id: uuid.UUID, run: int) -> Row:
    """A file that is gone, and the photo that was made of the one that it held, which is in another file:
    should it come back, it looks changed."""
    state = FileState(size=-1, modified_ns=0, changed_ns=0, inode=0)
    return {
        "path": path,
        "asset_id": asset_id,
        **state._asdict(),
        "seen_in_run": run,
        "missing_since": utc_now(),
        "excluded": False,
    }


def face_rows(read: ReadPhoto) -> list[Row]:
    taken_at = read.photo.taken_at if read.photo else None
    return [
        {**_face_row(read.file.asset_id, position, face), "taken_at": taken_at}
        for position, face in enumerate(read.faces)
    ]


def drawn_rows(read: ReadPhoto, first_position: int) -> list[Row]:
    """Rows of faces by hand, which a decision in the same transaction makes faces."""
    rows = face_rows(read)
    return [
        {**row, "position": first_position + number, "by_hand": True, "is_face": False}
        for number, row in enumerate(rows)
    ]


def _face_row(asset_id: uuid.UUID, position: int, face: ReadFace) -> Row:
    box = face.detection.box
    return {
        "id": face.id,
        "asset_id": asset_id,
        "position": position,
        "qdrant_point_id": face.id,
        "box_x": box.x,
        "box_y": box.y,
        "box_width": box.width,
        "box_height": box.height,
        "landmarks": [list(point) for point in face.detection.landmarks],
        "detection_confidence": face.detection.confidence,
        "quality_score": face.quality.score,
        "quality_parts": face.quality.parts(),
        "recognizable": face.recognizable,
    }


def face_points(reads: Iterable[ReadPhoto]) -> list[FacePoint]:
    return [_face_point(read.file.asset_id, face) for read in reads for face in read.faces]


def _face_point(asset_id: uuid.UUID, face: ReadFace) -> FacePoint:
    payload = FacePayload(
        face_instance_id=face.id,
        asset_id=asset_id,
        quality_score=face.quality.score,
        detection_confidence=face.detection.confidence,
        recognizable=face.recognizable,
    )
    return FacePoint(face.id, face.embedding, payload)
