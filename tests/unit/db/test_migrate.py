"""Migrations: forward with a copy, never backward by accident, and true to the models."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import inspect

from image_search_service.core.errors import NewerLibraryError, UnreleasedLibraryError
from image_search_service.db.migrate import alembic_config, current_revision, migrate, run_migrations
from image_search_service.db.models import Base
from image_search_service.db.session import Database, sqlite_url


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(sqlite_url(tmp_path / "library.sqlite3"))
    yield made
    made.close()


def test_new_database_gets_the_newest_schema_without_a_copy(database: Database, tmp_path: Path) -> None:
    """There is nothing to copy in a library that has just been made."""
    assert migrate(database, tmp_path / "backups") is None
    assert current_revision(database) is not None
    assert not (tmp_path / "backups").exists()


def test_migrated_schema_is_the_models_schema(database: Database) -> None:
    """Alembic finds no difference between what the migrations made and what the models say."""
    run_migrations(database, alembic_config(), "head")
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, Base.metadata) == []


def test_newer_library_is_refused_and_left_alone(database: Database, tmp_path: Path) -> None:
    """A revision that this version does not know is an error that names it and says what to do."""
    migrate(database, tmp_path / "backups")
    with database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(NewerLibraryError, match="9999"):
        migrate(database, tmp_path / "backups")
    assert current_revision(database) == "9999"


@pytest.mark.parametrize("revision", ["0001", "0006"])
def test_a_library_from_before_the_first_release_is_refused(
    database: Database, tmp_path: Path, revision: str
) -> None:
    """A revision that only development versions wrote is refused with the way to carry its names over."""
    migrate(database, tmp_path / "backups")
    with database.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = ?", (revision,))
    with pytest.raises(UnreleasedLibraryError, match=revision) as refused:
        migrate(database, tmp_path / "backups")
    assert "image-search export" in str(refused.value.hint)


def test_every_migration_can_be_taken_back(database: Database, tmp_path: Path) -> None:
    """Downgrading to nothing leaves no table of ours."""
    migrate(database, tmp_path / "backups")
    config = alembic_config()
    with database.engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    assert inspect(database.engine).get_table_names() == ["alembic_version"]
