"""The library's folders: which are indexed when none is named, and what is left out of them.

A folder that is indexed becomes one of them. Removing one, or leaving something out, removes no photo.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from image_search_service.core.errors import InvalidInputError, NotFoundError
from image_search_service.core.files import has_vanished
from image_search_service.core.records.photos import RootRecord
from image_search_service.core.types import JsonObject
from image_search_service.db.queries import absent_folders, index_roots
from image_search_service.db.session import Database
from image_search_service.media.excluding import checked_excludes


def root_json(root: RootRecord) -> JsonObject:
    """A folder as commands print it and the API answers it."""
    return {
        "path": str(root.path),
        "excludes": list(root.excludes),
        "indexed_at": None if root.indexed_at is None else root.indexed_at.isoformat(),
        "state": root.state,
        "photos": root.photos,
        "excluded": root.excluded,
    }


def topmost_of(paths: Sequence[Path]) -> list[Path]:
    """Those that are in no other one."""
    return [path for path in paths if not any(path != one and path.is_relative_to(one) for one in paths)]


class RootService:
    """Lists, adds, changes and removes folders."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def roots(self) -> list[RootRecord]:
        """All of them by path."""
        with self._database.read() as session:
            return index_roots.roots(session)

    def paths(self) -> list[Path]:
        """Where all of them are."""
        with self._database.read() as session:
            return absent_folders.index_roots(session)

    def topmost(self) -> list[Path]:
        """Those that are in no other one. Raises InvalidInputError if there is none."""
        paths = self.paths()
        if not paths:
            raise InvalidInputError(
                "The library has no folder yet.", hint="Name one: image-search index ~/Pictures"
            )
        return topmost_of(paths)

    def save(self, path: Path, excludes: Sequence[str] | None = None) -> RootRecord:
        """Add a folder, or change what it leaves out; the next run of indexing goes by it.

        excludes: lines in gitignore's form; None leaves them.
        Raises InvalidInputError for others, and for a path that does not exist.
        """
        lines = None if excludes is None else checked_excludes(excludes)
        if has_vanished(path):
            raise InvalidInputError(f"{path} does not exist.", hint="Give a folder of photos, or a photo.")
        with self._database.write() as session:
            index_roots.save_root(session, path, lines)
            return next(root for root in index_roots.roots(session) if root.path == path)

    def remove(self, path: Path) -> list[RootRecord]:
        """Remove a folder, and those in it, from the list; the photos stay. Returns what was removed.

        Raises NotFoundError if it is none of them.
        """
        with self._database.write() as session:
            before = index_roots.roots(session)
            if path not in {root.path for root in before}:
                raise NotFoundError(
                    f"{path} is no folder of the library.", hint="`image-search roots list` lists them."
                )
            index_roots.remove_roots(session, path)
        return [root for root in before if root.path.is_relative_to(path)]
