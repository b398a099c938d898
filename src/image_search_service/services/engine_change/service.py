"""Moves a library to another face engine and keeps all decisions about its faces.

All faces are found and embedded anew, into a collection of the new engine, while the library goes on with the
former one: results are staged in tables of their own. When every photo is done, one transaction copies the
staged places into the rows of the faces and binds the library to the new engine. Only then are the former
engine's collections removed. So it may be interrupted at any moment: before that transaction the library is
as it was, and the same command continues where it stopped; after it, the library is the new engine's.

A new face in the place of a known one keeps that face's row and id, so that names, rejections, groups,
history and undo stay valid without a change. A face without any decision that the new engine does not find is
deleted. A face with a decision stays where it was and is embedded from there, so that no decision refers to a
deleted face; these faces are reported.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from image_search_service.core.errors import ConflictError
from image_search_service.core.paging import keyset_pages
from image_search_service.core.parallel import chunks, map_ahead, thread_pool
from image_search_service.core.types import Progress
from image_search_service.db.models import EngineChange
from image_search_service.db.queries import events, library
from image_search_service.db.queries.engine_change import changes, staging
from image_search_service.library.engine import identity_of
from image_search_service.library.stores import Stores
from image_search_service.media.derived_files import remove_half_written
from image_search_service.recognition.engines.base import FaceEngine
from image_search_service.services.engine_change.applying import Applying, EngineChangeReport
from image_search_service.services.engine_change.reading import (
    KnownPhoto,
    PhotoRereader,
    RereadPhoto,
    known_photo,
)
from image_search_service.services.indexing.indexer import READ_BATCH, READS_AHEAD, STORE_BATCH
from image_search_service.services.indexing.reader import PhotoReader

PAGE = 1_000
"""Rows in a statement and points in a request, where all are looked at."""
PHOTOS = 250
"""Photos whose faces are looked up together."""


class EngineChangeService:
    """Finds all faces of one library anew with ``engine`` and binds the library to it.

    files: the paths that were given for the engine, as in ``LibraryRow.engine_files``.
    Raises NotFoundError for a library that is bound to no engine.
    """

    def __init__(self, stores: Stores, engine: FaceEngine, files: Mapping[str, str]) -> None:
        self.target = engine.identity
        self._stores = stores
        self._database = stores.database
        self._paths = stores.paths
        self._workers = stores.settings.workers
        self._files = files
        self._vectors = stores.collections.faces_of(engine.identity, stores.binding.require_row().uid)
        self._reader = PhotoReader(engine, stores.paths, max_pixels=stores.max_pixels)

    def run(self, progress: Progress | None = None) -> EngineChangeReport:
        """Find what has not been found anew yet, then bind the library to the new engine.

        ``progress`` is told the photos read and how many there are to read. Raises ConflictError if the
        library is being moved to another engine, UnavailableError when a store fails; the next call goes on.
        """
        with self._database.turn("index", lambda: progress(0, None) if progress else None):
            self._stores.require_own()
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
            assert row is not None  # noqa: S101 - without a row there is no service
            change = changes.unfinished_change(session)
            if change is None:
                change = changes.begin_change(session, identity_of(row), self.target, self._files)
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
        reread = PhotoRereader(self._reader, change_id)
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
        """What is still to be read: a few statements and a transaction for each page."""

        def read_page(after: uuid.UUID | None) -> list[KnownPhoto]:
            with self._database.read() as session:
                page = staging.unstaged_photos(session, after, PHOTOS)
                ids = [face.id for photo in page for face in photo.faces]
                spoken = staging.spoken_of(session, ids)
                session.expunge_all()
            return [known_photo(photo, spoken) for photo in page]

        return chain.from_iterable(keyset_pages(read_page, lambda known: known.id, PHOTOS))

    def _stage(self, photos: Sequence[RereadPhoto]) -> None:
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
            self._clear_away(applied.dropped)
            return applied.report
        with self._database.write() as session:
            staging.forget_staged(session, again)
        return None

    def _clear_away(self, face_ids: Sequence[uuid.UUID]) -> None:
        """Remove the crops of faces that are gone, and those that an interrupted run had begun to write.
        Should that be interrupted, `doctor --repair` removes the rest."""
        for face_id in face_ids:
            self._paths.crop(face_id).unlink(missing_ok=True)
        remove_half_written(self._paths.crops)
        remove_half_written(self._paths.thumbnails)

    def _reread_without_point(self) -> bool:
        """Whether embeddings are missing that had been stored, as in a library restored from a backup."""

        def read_page(after: uuid.UUID | None) -> list[tuple[uuid.UUID, uuid.UUID]]:
            with self._database.read() as session:
                return staging.staged_face_page(session, after, PAGE)

        incomplete: list[uuid.UUID] = []
        for page in keyset_pages(read_page, lambda face: face[0], PAGE):
            stored = self._vectors.retrieve_stored([face_id for face_id, _ in page])
            incomplete += [asset_id for face_id, asset_id in page if face_id not in stored]
        if incomplete:
            with self._database.write() as session:
                staging.forget_staged(session, sorted(set(incomplete)))
        return bool(incomplete)
