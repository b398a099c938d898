"""The face engine that the library is bound to, opened when it is first needed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from image_search_service.core.config import Settings
from image_search_service.core.errors import (
    ConflictError,
    EngineMismatchError,
    InvalidInputError,
    NotFoundError,
)
from image_search_service.core.lazy import locked_property
from image_search_service.core.types import EngineIdentity, JsonObject, Progress
from image_search_service.db.models import LibraryRow
from image_search_service.db.queries import library as library_queries
from image_search_service.db.session import Database

if TYPE_CHECKING:
    from image_search_service.recognition.engines.base import FaceEngine
    from image_search_service.recognition.engines.calibration import Calibration

Note = Callable[[str], None]
"""Told what the user should know, such as which engine was chosen."""
Watch = Callable[[str, str], AbstractContextManager[Progress]]
"""``watch(what, unit)`` shows a progress bar for the length of the block; see ``Output.progress``."""


def no_note(_message: str) -> None:
    """A ``Note`` for where nobody reads notes."""


@contextmanager
def no_watch(_what: str, _unit: str) -> Iterator[Progress]:
    """A ``Watch`` for where nobody watches."""
    yield lambda _done, _total: None


class EngineBinding:
    """A library has one engine: the one that its first photos were indexed with."""

    def __init__(self, settings: Settings, database: Database, root: Path, note: Note, watch: Watch) -> None:
        self._settings = settings
        self.database = database
        self._root = root
        self._note = note
        self._watch = watch
        self._first_bound: EngineIdentity | None = None

    def row(self) -> LibraryRow | None:
        """The library's row, or None while the library is bound to no engine. Raises ConflictError when
        another process has moved the library to another engine meanwhile."""
        with self.database.read() as session:
            row = library_queries.get_library(session)
        if row is not None:
            self._refuse_if_moved(identity_of(row))
        return row

    def _refuse_if_moved(self, bound: EngineIdentity) -> None:
        """Raises ConflictError when another process has moved the library to another engine.

        What this process has opened belongs to the engine that it found first.
        """
        self._first_bound = self._first_bound or bound
        if bound != self._first_bound:
            raise ConflictError(
                f"Another process has moved the library to the engine {bound.name}.",
                hint="Start this one again.",
            )

    def require_row(self) -> LibraryRow:
        """The library's row. Raises NotFoundError for a library in which nothing has been indexed."""
        row = self.row()
        if row is None:
            raise NotFoundError(
                f"The library {self._root} is empty.",
                hint="Index a folder of photos first: image-search index FOLDER.",
            )
        return row

    def bind(self) -> EngineIdentity:
        """The engine that the library belongs to; a new library is bound to the one that the settings name.

        Raises EngineMismatchError when the settings name another engine than the library was made with.
        """
        row = self.row()
        if row is None:
            return self.engine.identity
        if self._settings.engine not in ("auto", row.engine_name):
            raise EngineMismatchError(identity_of(row), self._settings.engine)
        if self._names_other_files(row):
            return self.engine.identity
        return identity_of(row)

    def open_other(self, name: str) -> tuple[FaceEngine, dict[str, str]]:
        """Another engine than the library's, opened as for a new library, and the files given for it.

        Raises InvalidInputError for ``auto``, UnavailableError if its models cannot be had.
        """
        if name == "auto":
            raise InvalidInputError(
                "A library is moved to an engine of your choice.",
                hint="Name it; `image-search models list` lists them.",
            )
        files = _engine_files(None, self._settings)
        engine = self._open(name, files)
        return engine, {name: str(path) for name, path in files.items()}

    def forget(self) -> None:
        """After the library was moved to another engine: let that one be opened when it is needed."""
        self.__dict__.pop("engine", None)
        self._first_bound = None

    @locked_property
    def engine(self) -> FaceEngine:
        """The face engine, opened and checked against the library. Raises EngineMismatchError."""
        row, settings = self.row(), self._settings
        if row is not None and settings.engine not in ("auto", row.engine_name):
            raise EngineMismatchError(identity_of(row), settings.engine)
        files = _engine_files(row, settings)
        engine = self._open(settings.engine if row is None else row.engine_name, files)
        if row is not None and engine.identity != identity_of(row):
            raise EngineMismatchError(identity_of(row), engine.identity)
        stored = None if row is None else row.calibration
        if stored is not None:
            engine.calibration = _stored_calibration(stored, engine.identity, engine.calibration)
        self._remember(row, engine.identity, {name: str(path) for name, path in files.items()})
        return engine

    def calibration(self) -> Calibration:
        """The one that was measured for this library, else the engine's, known without its models.

        Raises NotFoundError for a library in which nothing has been indexed.
        """
        from image_search_service.recognition.engines.calibrated import engine_calibration

        row = self.require_row()
        own = engine_calibration(identity_of(row))
        if row.calibration is None:
            return own
        return _stored_calibration(row.calibration, identity_of(row), own)

    def store_calibration(self, calibration: Calibration) -> None:
        """Let the library use these numbers from now on; its faces are to be grouped again."""
        from image_search_service.recognition.engines.calibration import to_json

        with self.database.write() as session:
            library_queries.set_calibration(session, to_json(calibration, self.engine.identity))
        self.engine.calibration = calibration

    def _open(self, name: str, files: Mapping[str, Path]) -> FaceEngine:
        from image_search_service.recognition.engines.registry import open_engine

        settings = self._settings
        return open_engine(
            name,
            models=settings.models,
            detector=files.get("detector"),
            recognizer=files.get("recognizer"),
            offline=settings.offline,
            source=settings.model_source,
            watch=self._watch,
            note=self._note,
        )

    def _remember(self, row: LibraryRow | None, engine: EngineIdentity, files: dict[str, str]) -> None:
        if row is not None and files == row.engine_files:
            return
        with self.database.write() as session:
            if row is None:
                library_queries.bind_engine(session, engine, files)
                self._tell_if_estimated(engine)
            else:
                library_queries.set_engine_files(session, files)

    def _tell_if_estimated(self, engine: EngineIdentity) -> None:
        from image_search_service.recognition.engines.calibrated import engine_calibration

        calibration = engine_calibration(engine)
        if not calibration.is_measured:
            self._note(
                f"The thresholds of the engine {engine.name} are estimated ({calibration.source}). "
                "`image-search calibrate FOLDER` measures them on a folder of known people."
            )

    def _names_other_files(self, row: LibraryRow) -> bool:
        """Whether files are given that may not be the library's own; comparing them loads no model."""
        from image_search_service.recognition.engines.model_store import combined_checksum

        if not (self._settings.recognizer or self._settings.detector):
            return False
        files = _engine_files(row, self._settings)
        paths = [files.get("detector"), files.get("recognizer")]
        known = [path for path in paths if path is not None and path.is_file()]
        return len(known) != len(paths) or combined_checksum(*known) != row.engine_checksum


def _stored_calibration(stored: JsonObject, engine: EngineIdentity, own: Calibration) -> Calibration:
    from image_search_service.recognition.engines.calibration import from_json

    return from_json(stored, engine, own)


def identity_of(row: LibraryRow) -> EngineIdentity:
    return EngineIdentity(row.engine_name, row.engine_checksum, row.dimension)


def _engine_files(row: LibraryRow | None, settings: Settings) -> dict[str, Path]:
    """The engine's own files: as given now, else as they were given when the library was made."""
    files = {} if row is None else {name: Path(path) for name, path in row.engine_files.items()}
    now = {"detector": settings.detector, "recognizer": settings.recognizer}
    return files | {name: path for name, path in now.items() if path is not None}
