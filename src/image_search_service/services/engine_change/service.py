"""Moves a library to another face engine; whatever was said of its faces stays said.

All faces are found and embedded anew, into a collection of the new engine, while the library goes on with
the former one: what has been found is staged in tables of its own. When every photo is done, one
transaction puts the staged places into the rows of the faces and binds the library to the new engine. Only
then are the former engine's collections removed. So it may be interrupted at any moment: before that
transaction the library is as it was, and the same command goes on where it stopped; after it, the library
is the new engine's.

A face that lies where one lay keeps its row and its id, so that names, rejections, groups, the history and
its undo hold of it without a change. A face that nobody spoke of and that the new engine does not find is
dropped. One that somebody spoke of stays where it was and is embedded from there, so that no decision
speaks of a face that is gone; these are reported.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

from image_search_service.core.errors import ConflictError, NotFoundError
from image_search_service.core.parallel import chunks, map_ahead, thread_pool
from image_search_service.core.paths import LibraryPaths
from image_search_service.core.types import EngineIdentity, Progress
from image_search_service.db.models import EngineChange
from image_search_service.db.queries import events, library
from image_search_service.db.queries.engine_change import changes, staging
from image_search_service.db.session import Database
from image_search_service.services.engine_change.applying import Applying, EngineChangeReport
from image_search_service.services.engine_change.reading import (
    KnownPhoto,
    PhotoAnew,
    RereadPhotos,
    known_photo,
)
from image_search_service.services.indexing.indexer import READ_BATCH, READS_AHEAD, STORE_BATCH
from image_search_service.services.indexing.reader import PhotoReader
from image_search_service.vector.face_qdrant import FaceQdrantClient

PAGE = 1_000
"""Rows in a statement and points in a request, where all are looked at."""
PHOTOS = 250
"""Photos whose faces are looked up together."""


@dataclass(frozen=True, slots=True)
class NewEngine:
    """The engine that a library is moved to. files: as in ``Library.engine_files``."""

    identity: EngineIdentity
    files: Mapping[str, str]


class EngineChangeService:
    """Finds all faces of one library anew and binds it to the engine that found them.

    vectors: the new engine's collection. reader: reads photos with the new engine.
    """

    def __init__(
        self,
        database: Database,
        vectors: FaceQdrantClient,
        reader: PhotoReader,
        paths: LibraryPaths,
        target: NewEngine,
        *,
        workers: int,
    ) -> None:
        self._database = database
        self._vectors = vectors
        self._reader = reader
        self.target = target.identity
        self._files = target.files
        self._paths = paths
        self._workers = workers

    def run(self, progress: Progress | None = None) -> EngineChangeReport:
        """Find what has not been found anew yet, then bind the library to the new engine.

        ``progress`` is told the photos read and how many there are to read. Raises NotFoundError for a
        library that has no engine yet, ConflictError if it has this one or is being moved to another one,
        UnavailableError when a store fails; the next call goes on.
        """
        with self._database.turn("index", lambda: progress(0, None) if progress else None):
            change = self._begin()
            self._vectors.ensure_collection()
            while True:
                self._read_photos(change.id, progress)
                report = self._apply(change)
                if report is not None:
                    return report

    def _begin(self) -> EngineChange:
        """The move as far as it has come, or a new one. Photos that could not be read are tried again."""
        with self._database.write() as session:
            row = library.get_library(session)
            if row is None:
                raise NotFoundError("The library is empty.", hint="Index photos: image-search index FOLDER.")
            bound = EngineIdentity(row.engine_name, row.engine_checksum, row.dimension)
            change = changes.unfinished_change(session)
            if change is None:
                if bound == self.target:
                    raise ConflictError(f"The library has the engine {bound.name} already.")
                change = changes.begin_change(session, bound, self.target, self._files)
            elif change.applied_at is not None or change.target != self.target:
                raise ConflictError(
                    f"The library is being moved to the engine {change.engine_name}.",
                    hint=f"Go on with that: image-search engine {change.engine_name}; "
                    f"or give it up: image-search engine {change.former_name}.",
                )
            staging.forget_staged(session, staging.unread_photos(session))
            session.expunge_all()
            return change

    def _read_photos(self, change_id: int, progress: Progress | None) -> None:
        reread = RereadPhotos(self._reader, change_id)
        with self._database.read() as session:
            total = staging.count_unstaged(session)
        done = 0
        with thread_pool(self._workers, "reread") as pool:
            batches = chunks(self._unread(), READ_BATCH)
            read = map_ahead(pool, reread.read, batches, self._workers * READS_AHEAD)
            for photos in chunks(chain.from_iterable(read), STORE_BATCH):
                self._stage(photos)
                done += len(photos)
                if progress is not None:
                    progress(done, total)

    def _unread(self) -> Iterator[KnownPhoto]:
        after: uuid.UUID | None = None
        while True:
            with self._database.read() as session:
                page = staging.unstaged_photos(session, after, PHOTOS)
                ids = [face.id for photo in page for face in photo.faces]
                spoken = staging.spoken_of(session, ids)
                session.expunge_all()
            if not page:
                return
            yield from (known_photo(photo, spoken) for photo in page)
            after = page[-1].asset_id

    def _stage(self, photos: Sequence[PhotoAnew]) -> None:
        """Qdrant first, so that what is staged has its embedding."""
        self._vectors.upsert_faces(point for photo in photos for point in photo.points())
        with self._database.write() as session:
            staging.save_staged(
                session,
                [photo.photo_row() for photo in photos],
                [row for photo in photos for row in photo.face_rows()],
            )

    def _apply(self, change: EngineChange) -> EngineChangeReport | None:
        """Bind the library to the new engine; None if some photos have to be read once more before."""
        if self._reread_without_point():
            return None
        with self._database.write() as session:
            events.take_turn(session)
            if staging.count_unstaged(session):
                return None
            applied = Applying(session, change)
            again = applied.run()
            if not again:
                changes.bind_to_new_engine(session, change)
            else:
                session.rollback()
        if not again:
            self._remove_crops(applied.dropped)
            return applied.report
        with self._database.write() as session:
            staging.forget_staged(session, again)
        return None

    def _remove_crops(self, face_ids: Sequence[uuid.UUID]) -> None:
        """Of faces that are gone; should that be interrupted, `doctor --repair` removes the rest."""
        for face_id in face_ids:
            self._paths.crop(face_id).unlink(missing_ok=True)

    def _reread_without_point(self) -> bool:
        """Whether embeddings are missing that had been stored, as in a library restored from a backup."""
        incomplete: list[uuid.UUID] = []
        after: uuid.UUID | None = None
        while True:
            with self._database.read() as session:
                page = staging.staged_face_page(session, after, PAGE)
            if not page:
                break
            there = self._vectors.retrieve_stored([face_id for face_id, _ in page])
            incomplete += [asset_id for face_id, asset_id in page if face_id not in there]
            after = page[-1][0]
        if incomplete:
            with self._database.write() as session:
                staging.forget_staged(session, sorted(set(incomplete)))
        return bool(incomplete)
