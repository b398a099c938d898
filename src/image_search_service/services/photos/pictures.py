"""Pictures of photos and faces, by size. The small ones are made by indexing; a larger one is made from the
photo's file when somebody first looks at it, and kept in the library's folder. A photo's own file is never
given out: it may be of a format that no browser shows, and it says more than a picture does (where it was
taken, with what)."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from weakref import WeakValueDictionary

from image_search_service.core.errors import MediaError, NotFoundError, UnavailableError
from image_search_service.core.files import has_vanished
from image_search_service.core.types import Pixels
from image_search_service.db.queries import photo_lists
from image_search_service.library.stores import Stores
from image_search_service.media.decode import decode_photo
from image_search_service.media.derivatives import face_crop, picture, write_atomically
from image_search_service.services.existing import required

PICTURE_SIDES: Final = (320, 640, 1024, 1600, 2560)
"""Longer sides, in pixels, in which a photo's picture can be had; the first is the thumbnail."""
CROP_SIDES: Final = (192, 512)
"""The same of a face; the first is made by indexing."""
DECODES: Final = 2
"""Photos that are decoded at a time: each takes up to four bytes a pixel, and one processor."""
WAITING: Final = 12
"""Requests that may wait for that, each in one of the server's threads; others are told to come again."""
WAIT_SECONDS: Final = 30.0
INDEX_HINT: Final = "It is made when its photo is indexed; index it again: image-search index FOLDER."
DRIVE_HINT: Final = "Is its drive disconnected? The thumbnail can still be shown."


class _PictureLock:
    """A lock for one picture, so that no two threads make it at the same time."""

    def __init__(self) -> None:
        self.lock = threading.Lock()


class PictureService:
    """Gives pictures as JPEG. One for each library: it limits how many photos are decoded at a time.

    Raises NotFoundError for a photo or face that there is not, and where all files of the photo are away,
    MediaError for a file that cannot be read, UnavailableError when too many wait already.
    """

    def __init__(self, stores: Stores) -> None:
        self._database = stores.database
        self._paths = stores.paths
        self._max_pixels = stores.max_pixels
        self._decoding = threading.BoundedSemaphore(DECODES)
        self._waiting = threading.BoundedSemaphore(WAITING)
        self._guard = threading.Lock()
        self._turns: WeakValueDictionary[Path, _PictureLock] = WeakValueDictionary()

    def thumbnail(self, asset_id: uuid.UUID) -> bytes:
        """A photo, 320 pixels."""
        return _read(self._paths.thumbnail(asset_id), f"There is no thumbnail of the photo {asset_id}.")

    def crop(self, face_id: uuid.UUID) -> bytes:
        """A face with some margin, 192 pixels."""
        return _read(self._paths.crop(face_id), f"There is no picture of the face {face_id}.")

    def picture(self, asset_id: uuid.UUID, side: int) -> bytes:
        """A photo, upright, its longer side at most ``side`` pixels, one of ``PICTURE_SIDES``."""
        if side == PICTURE_SIDES[0]:
            return self.thumbnail(asset_id)
        return self._kept(self._paths.picture(asset_id, side), lambda: picture(self._pixels(asset_id), side))

    def large_crop(self, face_id: uuid.UUID, side: int) -> bytes:
        """A face with some margin, its longer side at most ``side`` pixels, one of ``CROP_SIDES``."""
        if side == CROP_SIDES[0]:
            return self.crop(face_id)
        return self._kept(self._paths.large_crop(face_id, side), lambda: self._cut(face_id, side))

    def _cut(self, face_id: uuid.UUID, side: int) -> bytes:
        with self._database.read() as session:
            asset_id, box = required(photo_lists.place_of_face(session, face_id), "face", face_id)
        return face_crop(self._pixels(asset_id), box, side)

    def _kept(self, path: Path, make: Callable[[], bytes]) -> bytes:
        """The picture in this file, made first if it is not there."""
        if (kept := _content(path)) is not None:
            return kept
        with self._turn(path):
            if (kept := _content(path)) is not None:
                return kept
            made = make()
            write_atomically(path, made)
            return made

    @contextmanager
    def _turn(self, path: Path) -> Iterator[None]:
        with self._guard:
            turn = self._turns.setdefault(path, _PictureLock())
        if not self._waiting.acquire(blocking=False):
            raise UnavailableError("Many pictures are being made already.", hint="Ask again in a moment.")
        try:
            with turn.lock:
                yield
        finally:
            self._waiting.release()

    def _pixels(self, asset_id: uuid.UUID) -> Pixels:
        """The photo, upright, from the first of its files that can be read."""
        with self._database.read() as session:
            required(photo_lists.photo_by_id(session, asset_id), "photo", asset_id)
            files = photo_lists.files_of(session, asset_id)
        if not self._decoding.acquire(timeout=WAIT_SECONDS):
            raise UnavailableError("Other photos take long to decode.", hint="Ask again in a moment.")
        try:
            return self._decoded([file for file in files if not has_vanished(file)], asset_id)
        finally:
            self._decoding.release()

    def _decoded(self, files: list[Path], asset_id: uuid.UUID) -> Pixels:
        unreadable: MediaError | None = None
        for file in files:
            try:
                return decode_photo(file, max_pixels=self._max_pixels).pixels
            except MediaError as error:
                unreadable = error
        if unreadable is not None:
            raise unreadable
        raise NotFoundError(f"No file of the photo {asset_id} is there.", hint=DRIVE_HINT)


def _content(path: Path) -> bytes | None:
    """None for a file that is not there, or empty, as a power cut can leave it. Raises UnavailableError."""
    try:
        return path.read_bytes() or None
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UnavailableError(
            f"{path} cannot be read: {error.strerror}.", hint="Give access to the library's folder."
        ) from error


def _read(path: Path, missing: str) -> bytes:
    content = _content(path)
    if content is None:
        raise NotFoundError(missing, hint=INDEX_HINT)
    return content
