"""Indexing: from folders of photos to stored faces, once for each content.

The order of steps makes a crash harmless. Ids are derived from the content. A batch's embeddings go to
Qdrant first (one request), then its photos, faces and files into SQL (one transaction); so a face in SQL
always has its embedding, and what a crash left in Qdrant alone is written again by the next run, or
removed by it if the photo is gone.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path

from image_search_service.core.errors import MediaError
from image_search_service.core.files import has_vanished
from image_search_service.core.parallel import chunks, map_ahead, thread_pool
from image_search_service.core.types import Progress
from image_search_service.db.queries import events, index_roots, library, photos, unread_files
from image_search_service.db.session import Session
from image_search_service.library.stores import Stores
from image_search_service.media.decode import DECODER
from image_search_service.media.derived_files import remove_half_written
from image_search_service.media.excluding import Excludes
from image_search_service.media.hashing import hash_file
from image_search_service.media.scan import FoundFile, PhotoScan
from image_search_service.services.indexing.absences import mark_vanished, note_absent, vanished_roots
from image_search_service.services.indexing.edits import carry_over
from image_search_service.services.indexing.gone_photos import photos_gone
from image_search_service.services.indexing.orphans import remove_orphaned_points
from image_search_service.services.indexing.reader import HashedFile, PhotoReader, ReadPhoto
from image_search_service.services.indexing.report import Failure, IndexReport
from image_search_service.services.indexing.rows import (
    asset_row,
    face_points,
    face_rows,
    gone_path_row,
    path_row,
)
from image_search_service.services.indexing.same_faces import ChangedFile, SameFaceSearch

LOOKUP_BATCH = 500
"""Files compared with the library in one statement."""
HASH_THREADS = 4
"""Hashing waits for disks and network drives more than for the processor."""
HASH_BATCH = 64
"""Contents looked up in one statement; small, so that reading starts at once."""
READ_BATCH = 8
"""Photos that one thread reads before it embeds their faces together."""
READS_AHEAD = 4
"""Such batches in the queue for each thread, so that none idles while results are stored."""
STORE_BATCH = 128
"""Photos stored with one request to Qdrant and one transaction."""


class IndexService:
    """Brings the library up to date with folders of photos.

    The engine is opened only if there is a photo to read: a run without changes loads no model.
    """

    def __init__(self, stores: Stores) -> None:
        self.stores = stores
        self.database = stores.database
        self.library_folder = stores.paths.root
        self.workers = stores.settings.workers

    def open_reader(self) -> PhotoReader:
        """A reader with the engine's models."""
        return PhotoReader(self.stores.engine, self.stores.paths, max_pixels=self.stores.max_pixels)

    def index(
        self,
        roots: Sequence[Path],
        *,
        retry_failed: bool = False,
        progress: Progress | None = None,
        report_changed: Callable[[IndexReport], None] | None = None,
    ) -> IndexReport:
        """Index all photos below ``roots``, folders or files.

        ``retry_failed`` reads again what could not be read before. ``progress`` is told the photos read
        and how many there are to read, ``report_changed`` the report so far. Raises InvalidInputError for a
        root that does not exist and below which the library knows no file, UnavailableError when a store
        fails; what was stored until then stays, and the next run goes on.
        """
        started = time.monotonic()
        away = vanished_roots(self.database, roots)
        there = [root for root in roots if root not in away]
        with self.database.read() as session:
            excludes = Excludes(index_roots.excludes(session))
        scan = PhotoScan(there, exclude=[self.library_folder], excludes=excludes)
        with self.database.turn("index", lambda: progress(0, None) if progress else None):
            self.stores.require_own()
            run = self._run(scan, retry_failed=retry_failed, progress=progress, report_changed=report_changed)
        run.report.seconds = time.monotonic() - started
        return run.report

    def _run(
        self,
        scan: PhotoScan,
        *,
        retry_failed: bool,
        progress: Progress | None,
        report_changed: Callable[[IndexReport], None] | None,
    ) -> _IndexRun:
        """Only one run at a time: points of another run without rows yet would look orphaned."""
        with self.database.write() as session:
            number, interrupted = library.start_run(session, scan.roots)
        run = _IndexRun(
            self, number, retry_failed=retry_failed, progress=progress, report_changed=report_changed
        )
        changed = run.compare(scan)
        if changed:
            run.read(changed)
        run.finish(scan, interrupted=interrupted)
        return run


class _IndexRun:
    """One run's steps and what they share."""

    def __init__(
        self,
        service: IndexService,
        number: int,
        *,
        retry_failed: bool,
        progress: Progress | None,
        report_changed: Callable[[IndexReport], None] | None,
    ) -> None:
        self._service = service
        self._database = service.database
        self._number = number
        self._retry_failed = retry_failed
        self._progress = progress
        self._report_changed = report_changed
        self._started = time.monotonic()
        self._done = self._total = 0
        self._reader: PhotoReader | None = None
        self._previous: dict[Path, uuid.UUID] = {}
        self._copies: list[HashedFile] = []
        self._attached: set[uuid.UUID] = set()
        """Photos of which a file was moved or copied; their other files may be the ones that moved."""
        self._read_now: set[str] = set()
        """Contents that could not be read in this run, which need no second try."""
        self._replaced: list[tuple[HashedFile, uuid.UUID]] = []
        """Files that held another photo, with the one that they hold now, until all files were seen."""
        self.report = IndexReport()

    def compare(self, scan: PhotoScan) -> list[FoundFile]:
        """Stat every file; return those that are new or changed."""
        changed: list[FoundFile] = []
        for files in chunks(scan, LOOKUP_BATCH):
            with self._database.write() as session:
                known = photos.known_files(session, [file.path for file in files])
                same = [file for file in files if self._is_unchanged(file, known.get(file.path))]
                photos.mark_seen(session, [known[file.path].path_id for file in same], self._number)
            self._count_same([(file.path, known[file.path].failure) for file in same])
            unchanged = {file.path for file in same}
            changed += [file for file in files if file.path not in unchanged]
            self._previous |= {file.path: known[file.path].asset_id for file in changed if file.path in known}
            self.report.photos_seen += len(files)
        self.report.files_ignored = scan.ignored
        self.report.unread_folders = [Failure(path, reason, waits=True) for path, reason in scan.unread]
        return changed

    def _is_unchanged(self, file: FoundFile, known: photos.KnownFile | None) -> bool:
        if known is None or known.state != file.state:
            return False
        return not self._tries_again(known)

    def _tries_again(self, known: photos.KnownFile | photos.KnownContent) -> bool:
        """Whether a content that could not be read is read again: when asked to, and by other decoders."""
        return known.failure is not None and (self._retry_failed or known.failed_with != DECODER)

    def _count_same(self, files: Sequence[tuple[Path, str | None]]) -> None:
        failures = [Failure(path, reason) for path, reason in files if reason is not None]
        self.report.failures += failures
        self.report.photos_unchanged += len(files) - len(failures)

    def read(self, changed: Sequence[FoundFile]) -> None:
        """Hash, read and store, all three at once."""
        self._total = len(changed)
        workers = self._service.workers
        try:
            with thread_pool(HASH_THREADS, "hash") as hashing, thread_pool(workers, "read") as reading:
                files = chunks(changed, READ_BATCH)
                hashed = map_ahead(hashing, _hash_files, files, HASH_BATCH // READ_BATCH)
                self._read_contents(reading, chain.from_iterable(hashed))
                while self._copies:  # of contents that were read meanwhile, or whose first file could not be
                    copies, self._copies = self._copies, []
                    self._read_contents(reading, copies)
        finally:
            if self._reader is not None:
                self._reader.release()

    def _read_contents(self, reading: ThreadPoolExecutor, hashed: Iterable[HashedFile | Failure]) -> None:
        fresh = chunks(self._fresh(hashed), READ_BATCH)
        batches = map_ahead(reading, self._read_batch, fresh, self._service.workers * READS_AHEAD)
        for batch in chunks(self._in_hand(chain.from_iterable(batches)), STORE_BATCH):
            self._store(batch)

    def _in_hand(self, photos_read: Iterable[ReadPhoto]) -> Iterator[ReadPhoto]:
        """The photos as they come; progress is told of each one that was read and waits to be stored."""
        for waiting, photo in enumerate(photos_read):
            if self._progress and photo.failure is None:
                self._progress(self._done + waiting % STORE_BATCH, self._total)
            yield photo

    def _fresh(self, hashed: Iterable[HashedFile | Failure]) -> Iterator[HashedFile]:
        """Contents that the library does not have, each once; files with known content are attached to their
        photos."""
        claimed: set[str] = set()
        for batch in chunks(hashed, HASH_BATCH):
            files = [item for item in batch if isinstance(item, HashedFile)]
            self._fail([item for item in batch if isinstance(item, Failure)])
            with self._database.read() as session:
                known = photos.assets_by_hash(session, [file.content_hash for file in files])
            is_known = [self._is_known(file, known.get(file.content_hash)) for file in files]
            self._attach([file for file, file_is_known in zip(files, is_known, strict=True) if file_is_known])
            for file in (
                file for file, file_is_known in zip(files, is_known, strict=True) if not file_is_known
            ):
                if file.content_hash in claimed:
                    self._copies.append(file)
                else:
                    claimed.add(file.content_hash)
                    if self._reader is None:
                        self._service.stores.require_embeddings()
                        self._reader = self._service.open_reader()
                    yield file

    def _is_known(self, file: HashedFile, content: photos.KnownContent | None) -> bool:
        if content is None:
            return False
        return file.content_hash in self._read_now or not self._tries_again(content)

    def _read_batch(self, files: Sequence[HashedFile]) -> list[ReadPhoto]:
        assert self._reader is not None  # noqa: S101 - ``_fresh`` opened it before it gave a file
        return self._reader.read(files)

    def _store(self, batch: Sequence[ReadPhoto]) -> None:
        """One request to Qdrant, then one transaction. What waits for another try is only reported."""
        self._fail(
            [Failure(read.file.path, read.failure, read.waits) for read in batch if read.failure is not None]
        )
        batch = [read for read in batch if not read.waits]
        self._read_now |= {read.file.content_hash for read in batch if read.failure is not None}
        self._service.stores.faces.upsert_faces(face_points(batch))
        new_faces = [row for photo in batch for row in face_rows(photo)]
        with self._database.write() as session:
            events.take_turn(session)
            photos.save_assets(session, [asset_row(photo) for photo in batch])
            photos.save_faces(session, new_faces)
            self._save_paths(session, [(photo.file, photo.file.asset_id) for photo in batch])
            if new_faces:
                library.set_grouping_stale(session)
        readable = sum(photo.failure is None for photo in batch)
        self.report.photos_new += readable
        self.report.faces_new += len(new_faces)
        self._advance(readable)

    def _attach(self, files: Sequence[HashedFile]) -> None:
        """Store files with known content as further, or new, paths of their photos."""
        if not files:
            return
        with self._database.write() as session:
            events.take_turn(session)
            known = photos.assets_by_hash(session, [file.content_hash for file in files])
            self._save_paths(session, [(file, known[file.content_hash].asset_id) for file in files])
        self._attached |= {known[file.content_hash].asset_id for file in files}
        failures = [(file.path, known[file.content_hash].failure) for file in files]
        self._fail([Failure(path, reason) for path, reason in failures if reason is not None])
        readable = [file for file in files if known[file.content_hash].failure is None]
        same = sum(self._previous.get(file.path) == file.asset_id for file in readable)
        self.report.photos_unchanged += same
        self.report.photos_moved += len(readable) - same
        self._advance(len(readable))

    def _save_paths(self, session: Session, files: Sequence[tuple[HashedFile, uuid.UUID]]) -> None:
        """Store the photos' paths, but for files that held another photo, which wait for ``_settle``."""
        same = [
            (file, asset_id)
            for file, asset_id in files
            if self._previous.get(file.path, asset_id) == asset_id
        ]
        self._replaced += [
            (file, asset_id)
            for file, asset_id in files
            if self._previous.get(file.path, asset_id) != asset_id
        ]
        photos.save_paths(session, [path_row(file, asset_id, self._number) for file, asset_id in same])
        photos.update_replaced(session, [asset_id for _, asset_id in same])

    def _settle(self, roots: Sequence[Path], *, interrupted: bool) -> None:
        """Store what files hold that held another photo, and what becomes of what was said of its faces, and
        of those of photos whose files are gone.

        Only now is it known where each photo is: one that was moved, renamed or copied is in some other file.
        All in one transaction; a run that ends before finds these files changed once more.
        """
        changes = [
            ChangedFile(file.path, self._previous[file.path], asset_id) for file, asset_id in self._replaced
        ]
        if not changes and not self.report.photos_new and not interrupted:
            return
        with self._database.read() as session:
            gone = photos_gone(session, roots, self._number, {each.path: each.present for each in changes})
        if not changes and not gone:
            return
        found = SameFaceSearch(self._service.stores).find(changes, list(gone))
        rows = [path_row(file, asset_id, self._number) for file, asset_id in self._replaced]
        # a file that is gone holds its photo no longer, once what became of that is known
        successors = {each.former: each.present for each in changes} | dict(found.successors)
        for former, present in successors.items():
            rows += [gone_path_row(path, present, self._number) for path in gone.get(former, ())]
        for former, present in found.successors.items():
            changes += [ChangedFile(path, former, present) for path in gone[former]]
        if not changes and not found.same:
            return
        with self._database.write() as session:
            events.take_turn(session)
            photos.save_paths(session, rows)
            carried = carry_over(session, changes, found)
        self.report.names_kept, self.report.names_lost = carried.kept, carried.lost

    def _fail(self, failures: Sequence[Failure]) -> None:
        self.report.failures += failures
        self._advance(len(failures))

    def _advance(self, files: int) -> None:
        self._done += files
        self.report.seconds = time.monotonic() - self._started
        if self._report_changed and files:
            self._report_changed(self.report)
        if self._progress and files:
            self._progress(self._done, self._total)

    def finish(self, scan: PhotoScan, *, interrupted: bool) -> None:
        """Settle what changed, and mark vanished files as missing; after an interrupted run, clear away what
        it left: photos that no file holds, points without a face in SQL, and half-written pictures."""
        self._settle(scan.roots, interrupted=interrupted)
        with self._database.write() as session:
            events.take_turn(session)
            waiting = [(failure.path, failure.reason) for failure in self.report.waiting]
            photos.leave_unread(
                session, [path for path, _ in waiting if not has_vanished(path)], self._number
            )
            self.report.files_excluded = index_roots.note_excluded(
                session, scan.roots, self._number, scan.excludes.has_left_out
            )
            self.report.photos_missing = photos.mark_missing(session, scan.roots, self._number)
            unread_files.replace_unread(session, scan.roots, waiting)
            self.report.photos_missing += mark_vanished(session, self._attached, self._number)
            missing, self.report.folders_away = note_absent(session, scan.roots, self._attached)
            self.report.photos_missing += missing
            if interrupted:
                photos.hide_unheld(session)
        if interrupted:
            remove_orphaned_points(self._database, self._service.stores.faces)
            remove_half_written(self._service.stores.paths.crops)
            remove_half_written(self._service.stores.paths.thumbnails)
        with self._database.write() as session:
            library.finish_runs(session)


def _hash_files(files: Sequence[FoundFile]) -> list[HashedFile | Failure]:
    return [_hash(file) for file in files]


def _hash(file: FoundFile) -> HashedFile | Failure:
    try:
        digest, state = hash_file(file.path)
        return HashedFile(file.path, state, digest)
    except MediaError as error:
        return Failure(file.path, error.message, waits=True)  # of its content nothing is known
