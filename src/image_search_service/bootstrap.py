"""The one place that builds things: stores, engine, services. Only entry points import it.

A ``Library`` is open between ``open_library``'s start and end. What is dear (the models, Qdrant) is built on
first use, so that a command that needs only SQL starts at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from image_search_service.core.config import Settings
from image_search_service.core.errors import (
    EngineMismatchError,
    NotFoundError,
    RestoreInterruptedError,
)
from image_search_service.core.lazy import locked_property
from image_search_service.core.lock import LibraryLock
from image_search_service.core.paths import LibraryPaths
from image_search_service.core.types import EngineIdentity, Progress
from image_search_service.db.migrate import migrate
from image_search_service.db.models import LibraryRow
from image_search_service.db.queries import faces as face_queries
from image_search_service.db.queries import library as library_queries
from image_search_service.db.queries.library import Counts
from image_search_service.db.session import Database, sqlite_url
from image_search_service.services.decisions.history import HistoryService
from image_search_service.services.decisions.service import ReviewService
from image_search_service.services.health.readiness import ReadinessService
from image_search_service.services.jobs.service import JobKind, JobService
from image_search_service.services.people.lookup import PeopleService
from image_search_service.services.people.views import BrowseService

if TYPE_CHECKING:
    from image_search_service.faces.assigner import FaceAssigner
    from image_search_service.faces.dual_clusterer import DualModeClusterer
    from image_search_service.queue.huey_app import JobQueue, Workers
    from image_search_service.recognition.engines.base import FaceEngine
    from image_search_service.recognition.thresholds import Thresholds
    from image_search_service.services.backup.restore import RestoreService
    from image_search_service.services.backup.service import BackupService
    from image_search_service.services.centroid_service import CentroidService
    from image_search_service.services.decisions.replay import RebuildService
    from image_search_service.services.doctor.service import DoctorService
    from image_search_service.services.exchange.service import ExchangeService
    from image_search_service.services.face_clustering_service import FaceClusteringService
    from image_search_service.services.indexing.indexer import IndexService
    from image_search_service.services.indexing.reader import PhotoReader
    from image_search_service.services.jobs.outbox import PayloadSender
    from image_search_service.services.metadata.names import MetadataNamesService
    from image_search_service.services.suggestions.conflicts import ConflictService
    from image_search_service.services.suggestions.explanation import ExplanationService
    from image_search_service.services.suggestions.prototypes import PrototypeService
    from image_search_service.services.suggestions.search import SuggestionService
    from image_search_service.vector.centroid_qdrant import CentroidQdrantClient
    from image_search_service.vector.collections import CollectionSettings
    from image_search_service.vector.face_qdrant import FaceQdrantClient
    from image_search_service.vector.transport import AnyQdrant

Note = Callable[[str], None]
"""Told what the user should know on the way, such as which engine was chosen."""
Watch = Callable[[str, str], AbstractContextManager[Progress]]
"""``watch(what, unit)`` shows a progress bar for the length of the block; see ``Output.progress``."""


@contextmanager
def open_library(
    settings: Settings, note: Note, watch: Watch, *, address: str | None = None, restoring: bool = False
) -> Iterator[Library]:
    """Lock, open and migrate the library in ``settings.library``; close it at the end.

    A library whose stores are all servers is not locked: several processes may use it.
    address: where this process answers over HTTP; whoever finds the library locked is told.
    restoring: open it although a backup is half restored into it.
    Raises LibraryInUseError, RestoreInterruptedError, NewerLibraryError, UnavailableError.
    """
    paths = LibraryPaths(settings.library)
    with nullcontext() if settings.stores_are_shared else LibraryLock(paths.lock, address):
        if paths.restoring.exists() and not restoring:
            raise RestoreInterruptedError(paths.root)
        database = Database(settings.database_url or sqlite_url(paths.database))
        library = Library(settings, paths, database, note, watch)
        try:
            copy = migrate(database, paths.backups)
            if copy is not None:
                note(f"The library is from an older version; a copy of its database is {copy}.")
            yield library
        finally:
            library.close()


class Library:
    """One open library and the services on it."""

    def __init__(
        self, settings: Settings, paths: LibraryPaths, database: Database, note: Note, watch: Watch
    ) -> None:
        self.settings = settings
        self.paths = paths
        self.database = database
        self._note = note
        self._watch = watch
        self._on_close: list[Callable[[], None]] = [database.close]

    def close(self) -> None:
        """Close what was opened, the last first."""
        while self._on_close:
            self._on_close.pop()()

    # The engine

    def bound_engine(self) -> LibraryRow | None:
        """The library's row, or None while it has not been bound to an engine."""
        with self.database.read() as session:
            return library_queries.get_library(session)

    def bind_engine(self) -> EngineIdentity:
        """The engine that the library belongs to; a new library is bound to the one that is asked for.

        Raises EngineMismatchError when another one is asked for than it was made with.
        """
        row = self.bound_engine()
        if row is None:
            return self.engine.identity
        if self.settings.engine not in ("auto", row.engine_name):
            raise EngineMismatchError(_identity(row), self.settings.engine)
        if self._names_other_files(row):
            return self.engine.identity
        return _identity(row)

    def _names_other_files(self, row: LibraryRow) -> bool:
        """Whether files are given that may not be the library's own; comparing them loads no model."""
        from image_search_service.recognition.engines.model_store import combined_checksum

        if not (self.settings.recognizer or self.settings.detector):
            return False
        files = _engine_files(row, self.settings)
        paths = [files.get("detector"), files.get("recognizer")]
        known = [path for path in paths if path is not None and path.is_file()]
        return len(known) != len(paths) or combined_checksum(*known) != row.engine_checksum

    @locked_property
    def engine(self) -> FaceEngine:
        """The face engine, opened and checked against the library. Raises EngineMismatchError."""
        from image_search_service.recognition.engines.registry import open_engine

        row = self.bound_engine()
        given = self.settings
        if row is not None and given.engine not in ("auto", row.engine_name):
            raise EngineMismatchError(_identity(row), given.engine)
        files = _engine_files(row, given)
        engine = open_engine(
            given.engine if row is None else row.engine_name,
            models=given.models,
            detector=files.get("detector"),
            recognizer=files.get("recognizer"),
            offline=given.offline,
            watch=self._watch,
            note=self._note,
        )
        if row is not None and engine.identity != _identity(row):
            raise EngineMismatchError(_identity(row), engine.identity)
        stored = {name: str(path) for name, path in files.items()}
        with self.database.write() as session:
            if row is None:
                library_queries.bind_engine(session, engine.identity, stored)
            elif stored != row.engine_files:
                library_queries.set_engine_files(session, stored)
        return engine

    def thresholds(self) -> Thresholds:
        """Those of the library's engine, known without its models."""
        from image_search_service.recognition.engines.registry import engine_thresholds

        return engine_thresholds(self._require_bound().engine_name)

    def _require_bound(self) -> LibraryRow:
        row = self.bound_engine()
        if row is None:
            raise NotFoundError(
                f"The library {self.paths.root} is empty.",
                hint="Index a folder of photos first: image-search index FOLDER.",
            )
        return row

    # The vector store

    @locked_property
    def _qdrant(self) -> AnyQdrant:
        client = open_qdrant(self.settings, self.paths.vectors)
        self._on_close.append(client.close)
        return client

    def _collection_settings(self) -> CollectionSettings:
        from image_search_service.vector.collections import CollectionSettings

        given = self.settings
        return CollectionSettings(
            shard_number=given.qdrant_shard_number,
            replication_factor=given.qdrant_replication_factor,
            on_disk=given.qdrant_on_disk,
            quantization=given.qdrant_quantization,
        )

    @locked_property
    def faces(self) -> FaceQdrantClient:
        """The collection of the library's faces; made if it is not there."""
        from image_search_service.vector.face_qdrant import configure_face_qdrant_client

        client = self._unchecked_faces()
        client.ensure_collection()
        configure_face_qdrant_client(client)
        self._on_close.append(lambda: configure_face_qdrant_client(None))
        return client

    def _unchecked_faces(self) -> FaceQdrantClient:
        row = self._require_bound()
        return self._faces_of(_identity(row), row.uid)

    def _faces_of(self, engine: EngineIdentity, uid: UUID) -> FaceQdrantClient:
        from image_search_service.vector.collections import faces_collection
        from image_search_service.vector.face_qdrant import FaceQdrantClient

        name = faces_collection(engine, uid)
        return FaceQdrantClient(self._qdrant, name, engine.dimension, settings=self._collection_settings())

    @locked_property
    def centroids(self) -> CentroidQdrantClient:
        """The collection of the persons' centroids; made if it is not there."""
        from image_search_service.vector.centroid_qdrant import configure_centroid_qdrant_client

        client = self._unchecked_centroids()
        client.ensure_collection()
        configure_centroid_qdrant_client(client)
        self._on_close.append(lambda: configure_centroid_qdrant_client(None))
        return client

    def _unchecked_centroids(self) -> CentroidQdrantClient:
        row = self._require_bound()
        return self._centroids_of(_identity(row), row.uid)

    def _centroids_of(self, engine: EngineIdentity, uid: UUID) -> CentroidQdrantClient:
        from image_search_service.vector.centroid_qdrant import CentroidQdrantClient
        from image_search_service.vector.collections import centroids_collection

        name = centroids_collection(engine, uid)
        return CentroidQdrantClient(
            self._qdrant, name, engine.dimension, settings=self._collection_settings()
        )

    # Services

    def counts(self) -> Counts:
        with self.database.read() as session:
            return library_queries.library_counts(session)

    def people_service(self) -> PeopleService:
        return PeopleService(self.database)

    def review_service(self, actor: str) -> ReviewService:
        """What ``actor`` decides; their name is kept with each decision."""
        return ReviewService(self.database, actor)

    def history_service(self) -> HistoryService:
        """What was decided."""
        return HistoryService(self.database)

    def exchange_service(self, actor: str) -> ExchangeService:
        from image_search_service.services.exchange.service import ExchangeService

        return ExchangeService(self.database, actor)

    def metadata_names_service(self, actor: str) -> MetadataNamesService:
        from image_search_service.services.metadata.names import MetadataNamesService

        return MetadataNamesService(self.database, actor, workers=self.settings.workers)

    def conflict_service(self) -> ConflictService:
        from image_search_service.services.suggestions.conflicts import ConflictService

        return ConflictService(self.database, self.faces, self.centroid_service(), self.thresholds())

    def explanation_service(self) -> ExplanationService:
        from image_search_service.services.suggestions.explanation import ExplanationService

        return ExplanationService(self.database, self.faces, self.centroid_service(), self.thresholds())

    def rebuild_service(self) -> RebuildService:
        from image_search_service.services.decisions.replay import RebuildService

        return RebuildService(self.database)

    def index_service(self) -> IndexService:
        from image_search_service.services.indexing.indexer import IndexService

        return IndexService(
            self.database,
            lambda: self.faces,
            self._photo_reader,
            library_folder=self.paths.root,
            workers=self.settings.workers,
        )

    def _photo_reader(self) -> PhotoReader:
        from image_search_service.services.indexing.reader import PhotoReader

        return PhotoReader(self.engine, self.paths, max_pixels=self.settings.max_megapixels * 1_000_000)

    def clustering_service(self) -> FaceClusteringService:
        from image_search_service.services.face_clustering_service import FaceClusteringService

        return FaceClusteringService(
            self.database, self.faces, self.thresholds(), memory=self.settings.memory
        )

    def face_assigner(self) -> FaceAssigner:
        from image_search_service.faces.assigner import FaceAssigner

        return FaceAssigner(self.database, self.faces, self.centroid_service(), self.thresholds())

    def dual_clusterer(self) -> DualModeClusterer:
        from image_search_service.faces.dual_clusterer import DualModeClusterer
        from image_search_service.faces.grouper import FaceGrouper

        grouper = FaceGrouper(self.database, self.faces, self.thresholds(), memory=self.settings.memory)
        return DualModeClusterer(self.face_assigner(), grouper)

    def centroid_service(self) -> CentroidService:
        from image_search_service.services.centroid_service import CentroidService

        return CentroidService(self.database, self.faces, self.centroids)

    def prototype_service(self) -> PrototypeService:
        from image_search_service.services.suggestions.prototypes import PrototypeService

        return PrototypeService(self.database, self.faces)

    def suggestion_service(self) -> SuggestionService:
        from image_search_service.services.suggestions.search import SuggestionService

        return SuggestionService(self.database, self.faces, self.centroids, self.thresholds())

    def doctor_service(self, *, alone: bool = False) -> DoctorService:
        """``alone``: nothing else works on the library meanwhile, be it another thread of this process."""
        from image_search_service.services.doctor.photo_restorer import PhotoRestorer
        from image_search_service.services.doctor.service import DoctorService

        max_pixels = self.settings.max_megapixels * 1_000_000
        return DoctorService(
            self.database,
            self._unchecked_faces(),
            self._unchecked_centroids(),
            PhotoRestorer(lambda: self.engine, self.paths, max_pixels=max_pixels),
            self.paths,
            workers=self.settings.workers,
            alone=alone,
        )

    def backup_service(self) -> BackupService:
        """Raises NotFoundError for a library in which nothing has been indexed."""
        from image_search_service.services.backup.service import BackupService

        row = self._require_bound()
        return BackupService(self.database, self.faces, self.centroids, self.paths, row)

    def restore_service(self) -> RestoreService:
        from image_search_service.services.backup.restore import RestoreService

        return RestoreService(
            self.database,
            self.paths,
            lambda engine, uid: (self._faces_of(engine, uid), self._centroids_of(engine, uid)),
        )

    def group_if_stale(self, progress: Progress | None = None) -> None:
        """Group if faces were added since it was last done, as the user chose it then."""
        row = self.bound_engine()
        if row is not None and row.grouping_stale:
            self.clustering_service().group(**(row.grouping or {}), progress=progress)

    @locked_property
    def payload_sender(self) -> PayloadSender:
        """Tells Qdrant what SQL has decided."""
        from image_search_service.services.jobs.outbox import PayloadSender

        return PayloadSender(self.database, lambda: self.faces)

    def send_due_payloads(self) -> int:
        """See ``PayloadSender.send``."""
        return self.payload_sender.send()

    def tell_qdrant_if_it_answers(self) -> None:
        """See ``PayloadSender.send_if_it_answers``."""
        self.payload_sender.send_if_it_answers()

    # The API

    def browse_service(self) -> BrowseService:
        return BrowseService(self.database, self.paths)

    def readiness_service(self) -> ReadinessService:
        return ReadinessService(
            {
                "database": self._database_state,
                "qdrant": self._qdrant_state,
                "queue": self._queue_state,
                "outbox": self._outbox_state,
            }
        )

    def backlog(self) -> int:
        """How many faces' changes SQL has and Qdrant does not know yet."""
        with self.database.read() as session:
            return face_queries.count_due_payloads(session)

    def _outbox_state(self) -> str:
        """What waits is no failure: searches are checked against SQL until it has arrived."""
        return f"{self.backlog()} faces to tell Qdrant of"

    def _database_state(self) -> str:
        return f"{self.database.url.get_backend_name()}, {self.counts().faces} faces"

    def _qdrant_state(self) -> str:
        if self.bound_engine() is None:
            return "nothing is indexed yet"
        return f"{self.faces.count()} embeddings in {self.faces.collection_name}"

    def _queue_state(self) -> str:
        self.job_queue.check()
        return "sqlite" if self.settings.redis_url is None else "redis"

    # Jobs

    @locked_property
    def job_queue(self) -> JobQueue:
        """What carries jobs to workers. Raises UnavailableError."""
        from image_search_service.queue.huey_app import JobQueue, open_huey

        queue = JobQueue(open_huey(redis_url=self.settings.redis_url, file=self.paths.queue))
        self._on_close.append(queue.close)
        return queue

    def job_service(self) -> JobService:
        return JobService(self.database, self.job_queue.enqueue)

    def workers(self) -> Workers:
        """Threads that run jobs in this process; not started yet."""
        from image_search_service.queue.face_jobs import JOBS
        from image_search_service.queue.huey_app import Workers
        from image_search_service.queue.runner import JobRunner
        from image_search_service.services.jobs.ledger import JobLedger

        runner = JobRunner(JobLedger(self.database), JOBS, self, alone=not self.settings.stores_are_shared)
        self.job_queue.on_night = self._submit_nightly
        self.job_queue.on_minute = self.tell_qdrant_if_it_answers
        return Workers(self.job_queue, runner, self.settings.job_threads)

    def _submit_nightly(self) -> None:
        """Jobs for the night: a library with something in it is examined."""
        if self.bound_engine() is not None:
            self.job_service().submit(JobKind.DOCTOR, {"repair": False})


def open_qdrant(settings: Settings, folder: Path) -> AnyQdrant:
    """The Qdrant server that the settings name, else the engine embedded in ``folder``.

    Raises UnavailableError, KeyRefusedError, LibraryInUseError.
    """
    from image_search_service.vector.client import QdrantServerOptions, open_embedded, open_server

    if settings.qdrant_url is None:
        return open_embedded(folder)
    return open_server(
        QdrantServerOptions(
            url=settings.qdrant_url,
            api_key=settings.qdrant_api_key,
            prefer_grpc=settings.qdrant_prefer_grpc,
            grpc_port=settings.qdrant_grpc_port,
            timeout=settings.qdrant_timeout,
        )
    )


def _identity(row: LibraryRow) -> EngineIdentity:
    return EngineIdentity(row.engine_name, row.engine_checksum, row.dimension)


def _engine_files(row: LibraryRow | None, given: Settings) -> dict[str, Path]:
    """The engine's own files: as given now, else as they were given when the library was made."""
    files = {} if row is None else {name: Path(path) for name, path in row.engine_files.items()}
    now = {"detector": given.detector, "recognizer": given.recognizer}
    return files | {name: path for name, path in now.items() if path is not None}
