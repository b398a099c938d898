"""The schema, version by version, on every database."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import URL, inspect, text

from image_search_service.core.errors import (
    ImageSearchError,
)
from image_search_service.db.migrate import (
    alembic_config,
    current_revision,
    migrate,
    run_migrations,
)
from image_search_service.db.models import Base, DecisionChange, DecisionRow, PersonRow
from image_search_service.db.session import Database
from tests.contract.schemas import differences, empty_database, schema
from tests.support.later_version import become_a_later_version
from tests.support.waiting import LIMIT

REVISIONS = [
    script.revision for script in reversed([*ScriptDirectory.from_config(alembic_config()).walk_revisions()])
]


@pytest.fixture
def another(kind: str, tmp_path: Path) -> Iterator[Database]:
    """A second empty database of the same kind."""
    with empty_database(kind, tmp_path / "another.sqlite3") as at:
        made = Database(at)
        yield made
        made.close()


def downgrade(database: Database, revision: str) -> None:
    config = alembic_config()
    with database.engine.connect().execution_options(is_writer=True) as connection, connection.begin():
        config.attributes["connection"] = connection
        command.downgrade(config, revision)


def column_order(database: Database) -> dict[str, list[str]]:
    """The columns of each table, in order."""
    return {
        name: [column["name"] for column in inspect(database.engine).get_columns(name)]
        for name in tables(database)
    }


def tables(database: Database) -> set[str]:
    return set(inspect(database.engine).get_table_names()) - {"alembic_version"}


def test_up_down_and_up_again(database: Database) -> None:
    """Every version can be reached from the one before and left again; the last is what the models say."""
    for _ in range(2):
        for revision in REVISIONS:
            run_migrations(database, alembic_config(), revision)
            assert current_revision(database) == revision
        assert differences(database) == []
        assert tables(database) == set(Base.metadata.tables)
        for revision in [*REVISIONS[-2::-1], "base"]:
            downgrade(database, revision)
        assert tables(database) == set()


def test_an_empty_database_gets_what_the_migrations_make(
    database: Database, another: Database, tmp_path: Path
) -> None:
    """The tables, indexes and triggers of a new library are those of one that was migrated step by step."""
    migrate(database, tmp_path)
    for revision in REVISIONS:
        run_migrations(another, alembic_config(), revision)
    assert schema(database) == schema(another)
    assert column_order(database) == column_order(another)
    assert current_revision(database) == current_revision(another)


def test_the_comparison_would_find_a_difference(database: Database, tmp_path: Path) -> None:
    """A column too many is a difference; so the check above can fail."""
    migrate(database, tmp_path)
    with database.engine.connect().execution_options(is_writer=True) as connection, connection.begin():
        connection.execute(text("ALTER TABLE persons ADD COLUMN surplus INTEGER"))
    assert differences(database) != []


def test_what_was_there_is_kept(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of this version live on in a later one, and what that adds has its default for them."""
    migrate(database, tmp_path)
    with database.write() as session:
        session.add(PersonRow(name="Ada", name_key="ada"))
    become_a_later_version(tmp_path / "migrations", monkeypatch)
    migrate(database, tmp_path)
    with database.engine.connect() as connection:
        assert connection.execute(text("SELECT name, nickname FROM persons")).all() == [("Ada", "none")]


@pytest.mark.depth
def test_many_start_at_once(url: URL, tmp_path: Path) -> None:
    """A service and its workers that start together on an empty database make its schema once."""
    program = "import sys; from pathlib import Path; from image_search_service.db.migrate import migrate; "
    program += "from image_search_service.db.session import Database; "
    program += "migrate(Database(sys.argv[1]), Path(sys.argv[2]))"
    command_line = [sys.executable, "-c", program, url.render_as_string(hide_password=False), str(tmp_path)]
    started = [subprocess.Popen(command_line, stderr=subprocess.PIPE, text=True) for _ in range(3)]
    assert [process.communicate(timeout=LIMIT)[1] for process in started] == [""] * 3
    last = Database(url)
    assert differences(last) == []
    last.close()


@pytest.mark.parametrize("table", ["decisions", "decision_changes"])
@pytest.mark.parametrize("change", ["UPDATE {} SET id = id + 1", "DELETE FROM {}"])
def test_the_database_keeps_events(database: Database, tmp_path: Path, table: str, change: str) -> None:
    """What was decided is neither changed nor deleted, whoever asks the database to."""
    migrate(database, tmp_path)
    with database.write() as session:
        decision = DecisionRow(kind="create_person", actor="ada")
        session.add(decision)
        session.flush()
        session.add(DecisionChange(decision_id=decision.id, fact="person_gone", subject_id=uuid4()))
    with pytest.raises(ImageSearchError, match="never changed"), database.write() as session:
        session.execute(text(change.format(table)))
    with database.read() as session:
        assert session.execute(text(f"SELECT count(*) FROM {table}")).scalar_one() == 1  # noqa: S608 - our names
