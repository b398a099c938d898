"""Erases forgotten photos: rows, embeddings, pictures, and what humans said of their faces. It is final.

The order makes a crash harmless: first the larger pictures, a cache; then, in one transaction, the rows and
the events; then the embeddings, crops and thumbnails, which without rows are orphans that
``image-search doctor --repair`` removes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from image_search_service.core.parallel import chunks
from image_search_service.core.paths import LibraryPaths
from image_search_service.core.types import Progress
from image_search_service.db.queries import erasure, events
from image_search_service.db.queries.erasure import ErasedPhotos
from image_search_service.library.stores import Stores
from image_search_service.media.derived_files import remove_file
from image_search_service.services.decisions.log import ERASED
from image_search_service.services.photos.pictures import CROP_SIDES, PICTURE_SIDES

POINTS = 1_000
"""Embeddings deleted with one request."""


@dataclass(frozen=True, slots=True)
class Erasing:
    """How much was erased. facts: what humans said of these photos and their faces."""

    photos: int = 0
    faces: int = 0
    facts: int = 0


class ErasingService:
    """Erases photos that were forgotten and of which no file exists. actor: who asked for it."""

    def __init__(self, stores: Stores, actor: str) -> None:
        self._stores = stores
        self._actor = actor

    def erase(self, paths: Sequence[Path] = (), progress: Progress | None = None) -> Erasing:
        """Erase them; with ``paths`` only those of which a file was at or below one of these.

        Raises UnavailableError if a store or the library's folder fails; the next call, or the doctor, goes
        on.
        """
        database = self._stores.database
        with database.read() as session:
            photos = erasure.forgotten_photos(session, paths)
        if not photos:
            return Erasing()
        self._stores.require_own()
        for path in _cached(self._stores.paths, photos):
            remove_file(path)
        with database.write() as session:
            events.take_turn(session)
            facts = erasure.erase(session, photos)
            details = {"photos": len(photos.assets), "faces": len(photos.faces), "persons": []}
            events.append(session, [], kind=ERASED, actor=self._actor, details=details)
        self._remove_orphans(photos, progress)
        return Erasing(len(photos.assets), len(photos.faces), facts)

    def _remove_orphans(self, photos: ErasedPhotos, progress: Progress | None) -> None:
        done = 0
        for part in chunks(photos.points, POINTS):
            self._stores.faces.delete_faces(part)
            done += len(part)
            if progress is not None:
                progress(done, len(photos.points))
        paths = self._stores.paths
        for path in (*map(paths.crop, photos.faces), *map(paths.thumbnail, photos.assets)):
            remove_file(path)


def _cached(paths: LibraryPaths, photos: ErasedPhotos) -> Iterator[Path]:
    """The larger pictures that were made for somebody who looked."""
    for side in PICTURE_SIDES[1:]:
        yield from (paths.picture(asset, side) for asset in photos.assets)
    for side in CROP_SIDES[1:]:
        yield from (paths.large_crop(face, side) for face in photos.faces)
