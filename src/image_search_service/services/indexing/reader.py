"""From files to faces: the part of indexing that costs time, and that many threads do at once.

A reader takes a few photos at a time: it decodes one after the other, so that only one decoded photo per
thread is in memory, keeps the small aligned chips of all of them, and embeds those in one call.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from image_search_service.core.errors import DataIntegrityError, MediaError, MediaUnavailableError
from image_search_service.core.files import FileState
from image_search_service.core.paths import LibraryPaths
from image_search_service.core.types import Box, FloatArray, Pixels
from image_search_service.media.decode import DecodedPhoto, decode_photo, decoded_photo, reduced
from image_search_service.media.derivatives import crop_area, write_crop, write_thumbnail
from image_search_service.media.errors import memory_errors
from image_search_service.media.hashing import require_unchanged
from image_search_service.recognition.boxes import overlap
from image_search_service.recognition.engines.base import Detection, FaceEngine, Landmarks
from image_search_service.recognition.engines.calibrated import quality_tables
from image_search_service.recognition.quality import FaceQuality, face_quality
from image_search_service.recognition.recognizability import RecognizabilityTest, visible_share

DETECTION_SIDE = 1280
"""Longest side, in pixels, of the copy that faces are looked for in. A face of 20 pixels there is 60 in a
12-megapixel photo; detection on more costs more than all the rest and finds faces too small to compare."""

IN_CROP = 0.3
"""Least intersection over union of a face found in a crop with the place where the face is."""

NAMESPACE = uuid.UUID("5b1f2f0e-6c7e-5c36-9a53-0d7d6f3b7a10")
"""Ids follow from the content, so that doing the same photo again gives the same rows and points."""


Identify = Callable[[uuid.UUID, Sequence[Detection]], Sequence[tuple[uuid.UUID, Detection]]]
"""``identify(asset_id, detections)``: the faces that a photo has, with their ids, left to right."""


@dataclass(frozen=True, slots=True)
class HashedFile:
    """A file to be read, with the SHA-256 of its content."""

    path: Path
    state: FileState
    content_hash: str
    asset_id: uuid.UUID = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "asset_id", uuid.uuid5(NAMESPACE, self.content_hash))


@dataclass(frozen=True, slots=True)
class ReadFace:
    """A face as it will be stored."""

    id: uuid.UUID
    detection: Detection
    quality: FaceQuality
    embedding: FloatArray
    recognizable: bool
    """Whether it can be told from others, see ``recognition/recognizability.py``."""


@dataclass(frozen=True, slots=True)
class ReadPhoto:
    """A photo as it will be stored: with its faces, or with the reason why it cannot be read.

    waits: the reason may pass, so that nothing is stored.
    """

    file: HashedFile
    photo: DecodedPhoto | None = None
    faces: Sequence[ReadFace] = field(default_factory=list)
    failure: str | None = None
    waits: bool = False


@dataclass(frozen=True, slots=True)
class FaceInCrop:
    """A face whose photo cannot be read: where it is in the photo (``width`` × ``height`` pixels), of which
    its crop shows a part."""

    id: uuid.UUID
    detection: Detection
    quality: FaceQuality
    width: int
    height: int


def number_faces(
    asset_id: uuid.UUID, detections: Sequence[Detection]
) -> Sequence[tuple[uuid.UUID, Detection]]:
    """The ids that faces get when a photo is indexed: by their position."""
    return [(face_id(asset_id, position), face) for position, face in enumerate(detections)]


@dataclass(frozen=True, slots=True)
class _AlignedFace:
    """A face between alignment and embedding."""

    id: uuid.UUID
    detection: Detection
    chip: Pixels
    quality: FaceQuality
    visible: float
    """Share of the face that is inside of the photo."""


class PhotoReader:
    """Reads photos with one engine. Safe to use from several threads."""

    def __init__(self, engine: FaceEngine, paths: LibraryPaths, *, max_pixels: int) -> None:
        self._engine = engine
        self._paths = paths
        self._max_pixels = max_pixels
        self._tables = quality_tables(engine.calibration)
        self._recognizability = RecognizabilityTest(engine)

    def release(self) -> None:
        """After many photos: give back memory that a few do not need."""
        self._engine.release()

    def read(self, files: Sequence[HashedFile], identify: Identify = number_faces) -> list[ReadPhoto]:
        """Decode, detect, align and embed; makes thumbnails and crops on the way."""
        return self._embed([self._find_faces(file, identify) for file in files])

    def read_crops(self, photos: Sequence[tuple[HashedFile, Sequence[FaceInCrop]]]) -> list[ReadPhoto]:
        """Embed known faces from their crops, where there are any: nothing is detected or written."""
        return self._embed([(ReadPhoto(file), self._open_crops(faces)) for file, faces in photos])

    def read_drawn(self, file: HashedFile, drawn: Sequence[tuple[uuid.UUID, Box]]) -> ReadPhoto:
        """Embed faces whose boxes, in pixels of the upright photo, somebody drew, and write their crops;
        nothing else is looked for."""
        try:
            with decoded_photo(file.path, max_pixels=self._max_pixels) as photo:
                faces = [
                    self._prepare(photo, id_, self._look_closer(photo.pixels, box)) for id_, box in drawn
                ]
                for face in faces:
                    write_crop(photo.pixels, face.detection.box, self._paths.crop(face.id))
        except MediaError as error:
            return ReadPhoto(file, failure=error.message)
        return self._embed([(ReadPhoto(file, photo.without_pixels()), faces)])[0]

    def _look_closer(self, pixels: Pixels, box: Box) -> Detection:
        """A drawn box with the landmarks that the engine finds in it when it sees nothing but its
        surroundings; else with those that a face in the middle of the box has, and no confidence."""
        height, width = pixels.shape[:2]
        left, top = max(0, int(box.x - box.width)), max(0, int(box.y - box.height))
        right = min(width, int(box.x + 2 * box.width) + 1)
        bottom = min(height, int(box.y + 2 * box.height) + 1)
        part, factor = reduced(pixels[top:bottom, left:right], DETECTION_SIDE)
        found = [face.scaled(1 / factor).moved(left, top) for face in self._engine.detect(part)]
        fitting = [face for face in found if overlap(face.box, box) >= IN_CROP]
        if not fitting:
            return Detection(box, usual_landmarks(box), 0.0)
        best = max(fitting, key=lambda face: overlap(face.box, box))
        return Detection(box, best.landmarks, best.confidence)

    def _embed(self, photos: Sequence[tuple[ReadPhoto, list[_AlignedFace]]]) -> list[ReadPhoto]:
        """Embed the faces of all photos in one call; if the model fails, photo by photo, so that one is
        lost."""
        try:
            every = [face for _, faces in photos for face in faces]
            embeddings, lengths = self._engine.embed_with_lengths([face.chip for face in every])
        except DataIntegrityError as error:
            if len(photos) == 1:
                return [ReadPhoto(photos[0][0].file, failure=error.message, waits=True)]
            return [read for photo in photos for read in self._embed([photo])]
        visible = np.array([face.visible for face in every], np.float32)
        passes = self._recognizability.passes(embeddings, lengths, visible)
        rows = zip(embeddings, passes.tolist(), strict=True)
        return [replace(read, faces=self._read_faces(faces, rows)) for read, faces in photos]

    def _read_faces(
        self, faces: Sequence[_AlignedFace], rows: Iterator[tuple[FloatArray, bool]]
    ) -> list[ReadFace]:
        return [
            ReadFace(
                face.id,
                face.detection,
                face.quality,
                embedding,
                recognizable,
            )
            for face, (embedding, recognizable) in zip(faces, rows, strict=False)
        ]

    def _find_faces(self, file: HashedFile, identify: Identify) -> tuple[ReadPhoto, list[_AlignedFace]]:
        try:
            with memory_errors():
                return self._open(file, identify)
        except MediaError as error:
            return ReadPhoto(file, failure=error.message, waits=isinstance(error, MediaUnavailableError)), []

    def _open(self, file: HashedFile, identify: Identify) -> tuple[ReadPhoto, list[_AlignedFace]]:
        with decoded_photo(file.path, max_pixels=self._max_pixels) as photo:
            require_unchanged(file.path, file.state)
            small, factor = reduced(photo.pixels, DETECTION_SIDE)
            detections = [face.scaled(1 / factor) for face in self._engine.detect(small)]
            faces = [self._prepare(photo, *face) for face in identify(file.asset_id, detections)]
            self._write_derivatives(file.asset_id, photo, small, faces)
            return ReadPhoto(file, photo.without_pixels()), faces

    def _prepare(self, photo: DecodedPhoto, face_id: uuid.UUID, detection: Detection) -> _AlignedFace:
        chip = self._engine.align(photo.pixels, detection)
        visible = visible_share(detection.box, width=photo.width, height=photo.height)
        quality = face_quality(detection, chip, self._tables)
        return _AlignedFace(face_id, detection, chip, quality, visible)

    def _open_crops(self, faces: Sequence[FaceInCrop]) -> list[_AlignedFace]:
        aligned = []
        for face in faces:
            chip = self._chip_from_crop(face)
            if chip is not None:
                visible = visible_share(face.detection.box, width=face.width, height=face.height)
                aligned.append(_AlignedFace(face.id, face.detection, chip, face.quality, visible))
        return aligned

    def _chip_from_crop(self, face: FaceInCrop) -> Pixels | None:
        """The face as the engine sees it in its crop; None without a crop.

        If the engine finds no face there, what is stored of its place has to do.
        """
        try:
            crop = decode_photo(self._paths.crop(face.id), max_pixels=self._max_pixels)
        except MediaError:
            return None
        area = crop_area(face.detection.box, width=face.width, height=face.height)
        place = face.detection.in_part(area, width=crop.width)
        detections = [
            detection
            for detection in self._engine.detect(crop.pixels)
            if overlap(detection.box, place.box) >= IN_CROP
        ]
        best = max(detections, key=lambda detection: overlap(detection.box, place.box), default=place)
        return self._engine.align(crop.pixels, best)

    def _write_derivatives(
        self, asset_id: uuid.UUID, photo: DecodedPhoto, small: Pixels, faces: Sequence[_AlignedFace]
    ) -> None:
        write_thumbnail(small, self._paths.thumbnail(asset_id))
        for face in faces:
            write_crop(photo.pixels, face.detection.box, self._paths.crop(face.id))


def usual_landmarks(box: Box) -> Landmarks:
    """Where an upright face that fills the box has eyes, nose and corners of the mouth."""
    shares = ((0.3, 0.4), (0.7, 0.4), (0.5, 0.6), (0.35, 0.78), (0.65, 0.78))
    return tuple((box.x + x * box.width, box.y + y * box.height) for x, y in shares)


def face_id(asset_id: uuid.UUID, position: int) -> uuid.UUID:
    """The id of the photo's face number ``position`` from the left; also the id of its point in Qdrant."""
    return uuid.uuid5(asset_id, f"face {position}")


__all__ = ["FaceInCrop", "HashedFile", "PhotoReader", "ReadFace", "ReadPhoto", "face_id"]
