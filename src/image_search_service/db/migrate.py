"""Brings a database to this version's schema: a newer one is refused, an older one copied first.

An empty database gets the models' tables at once. Alembic is imported only for an older one: every command
opens the database, which is nearly always of this version.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    Column,
    Connection,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    exc,
    insert,
    inspect,
    select,
    update,
)

from image_search_service.core.errors import (
    DamagedDatabaseError,
    DataIntegrityError,
    MigrationFailedError,
    NewerLibraryError,
    UnavailableError,
    UnreleasedLibraryError,
)
from image_search_service.db.database_copy import copy_database
from image_search_service.db.errors import translate, translated
from image_search_service.db.models import Base
from image_search_service.db.models.base import state_index_conditions
from image_search_service.db.session import Database

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"
UNRELEASED = frozenset(f"000{number}" for number in range(1, 10))
"""Revisions of development versions; the first release begins with 0100."""
MIGRATION_LOCK = 0x696D6167655F73
"""Any number that no other program on the database takes: "image_s" in ASCII."""
VERSIONS = Table(
    "alembic_version",
    MetaData(),
    Column("version_num", String(32), nullable=False),
    Column("program", String(32)),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
"""Alembic's own table: one row with the schema's revision. program: the version of this program that laid
the schema, which versions that do not know it name as the one that is needed; so both stay for ever."""


@dataclass(frozen=True, slots=True)
class Migration:
    """What was done to an older library. before, after: revisions of its schema. program: the version that
    had written it. backup: its database as it was."""

    before: str
    after: str
    program: str | None
    backup: Path | None


def migrate(database: Database, backups: Path, *, backup: bool = True) -> Migration | None:
    """Upgrade to the newest schema; returns what was done to a library of an older version.

    backups: the folder for a copy of the database, which is made before. backup: False makes none.
    Raises NewerLibraryError, UnreleasedLibraryError, NoBackupError, MigrationFailedError,
    DamagedDatabaseError; the library is as it was then.
    """
    with translated():
        current = current_revision(database) or _create_schema(database)
        if current == head_revision():
            _require_tables(database)
            return None
        require_known(current, written_by(database))
        try:
            return _migrate(database, backups if backup else None)
        except (exc.DBAPIError, DataIntegrityError) as error:
            if isinstance(error, exc.DBAPIError) and isinstance(translate(error), UnavailableError):
                raise
            reason = getattr(error, "orig", None) or error
            raise MigrationFailedError(current, head_revision(), str(reason).strip()) from error


def _migrate(database: Database, backups: Path | None) -> Migration | None:
    """None if another process was quicker."""
    with (
        database.engine.connect().execution_options(is_writer=True) as connection,
        foreign_keys_checked_last(connection),
        connection.begin(),
    ):
        _wait_for_others(connection)
        before, program = connection.execute(select(VERSIONS.c.version_num, VERSIONS.c.program)).one()
        if before == head_revision():
            return None
        copy = copy_database(database, backups, before) if backups else None
        upgrade(connection, alembic_config(), "head")
        check_foreign_keys(connection)
    return Migration(before, head_revision(), program, copy)


def program_version() -> str:
    """This program's version."""
    return version("image-search-service")


def head_revision() -> str:
    """The revision of this version's schema."""
    return revisions()[-1]


def revisions() -> list[str]:
    """All revisions, oldest first: a migration's file name begins with its revision, in the order of both."""
    return sorted(path.stem.partition("_")[0] for path in (MIGRATIONS / "versions").glob("*.py"))


def require_known(revision: str, program: str | None) -> None:
    """Raises NewerLibraryError for a revision that this version does not know, UnreleasedLibraryError for one
    that no released version wrote. program: the version that wrote it."""
    if revision in UNRELEASED:
        raise UnreleasedLibraryError(revision)
    if revision not in revisions():
        raise NewerLibraryError(revision, program, program_version())


def alembic_config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def current_revision(database: Database) -> str | None:
    """The revision that the database has, or None for an empty one."""
    with database.engine.connect() as connection:
        return _revision(connection)


def written_by(database: Database) -> str | None:
    """The version of this program that laid the schema; None if that was not written down."""
    with database.engine.connect() as connection:
        columns = {column["name"] for column in inspect(connection).get_columns(VERSIONS.name)}
        return connection.scalar(select(VERSIONS.c.program)) if VERSIONS.c.program.name in columns else None


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table(VERSIONS.name):
        return None
    return connection.scalar(select(VERSIONS.c.version_num))


def _create_schema(database: Database) -> str:
    """The newest schema in an empty database, as all migrations would make it; returns its revision.

    Of several processes that start at once, one creates it; the others find it.
    """
    with (
        database.engine.connect().execution_options(is_writer=True) as connection,
        connection.begin(),
    ):
        _wait_for_others(connection)
        current = _revision(connection)
        if current is None:
            if connection.dialect.name == "sqlite" and inspect(connection).get_table_names():
                raise DamagedDatabaseError(f"there is no table {VERSIONS.name}")
            current = head_revision()
            state_index_conditions(connection.dialect.name)
            Base.metadata.create_all(connection, checkfirst=False)
            VERSIONS.create(connection, checkfirst=False)
            connection.execute(insert(VERSIONS).values(version_num=current, program=program_version()))
        return current


def _require_tables(database: Database) -> None:
    """Raises DamagedDatabaseError if SQLite lacks a table: its list of tables is part of the file, too."""
    if not database.is_sqlite:
        return
    with database.engine.connect() as connection:
        lacking = sorted(Base.metadata.tables.keys() - set(inspect(connection).get_table_names()))
    if lacking:
        raise DamagedDatabaseError(f"there is no table {', '.join(lacking)}")


def _wait_for_others(connection: Connection) -> None:
    """One process at a time changes a schema, until its transaction ends: a writer to SQLite has the whole
    database for itself, PostgreSQL is asked for a lock."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")


def run_migrations(database: Database, config: Config, revision: str) -> None:
    """Up to ``revision`` in one transaction; SQLite, too, takes DDL back if a step fails."""
    with (
        database.engine.connect().execution_options(is_writer=True) as connection,
        foreign_keys_checked_last(connection),
        connection.begin(),
    ):
        upgrade(connection, config, revision)
        check_foreign_keys(connection)


def upgrade(connection: Connection, config: Config, revision: str) -> None:
    """Up to ``revision`` in the transaction that the connection is in, without a look at foreign keys."""
    _wait_for_others(connection)
    from alembic import command

    VERSIONS.create(connection, checkfirst=True)
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
    connection.execute(update(VERSIONS).values(program=program_version()))


@contextmanager
def foreign_keys_checked_last(connection: Connection) -> Iterator[None]:
    """SQLite alters a table by copying and dropping it, which the keys of rows that refer to it would forbid;
    they can only be turned off outside of a transaction (https://sqlite.org/lang_altertable.html)."""
    if connection.dialect.name != "sqlite":
        yield
        return
    raw: Any = connection.connection.driver_connection
    raw.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        raw.execute("PRAGMA foreign_keys=ON")


def check_foreign_keys(connection: Connection) -> None:
    """Raises DataIntegrityError when rows refer to what is not there; PostgreSQL has looked already."""
    if connection.dialect.name == "sqlite":
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        if broken:
            raise DataIntegrityError(f"Rows refer to what is not there: {broken[:5]}.")
