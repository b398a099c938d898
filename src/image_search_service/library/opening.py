"""Opening a library: lock, database, migration, and the stores that services take."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from image_search_service.core.config import Settings
from image_search_service.core.errors import DamagedDatabaseError, RestoreInterruptedError
from image_search_service.core.files import has_content
from image_search_service.core.lazy import locked_property
from image_search_service.core.lock import LibraryLock
from image_search_service.core.paths import LibraryPaths
from image_search_service.core.private_files import make_private_folder, private_files
from image_search_service.db.integrity import require_whole
from image_search_service.db.migrate import Migration, migrate
from image_search_service.db.session import Database, sqlite_url
from image_search_service.library.engine import EngineBinding, Note, Watch, no_note, no_watch
from image_search_service.library.stores import Stores
from image_search_service.library.vectors import LibraryCollections
from image_search_service.services.jobs.outbox import PayloadSender

if TYPE_CHECKING:
    from image_search_service.queue.huey_app import JobQueue
    from image_search_service.services.photos.pictures import PictureService
    from image_search_service.vector.centroid_qdrant import CentroidQdrantClient
    from image_search_service.vector.face_qdrant import FaceQdrantClient


@contextmanager
def open_library(
    settings: Settings,
    note: Note = no_note,
    watch: Watch = no_watch,
    *,
    address: str | None = None,
    restoring: bool = False,
    examining: bool = False,
    backup: bool = True,
) -> Iterator[Library]:
    """Lock, open and migrate the library in ``settings.library``; close it at the end.

    A library whose stores are all servers is not locked: several processes may use it. Until it is closed
    all files that this process creates belong to their owner alone.
    note, watch: told what a user should know, and how far a long step has come; by default nobody is.
    address: where this process answers over HTTP; whoever finds the library locked is told.
    restoring: open it although a backup is half restored into it. examining: although SQLite finds damage.
    Where the last process did not end properly, SQLite checks its file. backup: whether the database of an
    older version's library is copied before it is changed.
    Raises LibraryInUseError, RestoreInterruptedError, NewerLibraryError, NoBackupError, MigrationFailedError,
    UnreleasedLibraryError, UnavailableError, DamagedDatabaseError.
    """
    paths = LibraryPaths(settings.library)
    make_private_folder(paths.root)
    with (
        private_files(),
        nullcontext() if settings.stores_are_shared else LibraryLock(paths.lock, address),
    ):
        if paths.restoring.exists() and not restoring:
            raise RestoreInterruptedError(paths.root)
        ended_properly = settings.database_url is not None or _ended_properly(paths)
        database = Database(settings.database_url or sqlite_url(paths.database))
        library = Library(settings, paths, database, note, watch)
        try:
            if not (ended_properly or examining):
                require_whole(database, quick=True)
            migration = migrate(database, paths.backups, backup=backup)
            if migration is not None:
                note(_told(migration))
            yield library
        finally:
            library.close()


def _ended_properly(paths: LibraryPaths) -> bool:
    """Whether the last process that had the database open closed it. Raises DamagedDatabaseError where the
    database is gone or empty although the library has faces: it would be made anew, without them."""
    if not has_content(paths.database) and any(paths.vectors.glob("*/shard")):
        raise DamagedDatabaseError(f"{paths.database} is not there or empty, and the library's faces are")
    return not has_content(paths.database_log)


def _told(migration: Migration) -> str:
    was = f"written by {migration.program or 'an older version'} (database revision {migration.before})"
    copy = f"its database as it was is {migration.backup}" if migration.backup else "no copy was made"
    return f"The library was {was} and is now of revision {migration.after}; {copy}."


class Library:
    """One open library: its stores, and the queue of its jobs. ``open_library`` makes and closes it.

    database: SQL, what services such as ``PeopleService`` take. stores: all stores as one value.
    faces, centroids: the clients of the two collections in Qdrant; both raise UnavailableError while Qdrant
    does not answer, NotFoundError in a library without faces.
    payload_sender: sends what decisions have changed to Qdrant.
    """

    open_collections = LibraryCollections

    def __init__(
        self, settings: Settings, paths: LibraryPaths, database: Database, note: Note, watch: Watch
    ) -> None:
        self.settings = settings
        self.paths = paths
        self.database = database
        self.engine_binding = EngineBinding(settings, database, paths.root, note, watch)
        self.collections = self.open_collections(settings, paths.vectors, self.engine_binding)
        self.stores = Stores(settings, paths, database, self.engine_binding, self.collections)
        self.payload_sender = PayloadSender(self.stores)
        self._on_close: list[Callable[[], None]] = [database.close, self.collections.close]

    def close(self) -> None:
        """Close what was opened, the last first."""
        while self._on_close:
            self._on_close.pop()()

    @property
    def faces(self) -> FaceQdrantClient:
        """See ``Stores.faces``."""
        return self.stores.faces

    @property
    def centroids(self) -> CentroidQdrantClient:
        """See ``Stores.centroids``."""
        return self.stores.centroids

    @locked_property
    def pictures(self) -> PictureService:
        """Larger pictures: one service, since it limits how many photos are decoded at a time."""
        from image_search_service.services.photos.pictures import PictureService

        return PictureService(self.stores)

    @locked_property
    def job_queue(self) -> JobQueue:
        """What carries jobs to workers. Raises UnavailableError."""
        from image_search_service.queue.huey_app import JobQueue, open_huey

        queue = JobQueue(open_huey(redis_url=self.settings.redis_url, file=self.paths.queue))
        self._on_close.append(queue.close)
        return queue

    def enqueue(self, job_id: uuid.UUID) -> None:
        """Bring a job to a worker. Raises UnavailableError."""
        self.job_queue.enqueue(job_id)
