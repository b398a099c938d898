"""From a photo and what SQL knows of its faces to what got lost: embeddings, crops, the thumbnail.

The stored box and landmarks are used, so that nothing is detected anew and a face stays the face that
somebody may have named. A file is used only if it still holds the photo that the faces were found in.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from uuid import UUID

from image_search_service.core.errors import DataIntegrityError, MediaError
from image_search_service.core.paths import LibraryPaths
from image_search_service.core.types import FloatArray, Pixels
from image_search_service.media.decode import decode_photo, reduced
from image_search_service.media.derivatives import write_crop, write_thumbnail
from image_search_service.media.hashing import content_hash
from image_search_service.recognition.engines.base import Detection, FaceEngine
from image_search_service.services.indexing.reader import DETECTION_SIDE


@dataclass(frozen=True, slots=True)
class LostFace:
    """A face whose embedding or crop is missing, and its place in its photo, in pixels.

    has_point: whether Qdrant has its point, even without an embedding.
    """

    id: UUID
    point_id: UUID
    detection: Detection
    has_point: bool


@dataclass(frozen=True, slots=True)
class LostPhoto:
    """A photo of which the thumbnail, or something of its faces, is missing.

    files: its present and former paths. embeddings, crops: the faces that need one.
    """

    asset_id: UUID
    content_hash: str
    files: Sequence[Path] = ()
    embeddings: Sequence[LostFace] = ()
    crops: Sequence[LostFace] = ()
    thumbnail: bool = False


@dataclass(frozen=True, slots=True)
class RestoredPhoto:
    """The result for a photo. embeddings: ``(d,)`` float32 of unit length for each face that needed one.

    unread: why no file could be used. not_embedded: why the faces could not be embedded.
    """

    photo: LostPhoto
    embeddings: Sequence[FloatArray] = ()
    unread: str | None = None
    not_embedded: str | None = None


@dataclass(frozen=True, slots=True)
class _OpenedPhoto:
    result: RestoredPhoto
    chips: list[Pixels] = field(default_factory=list)


class PhotoRestorer:
    """Recreates lost embeddings and pictures. Safe to use from several threads.

    ``open_engine`` is called only if there is a face to embed.
    """

    def __init__(
        self, open_engine: Callable[[], FaceEngine], paths: LibraryPaths, *, max_pixels: int
    ) -> None:
        self.open_engine = open_engine
        self._paths = paths
        self._max_pixels = max_pixels

    def restore(self, photos: Sequence[LostPhoto]) -> list[RestoredPhoto]:
        """Decodes each photo once, writes its pictures, and embeds the faces of all in one call.

        Raises UnavailableError if the disk does not take a picture.
        """
        return self._embed([self._open(photo) for photo in photos])

    def _open(self, photo: LostPhoto) -> _OpenedPhoto:
        pixels, reason = self._pixels(photo)
        if pixels is None:
            return _OpenedPhoto(RestoredPhoto(photo, unread=reason, not_embedded=reason))
        if photo.thumbnail:
            write_thumbnail(reduced(pixels, DETECTION_SIDE)[0], self._paths.thumbnail(photo.asset_id))
        for face in photo.crops:
            write_crop(pixels, face.detection.box, self._paths.crop(face.id))
        chips = [self.open_engine().align(pixels, face.detection) for face in photo.embeddings]
        return _OpenedPhoto(RestoredPhoto(photo), chips)

    def _pixels(self, photo: LostPhoto) -> tuple[Pixels | None, str]:
        """The photo from the first file that still holds it, or why there is none."""
        reasons = []
        for path in photo.files:
            try:
                if content_hash(path) == photo.content_hash:
                    return decode_photo(path, max_pixels=self._max_pixels).pixels, ""
                reasons.append(f"{path} holds another photo by now")
            except MediaError as error:
                reasons.append(f"{path}: {error.message}")
        return None, "; ".join(reasons) or "no file of the photo is known any more"

    def _embed(self, opened: Sequence[_OpenedPhoto]) -> list[RestoredPhoto]:
        """All faces in one call; if the model fails, photo by photo, so that only one is lost."""
        chips = [chip for item in opened for chip in item.chips]
        if not chips:
            return [item.result for item in opened]
        try:
            rows = iter(self.open_engine().embed(chips))
        except DataIntegrityError as error:
            if len(opened) == 1:
                return [replace(opened[0].result, not_embedded=error.message)]
            return [result for item in opened for result in self._embed([item])]
        return [replace(item.result, embeddings=[next(rows) for _ in item.chips]) for item in opened]
