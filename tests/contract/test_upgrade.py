"""Libraries of an older version in a newer one, and the other way round, on every database."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import URL, select, text

from image_search_service.core.errors import MigrationFailedError, NewerLibraryError, NoBackupError
from image_search_service.db import database_copy
from image_search_service.db.migrate import current_revision, migrate, program_version, written_by
from image_search_service.db.models import PersonRow
from image_search_service.db.session import Database, sqlite_url
from tests.contract.schemas import schema
from tests.support.later_version import LATER, PROGRAM, become_a_later_version


def add_ada(database: Database) -> None:
    with database.write() as session:
        session.add(PersonRow(name="Ada", name_key="ada"))


def names(database: Database) -> list[str]:
    with database.read() as session:
        return list(session.scalars(select(PersonRow.name)))


def test_an_older_program_refuses_and_names_the_one_that_is_needed(
    database: Database, tmp_path: Path
) -> None:
    """Whoever opens a library of a later version reads which one it is from, and nothing is changed."""
    migrate(database, tmp_path)
    assert written_by(database) == program_version()
    with pytest.MonkeyPatch.context() as later:
        become_a_later_version(tmp_path / "migrations", later)
        migrate(database, tmp_path)
    before = schema(database)
    with pytest.raises(NewerLibraryError, match=f"image-search-service {PROGRAM}") as refused:
        migrate(database, tmp_path)
    assert f"Install image-search-service {PROGRAM} or later" in str(refused.value.hint)
    assert schema(database) == before


def test_a_broken_migration_leaves_the_library_as_it_was(database: Database, tmp_path: Path) -> None:
    """Tables, rows and revision are those of before, and the version that wrote them goes on."""
    migrate(database, tmp_path)
    add_ada(database)
    before = schema(database), current_revision(database), written_by(database)
    with pytest.MonkeyPatch.context() as later:
        become_a_later_version(tmp_path / "migrations", later, breaks=True)
        with pytest.raises(MigrationFailedError, match="nowhere"):
            migrate(database, tmp_path / "backups", backup=False)
    assert (schema(database), current_revision(database), written_by(database)) == before
    assert migrate(database, tmp_path) is None
    assert names(database) == ["Ada"]


def test_a_copy_is_made_first(
    kind: str, url: URL, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the migration was from and to is told, and the copy, put back, is the library as it was."""
    migrate(database, tmp_path)
    add_ada(database)
    before = current_revision(database)
    become_a_later_version(tmp_path / "migrations", monkeypatch)
    done = migrate(database, tmp_path / "backups")
    assert done is not None
    assert done.backup is not None
    assert (done.before, done.after) == (before, LATER) == (before, current_revision(database))
    database.close()
    with put_back(kind, url, done.backup) as as_it_was:
        assert (current_revision(as_it_was), names(as_it_was)) == (before, ["Ada"])


@contextmanager
def put_back(kind: str, url: URL, copy: Path) -> Iterator[Database]:
    """The database of a copy: SQLite's as it lies there, PostgreSQL's in place of the one it is of."""
    as_it_was = Database(sqlite_url(copy) if kind == "sqlite" else url)
    if kind != "sqlite":
        with as_it_was.write() as session:
            own = session.execute(text("SELECT current_schema()")).scalar_one()
            session.execute(text(f"DROP SCHEMA {own} CASCADE"))
        server = url.set(drivername="postgresql", query={}).render_as_string(hide_password=False)
        subprocess.run(
            ["psql", "-q", "-v", "ON_ERROR_STOP=1", "-f", copy, server], check=True, capture_output=True
        )
    yield as_it_was
    as_it_was.close()


def test_without_a_copy_nothing_is_changed(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no copy can be made, an older library is left alone, until its owner says that none is needed."""
    migrate(database, tmp_path)
    before = current_revision(database)
    become_a_later_version(tmp_path / "migrations", monkeypatch)
    monkeypatch.setattr(database_copy, "PG_DUMP", "no-such-program")
    (tmp_path / "backups").write_text("no folder")
    with pytest.raises(NoBackupError, match="before it is changed") as refused:
        migrate(database, tmp_path / "backups")
    assert "image-search upgrade --no-backup" in str(refused.value.hint)
    assert current_revision(database) == before
    done = migrate(database, tmp_path / "backups", backup=False)
    assert done is not None
    assert (done.backup, current_revision(database)) == (None, LATER)
