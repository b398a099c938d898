"""Notices that another copy of the library, or another library, uses one of its stores.

A copy of SQL's rows or of the folder is the same in every byte, so that nothing fixed could tell them apart.
Therefore each process that opens the library's vectors makes a mark anew and writes it to each store: to SQL,
to a Qdrant server as a point of the centroids' collection, and, where SQL is on a server, to the library's
folder. Whoever finds in a store a mark that SQL does not know is not the one who was there last.

SQL is written first, and knows the former marks until all stores have the new one, so that a process that
dies in between leaves nothing that looks foreign. A library that lies in one folder alone needs no mark:
whoever copies it copies all of it.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from image_search_service.core.errors import CopiedLibraryError, NotFoundError
from image_search_service.core.private_files import PRIVATE_FILE
from image_search_service.core.records.library import StoreMark
from image_search_service.db.models import utc_now
from image_search_service.db.queries import store_marks
from image_search_service.db.session import Database

if TYPE_CHECKING:
    from image_search_service.vector.centroid_qdrant import CentroidQdrantClient

LOOKS = 3
"""How often a store is looked at before it counts as another library's."""


class StoreWithMark(Protocol):
    """A store that other copies of the library can reach. name: in the words of an error."""

    name: str
    is_folder: bool

    def read(self) -> StoreMark | None:
        """Raises UnavailableError."""
        ...

    def write(self, mark: StoreMark) -> None:
        """Raises UnavailableError."""
        ...


class FolderMark:
    """The library's folder, which all its processes share. The mark is written over in place: a network drive
    shows a file that was opened anew as it is, but perhaps not yet that another one has its name."""

    is_folder = True

    def __init__(self, path: Path) -> None:
        self._path = path
        self.name = f"The library's folder is {path.parent}, and the database"

    def read(self) -> StoreMark | None:
        try:
            return StoreMark.of_json(json.loads(self._path.read_bytes()))
        except (FileNotFoundError, ValueError):
            return None

    def write(self, mark: StoreMark) -> None:
        content = json.dumps(mark.to_json()).encode()
        with os.fdopen(os.open(self._path, os.O_RDWR | os.O_CREAT, PRIVATE_FILE), "r+b") as file:
            file.write(content)
            file.truncate()
            file.flush()
            os.fsync(file.fileno())


class QdrantMark:
    """The library's collections on a Qdrant server. open_centroids: of the library as it is now."""

    is_folder = False

    def __init__(self, open_centroids: Callable[[], CentroidQdrantClient]) -> None:
        self._open_centroids = open_centroids
        self.name = "The library's embeddings in Qdrant"

    def read(self) -> StoreMark | None:
        try:
            return self._open_centroids().mark()
        except NotFoundError:  # no collection; or nothing is indexed yet
            return None

    def write(self, mark: StoreMark) -> None:
        centroids = self._open_centroids()
        centroids.ensure_collection()
        centroids.set_mark(mark)


class LibraryMarks:
    """The marks of one library. stores: those that others can reach; without any nothing is asked."""

    def __init__(self, database: Database, folder: Path, stores: Sequence[StoreWithMark]) -> None:
        self._database = database
        self._folder = folder
        self._stores = stores

    def require(self) -> None:
        """Raises CopiedLibraryError if somebody else was the last to open a store: a request and a statement.

        The stores are asked first: a process of this library that opens them meanwhile has told SQL before.
        It may be done by the time SQL is asked; so what looks foreign is looked at again.
        """
        if not self._stores:
            return
        for _ in range(LOOKS - 1):
            found = self._found()
            if _foreign(found, self._known()) is None:
                return
        self._refuse_others()

    def _refuse_others(self) -> list[StoreMark]:
        """The marks that the stores have and SQL knows. Raises CopiedLibraryError."""
        found = self._found()
        known = self._known()
        store = _foreign(found, known)
        if store is not None:
            other = known[-1] if store.is_folder and known else found[store]
            raise CopiedLibraryError(store.name, other, of_folder=store.is_folder)
        return [mark for mark in known if mark in found.values()]

    def claim(self) -> None:
        """Mark the stores as this library's. Raises CopiedLibraryError as ``require``."""
        if self._stores:
            with self._database.turn("mark"):
                self._mark(self._refuse_others())

    def take_over(self) -> None:
        """Mark the stores as this library's, whoever was there last."""
        with self._database.turn("mark"):
            self._mark([])

    def _mark(self, still_there: Sequence[StoreMark]) -> None:
        mark = StoreMark.new(f"{socket.gethostname()}:{self._folder}", utc_now())
        self._know([*still_there, mark])
        for store in self._stores:
            store.write(mark)
        self._know([mark])

    def _know(self, marks: Sequence[StoreMark]) -> None:
        with self._database.write() as session:
            store_marks.set_store_marks(session, marks)

    def _found(self) -> dict[StoreWithMark, StoreMark | None]:
        return {store: store.read() for store in self._stores}

    def _known(self) -> list[StoreMark]:
        with self._database.read() as session:
            return store_marks.store_marks(session)


def _foreign(
    found: Mapping[StoreWithMark, StoreMark | None], known: Sequence[StoreMark]
) -> StoreWithMark | None:
    """A store that is not the library's own, if there is one."""
    others = (store for store, mark in found.items() if not is_own(mark, known, is_folder=store.is_folder))
    return next(others, None)


def is_own(mark: StoreMark | None, known: Sequence[StoreMark], *, is_folder: bool) -> bool:
    """Whether a store with this mark is the library's own, whose SQL knows these. A server without a mark may
    have lost its collections, or be a new one. A folder without one is another folder, if there was one."""
    if mark is None:
        return not (is_folder and known)
    return mark in known
