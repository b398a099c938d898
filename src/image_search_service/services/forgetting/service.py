"""Folders that are away or gone, and photos that are forgotten because no file of them exists any more.

Forgetting is a decision: the photos and their faces are left out everywhere, and undoing it brings them back.
Nothing is removed until the user asks to erase it (``erasing.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from uuid import UUID

from image_search_service.core.decisions import Fact, Key
from image_search_service.core.errors import InvalidInputError, NotFoundError
from image_search_service.core.files import has_vanished
from image_search_service.core.records.photos import AbsentFolderRecord, AbsentState
from image_search_service.db.queries import absent_folders, index_roots
from image_search_service.db.session import Session
from image_search_service.services.decisions.base import DecisionService
from image_search_service.services.decisions.facts import Facts


@dataclass(frozen=True, slots=True)
class Absence:
    """A folder that is not there. files: those that were not missing before. photos: those that lie nowhere
    else."""

    path: Path
    state: AbsentState
    files: int
    photos: int


@dataclass(frozen=True, slots=True)
class Forgetting:
    """What is forgotten, or would be. away: photos that are missing, too, and that stay because their folder
    is only away. excluded: photos that stay because excludes leave them out. decision: its number, for
    undo.
    """

    photos: int
    faces: int
    away: int
    excluded: int = 0
    decision: int | None = None


class ForgettingService(DecisionService):
    """Marks folders, and forgets photos of which no file exists any more. Their files' drives need not be
    there."""

    def absent(self) -> list[AbsentFolderRecord]:
        """Folders that are not there, by path."""
        with self._database.read() as session:
            return absent_folders.absent_folders(session)

    def mark(self, path: Path, state: AbsentState) -> Absence:
        """Say that a folder, drive or file is away, or gone for good: everything below it is missing.

        Raises NotFoundError if the library knows nothing below it, InvalidInputError if something of that is
        there.
        """
        with self._database.read() as session:
            if not absent_folders.is_known(session, path):
                raise NotFoundError(
                    f"The library knows no photo below {path}.", hint="`image-search info` lists its folders."
                )
            files = absent_folders.files_below(session, path)
            there = next((file for file in files if not has_vanished(file)), None)
        if there is not None:
            raise InvalidInputError(f"{there} is there.", hint="`image-search index` reads what has changed.")
        with self._deciding() as session:
            files_missing = absent_folders.mark_absent(session, path, state)
            nowhere = absent_folders.missing_below(session, [path])
            return Absence(path, state, files_missing, absent_folders.count_readable(session, nowhere))

    def plan(self, paths: Sequence[Path] = (), *, excluded: bool = False) -> Forgetting:
        """What ``forget`` would forget."""
        with self._database.read() as session:
            return _counted(session, _to_forget(session, paths, excluded=excluded))

    def forget(
        self, paths: Sequence[Path] = (), based_on: int | None = None, *, excluded: bool = False
    ) -> Forgetting:
        """Leave out photos of which no file exists any more, as one decision.

        paths: only those of which a file was at or below one of these; without them all, but for photos in
        folders that are away. excluded: those, too, whose files are only left out. A photo whose file comes
        back is shown again, with all that was said of it.
        """
        with self._deciding() as session:
            wanted = _to_forget(session, paths, excluded=excluded)
            counted = _counted(session, wanted)
            facts: Facts = {Key(Fact.PHOTO_FORGOTTEN, photo): True for photo in wanted.photos}
            details = {"paths": [str(path) for path in paths]} if paths else {}
            made = self._decide(session, "forget_photos", facts, based_on, details)
            return replace(counted, decision=made.id)


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The photos to forget, and those that are missing, too, and stay."""

    photos: list[UUID]
    away: set[UUID]
    excluded: set[UUID]


def _counted(session: Session, wanted: _Wanted) -> Forgetting:
    return Forgetting(
        absent_folders.count_readable(session, wanted.photos),
        absent_folders.count_faces(session, wanted.photos),
        absent_folders.count_readable(session, wanted.away),
        absent_folders.count_readable(session, wanted.excluded),
    )


def _to_forget(session: Session, paths: Sequence[Path], *, excluded: bool) -> _Wanted:
    """Without paths, what is only away stays; what is only left out stays unless it is asked for."""
    chosen = index_roots.excluded_photos(session)
    if paths:
        missing, away = absent_folders.missing_below(session, paths), set[UUID]()
    else:
        missing, away = absent_folders.missing_photos(session), _only_away(session)
    left_out = set[UUID]() if excluded else missing & chosen
    return _Wanted(sorted(missing - left_out - away), missing & away - left_out, left_out)


def _only_away(session: Session) -> set[UUID]:
    states = absent_folders.absent_states(session)
    gone = [path for path, state in states.items() if state is AbsentState.GONE]
    away = [path for path, state in states.items() if state is AbsentState.AWAY]
    return absent_folders.missing_below(session, away) - absent_folders.missing_below(session, gone)
