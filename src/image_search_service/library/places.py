"""Where a library's stores are, and in which state: for ``image-search info``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from image_search_service.core.addresses import without_secrets
from image_search_service.core.errors import ImageSearchError
from image_search_service.db.migrate import current_revision, written_by
from image_search_service.library.opening import Library

if TYPE_CHECKING:
    from image_search_service.vector.server_state import ServerState


@dataclass(frozen=True, slots=True)
class StorePlace:
    """A store on a server. address: without passwords. detail: version, nodes and copies, as far as it tells.

    failure: why it tells nothing; None if it answers.
    """

    store: str
    address: str
    detail: str = ""
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class LibrarySchema:
    """The revision of the database's tables, and the version of this program that laid them, if it says so:
    the least that opens the library."""

    revision: str
    written_by: str | None


def library_schema(library: Library) -> LibrarySchema:
    return LibrarySchema(current_revision(library.database) or "", written_by(library.database))


def store_places(library: Library) -> list[StorePlace]:
    """Those of database, vectors and queue that are on servers; one that fails stops no other."""
    settings = library.settings
    places = []
    if settings.database_url is not None:
        places.append(_database(library))
    if settings.qdrant_url is not None:
        places.append(_qdrant(library))
    if settings.redis_url is not None:
        places.append(_queue(library, without_secrets(settings.redis_url)))
    return places


def _database(library: Library) -> StorePlace:
    """It has answered already: the library could not be open without it."""
    database = library.database
    return StorePlace("database", database.address, f"PostgreSQL {database.server_version()}")


def _qdrant(library: Library) -> StorePlace:
    try:
        state = library.collections.server_state()
    except ImageSearchError as error:
        return StorePlace(
            "vectors", without_secrets(library.settings.qdrant_url or ""), failure=error.message
        )
    return StorePlace("vectors", state.address, _words(state))


def _words(state: ServerState) -> str:
    known = [f"Qdrant {state.version}"]
    if state.nodes is not None:
        known.append(f"{state.nodes} nodes" if state.nodes != 1 else "1 node")
    if state.copies is not None:
        known.append(f"{state.shards} shards of {state.copies} copies")
    return ", ".join(known)


def _queue(library: Library, address: str) -> StorePlace:
    try:
        library.job_queue.check()
    except ImageSearchError as error:
        return StorePlace("queue", address, failure=error.message)
    return StorePlace("queue", address, "Redis")
