"""The one place that builds things: stores, engine, services. Only entry points import it.

A ``Library`` is open between ``open_library``'s start and end. What is dear (the models, Qdrant) is built on
first use, so that a command that needs only SQL starts at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from image_search_service.core.config import Settings
from image_search_service.core.errors import EngineMismatchError, NotFoundError
from image_search_service.core.lock import LibraryLock
from image_search_service.core.paths import LibraryPaths
from image_search_service.core.types import EngineIdentity
from image_search_service.db.migrate import migrate
from image_search_service.db.models import Library as LibraryRow
from image_search_service.db.queries import library as library_queries
from image_search_service.db.session import Database, sqlite_url
from image_search_service.services.payload_service import send_due_payloads
from image_search_service.services.people_service import PeopleService

if TYPE_CHECKING:
    from image_search_service.faces.engines.base import FaceEngine
    from image_search_service.services.face_clustering_service import FaceClusteringService
    from image_search_service.services.index_service import IndexService
    from image_search_service.services.photo_reader import PhotoReader
    from image_search_service.vector.client import VectorClient
    from image_search_service.vector.face_qdrant import FaceQdrantClient

Note = Callable[[str], None]
"""Told what the user should know on the way, such as that a model is downloaded."""


@contextmanager
def open_library(settings: Settings, note: Note) -> Iterator[Library]:
    """Lock, open and migrate the library in ``settings.library``; close it at the end.

    Raises LibraryInUseError, NewerLibraryError, UnavailableError.
    """
    paths = LibraryPaths(settings.library)
    with LibraryLock(paths.lock):
        database = Database(settings.database_url or sqlite_url(paths.database))
        try:
            copy = migrate(database, paths.backups)
            if copy is not None:
                note(f"The library is from an older version; a copy of its database is {copy}.")
            library = Library(settings, paths, database, note)
            try:
                yield library
            finally:
                library.close()
        finally:
            database.close()
'''
'''
