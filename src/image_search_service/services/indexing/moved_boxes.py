"""Carries boxes that humans drew over to what their photo's file holds now, where no detector finds them.

The box lies where the former picture lies in the present one. What its pixels show there is embedded; where
both embeddings can be told from others, they have to agree. Whoever is not carried over has lost their face,
as all others have (``edits.py``).
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from image_search_service.core.errors import InvalidInputError
from image_search_service.core.types import Box
from image_search_service.db.queries import photos
from image_search_service.db.queries.faces import LocatedFace
from image_search_service.db.queries.photos import PhotoWithFiles
from image_search_service.library.stores import Stores
from image_search_service.media.same_picture import Placement
from image_search_service.recognition.boxes import SAME_PLACE, overlap
from image_search_service.services.indexing.drawing import DrawnFaces, FaceDrawer, box_in_pixels
from image_search_service.services.indexing.reader import ReadFace
from image_search_service.vector.batching import FETCH_BATCH, EmbeddingBatch

LEAST_SHOWN = 0.5
"""Share of a box that has to lie inside of the present picture: of less nobody would say whose face it is."""


@dataclass(frozen=True, slots=True)
class MovedBox:
    """A face by hand of a former photo, and where its box lies in the present one, in shares of it."""

    face: LocatedFace
    present: uuid.UUID
    box: Box


@dataclass(slots=True)
class MovedFaces:
    """ids: the new face of each box that was carried over, by former face and present photo. drawn: the new
    faces, whose rows are not stored."""

    ids: dict[tuple[uuid.UUID, uuid.UUID], uuid.UUID] = field(default_factory=dict)
    drawn: list[DrawnFaces] = field(default_factory=list)


def moved_boxes(
    former: Sequence[LocatedFace],
    present: Sequence[LocatedFace],
    photo: uuid.UUID,
    placement: Placement | None,
) -> list[MovedBox]:
    """Where the boxes of those former faces that a human drew lie in the present photo.

    former: faces that were not found in it. Left out is what lies outside of it for the most part, and where
    another face is. placement: None if nothing says where the one picture lies in the other.
    """
    if placement is None:
        return []
    boxes = [MovedBox(face, photo, placement.place(face.box)) for face in former if face.by_hand]
    return [
        moved
        for moved in boxes
        if shown_share(moved.box) >= LEAST_SHOWN
        and all(overlap(moved.box, face.box) < SAME_PLACE for face in present)
    ]


def shown_share(box: Box) -> float:
    """How much of a box, in shares of a picture, lies inside of it."""
    width = min(1.0, box.x + box.width) - max(0.0, box.x)
    height = min(1.0, box.y + box.height) - max(0.0, box.y)
    return max(0.0, width) * max(0.0, height) / (box.width * box.height)


class BoxMover:
    """Makes faces of moved boxes from the pixels that files hold now. Raises UnavailableError."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores
        self._drawer = FaceDrawer(stores)

    def move(self, boxes: Sequence[MovedBox], files: Mapping[uuid.UUID, Sequence[Path]]) -> MovedFaces:
        """Each photo is decoded once; one fetch and one request to Qdrant for all.

        files: the files that hold each present photo, if they are not stored yet.
        """
        moved = MovedFaces()
        if not boxes:
            return moved
        with self._stores.database.read() as session:
            found = photos.photos_with_files(session, sorted({box.present for box in boxes}))
        wanted = [box.face.point_id for box in boxes]
        embeddings = self._stores.faces.get_embeddings_by_point_ids(wanted, FETCH_BATCH)
        for photo in found.values():
            here = [box for box in boxes if box.present == photo.id]
            kept, drawn = self._drawn(
                replace(photo, files=files.get(photo.id) or photo.files), here, embeddings
            )
            moved.ids |= kept
            moved.drawn += drawn
        self._drawer.store(moved.drawn)
        return moved

    def _drawn(
        self, photo: PhotoWithFiles, boxes: Sequence[MovedBox], embeddings: EmbeddingBatch
    ) -> tuple[dict[tuple[uuid.UUID, uuid.UUID], uuid.UUID], list[DrawnFaces]]:
        """The faces of one photo whose embeddings agree with what was said, by former face and photo."""
        places: list[tuple[MovedBox, Box]] = []
        for box in boxes:
            if any(overlap(box.box, other.box) >= SAME_PLACE for other, _ in places):
                continue
            with suppress(InvalidInputError):  # too little of it is left
                places.append((box, box_in_pixels(_inside(box.box), photo)))
        (drawn,) = self._drawer.embed([(photo, [place for _, place in places])])
        if drawn.read is None:
            return {}, []
        kept: dict[tuple[uuid.UUID, uuid.UUID], uuid.UUID] = {}
        faces: list[ReadFace] = []
        for (box, _), face in zip(places, drawn.read.faces, strict=True):
            if self._agree(box.face, face, embeddings):
                kept[box.face.id, photo.id] = face.id
                faces.append(face)
            else:
                self._stores.paths.crop(face.id).unlink(missing_ok=True)
        ids = [face.id for face in faces]
        return kept, [replace(drawn, ids=ids, read=replace(drawn.read, faces=faces))] if faces else []

    def _agree(self, former: LocatedFace, present: ReadFace, embeddings: EmbeddingBatch) -> bool:
        if not (former.recognizable and present.recognizable):
            return True  # the picture alone has to say it
        if former.point_id not in embeddings:
            return False
        similarity = float(np.dot(embeddings[former.point_id], present.embedding))
        return similarity >= self._stores.thresholds.same_person


def _inside(box: Box) -> tuple[float, float, float, float]:
    """The part of a box, in shares of a picture, that lies inside of it: x, y, width and height."""
    left, top = max(0.0, box.x), max(0.0, box.y)
    return left, top, min(1.0, box.x + box.width) - left, min(1.0, box.y + box.height) - top
