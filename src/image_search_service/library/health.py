"""Checks the library's stores, for ``/ready`` and ``image-search info``."""

from __future__ import annotations

from contextlib import closing

from image_search_service.core.config import Settings
from image_search_service.core.errors import ImageSearchError, UnavailableError
from image_search_service.db.queries import (
    library as library_queries,
    payloads as payload_queries,
)
from image_search_service.db.queries.library import Counts
from image_search_service.library.engine import Note, Watch
from image_search_service.library.opening import Library, open_library
from image_search_service.library.vectors import open_qdrant
from image_search_service.services.health.readiness import Check, Readiness, ReadinessService


def readiness_service(library: Library) -> ReadinessService:
    """Asks the database, Qdrant, the queue and the outbox."""
    return ReadinessService(
        {
            "database": lambda: _database_state(library),
            "qdrant": lambda: _qdrant_state(library),
            "queue": lambda: _queue_state(library),
            "outbox": lambda: _outbox_state(library),
        }
    )


def check_stores(settings: Settings, note: Note, watch: Watch) -> list[Readiness]:
    """Opens the library and asks each of its stores; where it cannot be opened, its servers all the same."""
    try:
        with open_library(settings, note, watch) as library:
            return readiness_service(library).check()
    except ImageSearchError as error:
        of_database = settings.database_url is not None and isinstance(error, UnavailableError)
        failed = Readiness("database" if of_database else "library", ready=False, detail=error.message)
        return [failed, *ReadinessService(_server_checks(settings)).check()]


def _server_checks(settings: Settings) -> dict[str, Check]:
    checks: dict[str, Check] = {}
    if settings.qdrant_url is not None:
        checks["qdrant"] = lambda: _server_answers(settings)
    if settings.redis_url is not None:
        checks["queue"] = lambda: _redis_answers(settings)
    return checks


def _server_answers(settings: Settings) -> str:
    from image_search_service.vector.server_state import server_state

    with closing(open_qdrant(settings, settings.library)) as client:
        return f"version {server_state(client, None).version}"


def _redis_answers(settings: Settings) -> str:
    from image_search_service.queue.huey_app import JobQueue, open_huey

    with closing(JobQueue(open_huey(redis_url=settings.redis_url, file=settings.library))) as queue:
        queue.check()
    return "redis"


def library_counts(library: Library) -> Counts:
    """How many photos, faces and persons the library has."""
    with library.database.read() as session:
        return library_queries.library_counts(session)


def outbox_size(library: Library) -> int:
    """Faces whose changes SQL has and Qdrant does not know yet."""
    with library.database.read() as session:
        return payload_queries.count_due_payloads(session)


def _outbox_state(library: Library) -> str:
    """A filled outbox is no failure: searches are checked against SQL until it has been sent."""
    return f"{outbox_size(library)} faces to tell Qdrant of"


def _database_state(library: Library) -> str:
    return f"{library.database.url.get_backend_name()}, {library_counts(library).faces} faces"


def _qdrant_state(library: Library) -> str:
    if library.engine_binding.row() is None:
        if library.settings.qdrant_url is None:
            return "nothing is indexed yet"
        return f"version {library.collections.server_state().version}, nothing is indexed yet"
    library.stores.require_own()
    return f"{library.faces.count()} embeddings in {library.faces.collection_name}"


def _queue_state(library: Library) -> str:
    library.job_queue.check()
    return "sqlite" if library.settings.redis_url is None else "redis"
