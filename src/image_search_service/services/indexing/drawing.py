"""Embeds faces whose boxes somebody drew, from the pixels of their photos: what happens before a decision."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from image_search_service.core.errors import InvalidInputError, MediaError
from image_search_service.core.types import Box
from image_search_service.db.queries import photos
from image_search_service.db.queries.batches import Row
from image_search_service.db.queries.photos import PhotoWithFiles
from image_search_service.db.session import Session
from image_search_service.library.stores import Stores
from image_search_service.media.hashing import hash_file
from image_search_service.services.indexing.reader import HashedFile, PhotoReader, ReadPhoto
from image_search_service.services.indexing.rows import drawn_rows, face_points
from image_search_service.services.metadata.names import MetadataNamesService
from image_search_service.services.metadata.undetected import StoreDrawn, UndetectedFace
from image_search_service.vector.batching import FETCH_BATCH

LEAST_SIDE = 8
"""Pixels that each side of a drawn box has at least: of less nothing can be said."""


@dataclass(frozen=True, slots=True)
class DrawnFaces:
    """Faces that were drawn in one photo, embedded. failure: why they could not be."""

    photo: PhotoWithFiles
    ids: Sequence[uuid.UUID] = ()
    read: ReadPhoto | None = None
    failure: str | None = None

    def rows(self, first_position: int) -> list[Row]:
        return [] if self.read is None else drawn_rows(self.read, first_position)


def box_in_pixels(numbers: Sequence[float], photo: PhotoWithFiles) -> Box:
    """x, y, width and height as they were given, in pixels of the upright photo; what reaches over its edge
    is cut off.

    Four numbers of at most 1 are shares of the photo's width and height, others are pixels.
    Raises InvalidInputError for a box outside of the photo or too small to show a face.
    """
    x, y, width, height = numbers
    if all(0 <= number <= 1 for number in numbers):
        x, width = x * photo.width, width * photo.width
        y, height = y * photo.height, height * photo.height
    left, top = max(0.0, x), max(0.0, y)
    right, bottom = min(float(photo.width), x + width), min(float(photo.height), y + height)
    if not (right - left >= LEAST_SIDE and bottom - top >= LEAST_SIDE):
        raise InvalidInputError(
            f"The box has to have {LEAST_SIDE} × {LEAST_SIDE} pixels at least inside of the photo of "
            f"{photo.width} × {photo.height}.",
            hint="x, y, width and height are pixels of the upright photo, or all are shares from 0 to 1.",
        )
    return Box(left, top, right - left, bottom - top)


class FaceDrawer:
    """Embeds drawn faces and stores their embeddings and crops; their rows come with the decision."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores

    def draw(self, drawn: Iterable[tuple[PhotoWithFiles, Sequence[Box]]]) -> list[DrawnFaces]:
        """Each photo is decoded once; one request to Qdrant for all. boxes: in pixels.

        Raises UnavailableError when the engine's models or a store cannot be had, LostEmbeddingsError.
        """
        made = self.embed(drawn)
        self.store(made)
        return made

    def embed(self, drawn: Iterable[tuple[PhotoWithFiles, Sequence[Box]]]) -> list[DrawnFaces]:
        """The same, without storing the embeddings: their crops are written."""
        stores = self._stores
        stores.require_embeddings()
        reader = PhotoReader(stores.engine, stores.paths, max_pixels=stores.max_pixels)
        return [_drawn(reader, photo, boxes) for photo, boxes in drawn]

    def store(self, made: Sequence[DrawnFaces]) -> None:
        """Store the embeddings; one request to Qdrant."""
        self._stores.faces.upsert_faces(face_points([each.read for each in made if each.read is not None]))

    def draw_regions(self, regions: Sequence[UndetectedFace]) -> StoreDrawn:
        """Faces of regions in photos' metadata. What is too small, or whose photo cannot be read, is left
        out; the answer stores the rows of the others and returns their ids."""
        boxes: dict[uuid.UUID, list[Box]] = {}
        with self._stores.database.read() as session:
            found = photos.photos_with_files(session, list({region.asset_id for region in regions}))
        for region in regions:
            with suppress(InvalidInputError, KeyError):
                box = region.box.scaled_by(found[region.asset_id].width, found[region.asset_id].height)
                numbers = (box.x, box.y, box.width, box.height)
                boxes.setdefault(region.asset_id, []).append(box_in_pixels(numbers, found[region.asset_id]))
        made = self.draw((found[asset_id], drawn) for asset_id, drawn in boxes.items())

        def store(session: Session) -> list[uuid.UUID]:
            positions = photos.next_positions(session, [drawn.photo.id for drawn in made])
            rows = [row for drawn in made for row in drawn.rows(positions[drawn.photo.id])]
            photos.save_faces(session, rows)
            return [row["id"] for row in rows]

        return store


def names_service(stores: Stores, actor: str) -> MetadataNamesService:
    """The service for names in metadata, which makes faces of named regions where none was found, and leaves
    out regions that were measured in another picture."""
    return MetadataNamesService(
        stores.database,
        actor,
        workers=stores.settings.workers,
        drawer=FaceDrawer(stores),
        comparer=FaceComparer(stores),
    )


class FaceComparer:
    """Tells whether faces may be one person's. Raises UnavailableError."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores

    def alike(self, pairs: Sequence[tuple[uuid.UUID, uuid.UUID]]) -> list[bool]:
        """Of each pair of points whether they may be; one fetch. Not, if Qdrant lacks one of them."""
        wanted = sorted({point for pair in pairs for point in pair})
        found = self._stores.faces.get_embeddings_by_point_ids(wanted, FETCH_BATCH) if wanted else {}
        threshold = self._stores.thresholds.same_person if wanted else 0.0
        return [
            a in found and b in found and float(np.dot(found[a], found[b])) >= threshold for a, b in pairs
        ]


def _drawn(reader: PhotoReader, photo: PhotoWithFiles, boxes: Sequence[Box]) -> DrawnFaces:
    reasons = []
    ids = [uuid.uuid4() for _ in boxes]
    for path in photo.files:
        try:
            digest, state = hash_file(path)
            if digest != photo.content_hash:
                reasons.append(f"{path} holds another photo by now")
                continue
        except MediaError as error:
            reasons.append(f"{path}: {error.message}")
            continue
        file = HashedFile(path, state, digest)
        read = reader.read_drawn(file, list(zip(ids, boxes, strict=True)))
        if read.failure is None:
            return DrawnFaces(photo, ids, read)
        reasons.append(f"{path}: {read.failure}")
    return DrawnFaces(photo, failure="; ".join(reasons) or "no file of the photo is known any more")
