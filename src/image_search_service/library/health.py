"""Checks the library's stores, for ``/ready`` and ``image-search info``."""

from __future__ import annotations

from image_search_service.db.queries import faces as face_queries, library as library_queries
from image_search_service.db.queries.library import Counts
from image_search_service.library.opening import Library
from image_search_service.services.health.readiness import ReadinessService


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


def library_counts(library: Library) -> Counts:
    """How many photos, faces and persons the library has."""
    with library.database.read() as session:
        return library_queries.library_counts(session)


def outbox_size(library: Library) -> int:
    """Faces whose changes SQL has and Qdrant does not know yet."""
    with library.database.read() as session:
        return face_queries.count_due_payloads(session)


def _outbox_state(library: Library) -> str:
    """A filled outbox is no failure: searches are checked against SQL until it has been sent."""
    return f"{outbox_size(library)} faces to tell Qdrant of"


def _database_state(library: Library) -> str:
    return f"{library.database.url.get_backend_name()}, {library_counts(library).faces} faces"


def _qdrant_state(library: Library) -> str:
    if library.engine_binding.row() is None:
        return "nothing is indexed yet"
    return f"{library.faces.count()} embeddings in {library.faces.collection_name}"


def _queue_state(library: Library) -> str:
    library.job_queue.check()
    return "sqlite" if library.settings.redis_url is None else "redis"
