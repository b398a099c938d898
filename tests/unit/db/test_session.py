"""Transactions and the database's errors."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import func, insert, select, text

from image_search_service.core.errors import ConflictError, DataIntegrityError, UnavailableError
from image_search_service.db.migrate import migrate
from image_search_service.db.models import IndexRun, PersonRow
from image_search_service.db.session import Database, sqlite_url
from tests.support.world import migrated_database


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(sqlite_url(tmp_path / "library.sqlite3"))
    migrate(made, tmp_path)
    yield made
    made.close()


def runs(database: Database) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(IndexRun)) or 0


def test_write_commits_at_the_end_of_the_block(database: Database) -> None:
    """What was written in a block that succeeds is there afterwards."""
    with database.write() as session:
        session.add(IndexRun())
    assert runs(database) == 1


def test_write_rolls_back_when_the_block_raises(database: Database) -> None:
    """A block that fails leaves nothing half done."""
    with pytest.raises(KeyboardInterrupt), database.write() as session:
        session.add(IndexRun())
        session.flush()
        raise KeyboardInterrupt
    assert runs(database) == 0


def test_read_sees_one_snapshot(database: Database) -> None:
    """A reader does not see what is committed while it reads."""
    with database.read() as reader:
        assert reader.scalar(select(func.count()).select_from(IndexRun)) == 0
        with database.write() as session:
            session.add(IndexRun())
        assert reader.scalar(select(func.count()).select_from(IndexRun)) == 0
    assert runs(database) == 1


def test_broken_constraint_is_a_conflict(database: Database) -> None:
    """Two people of the same id are refused."""
    twice = [{"id": UUID(int=1), "name": name, "name_key": name} for name in ("ada", "grace")]
    with pytest.raises(ConflictError), database.write() as session:
        session.execute(insert(PersonRow), twice)


def test_file_that_is_no_database_is_an_integrity_error(tmp_path: Path) -> None:
    """A damaged database is named as such, with what to do."""
    path = tmp_path / "library.sqlite3"
    path.write_bytes(b"not a database at all" * 100)
    broken = Database(sqlite_url(path))
    with pytest.raises(DataIntegrityError, match="not a database"):
        migrate(broken, tmp_path)
    broken.close()


def test_folder_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    """A database that cannot be opened is unavailable, not empty."""
    absent = Database(sqlite_url(tmp_path / "nowhere" / "library.sqlite3"))
    with pytest.raises(UnavailableError, match="unable to open"):
        migrate(absent, tmp_path)
    absent.close()


def test_full_disk_is_unavailable_with_advice(database: Database) -> None:
    """A full disk is said to be one, and what was committed before is still there."""
    with database.write() as session:
        session.add(IndexRun())
        pages = session.connection().exec_driver_sql("PRAGMA page_count").scalar()
    with pytest.raises(UnavailableError, match="full") as full, database.write() as session:
        session.connection().exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        session.add_all(PersonRow(name=f"{n}" * 500, name_key=str(n)) for n in range(100))
    assert "Make room" in (full.value.hint or "")
    assert runs(database) == 1


def test_nothing_is_written_to_a_disk_that_is_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLite would be ended by a signal where it makes its shared memory longer; reading goes on."""
    database = migrated_database(tmp_path)
    nearly_full = shutil.disk_usage(tmp_path)._replace(free=2**20)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: nearly_full)
    with pytest.raises(UnavailableError, match="is full: 1,024 kB"), database.write():
        pytest.fail("nothing is to be written")
    with database.read() as session:
        assert session.scalar(text("SELECT 1")) == 1
    database.close()


def test_writers_share_a_connection(database: Database) -> None:
    """One after the other has the same, with its statements prepared; who reads meanwhile has another; closed
    and opened again, it writes."""
    used = []
    for _ in range(3):
        with database.write() as session:
            session.add(IndexRun())
            used.append(session.connection().connection.driver_connection)
            with database.read() as reader:
                assert reader.connection().connection.driver_connection is not used[0]
    assert len(set(map(id, used))) == 1
    database.close()
    with database.write() as session:
        session.add(IndexRun())
    assert runs(database) == 4


def test_a_writer_that_failed_leaves_nothing_to_the_next(database: Database) -> None:
    """On the same connection: neither its rows nor its transaction."""
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), database.write() as session:
            session.add(IndexRun())
            session.flush()
            raise ZeroDivisionError
    with database.write() as session:
        session.add(IndexRun())
    assert runs(database) == 1
