"""Opening the database, and the two kinds of transaction: ``read`` and ``write``."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry

from image_search_service.core.errors import UnavailableError
from image_search_service.core.fair_lock import FairLock
from image_search_service.db.errors import read_json, translated
from image_search_service.db.turns import ServerTurns

__all__ = ["Database", "Session", "sqlite_url"]

SQLITE_BUSY_SECONDS = 30
"""How long a writer waits for another one before SQLite says "database is locked"."""


CONNECTION_SECONDS = 10
"""How long whoever needs a connection waits for one of the pool."""

CONNECTIONS = 15
"""So many at once, each of which stays open: to open one, and to prepare its statements, takes longer than
most answers."""

SQLITE_PREPARED = 1_000
"""So many statements each connection keeps prepared."""

SERVER_PREPARED = 300
"""The same of PostgreSQL, whose plans take memory of the server's, for each connection its own."""

SERVER_PREPARES_AFTER = 1
"""So many times PostgreSQL runs a statement before it is prepared: to plan it takes as long as to run it."""

SQLITE_LOG_PAGES = 4_000
"""Pages in SQLite's log (16 MB) until a writer copies them into the file, while the next one waits: with
SQLite's own 1,000 every fifth naming would do it."""

SQLITE_MAPPED_BYTES = 1 << 30
"""So much of the file is read as memory instead of copied page by page."""


SQLITE_RESERVE = 4 * 2**20
"""Bytes that must be free before SQLite writes. The index of its log is a file in memory, which it makes
longer without filling it where blocks are smaller than its pages: on a full disk that ends the process
(SIGBUS)."""


def sqlite_url(path: Path) -> URL:
    return URL.create("sqlite+pysqlite", database=str(path))


class Database:
    """A connection pool and its sessions. Both kinds of session end with the ``with`` block:
    ``write`` commits when the block succeeds and rolls back when it raises; ``read`` never commits."""

    def __init__(self, url: str | URL) -> None:
        self.url = make_url(url)
        self.engine = create_engine(
            self.url,
            pool_pre_ping=not self.is_sqlite,
            pool_timeout=CONNECTION_SECONDS,
            pool_size=CONNECTIONS,
            max_overflow=0,
            pool_use_lifo=True,  # the one that has its statements and pages at hand
            connect_args=self._connect_args(),
            json_deserializer=read_json,
        )
        if self.is_sqlite:
            _prepare_sqlite(self.engine)
        else:
            _prepare_postgresql(self.engine)
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)
        self._turns: dict[str, threading.Lock] = {}
        self._server_turns = ServerTurns(self.engine)
        self._writer = FairLock("the database", SQLITE_BUSY_SECONDS)
        """SQLite has one writer, and its library belongs to this process: who writes next is settled here."""
        self._write_connection: Connection | None = None

    @property
    def is_sqlite(self) -> bool:
        return self.url.get_backend_name() == "sqlite"

    @property
    def address(self) -> str:
        """The address, without the password."""
        return self.url.render_as_string(hide_password=True)

    def server_version(self) -> str:
        """The server's version, such as ``15.3``."""
        with self.read() as session:
            return str(session.scalar(text("SHOW server_version")))

    def _connect_args(self) -> dict[str, Any]:
        if not self.is_sqlite:
            return {"prepare_threshold": SERVER_PREPARES_AFTER}
        return {"timeout": SQLITE_BUSY_SECONDS, "cached_statements": SQLITE_PREPARED}

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session on one consistent snapshot."""
        with translated(), self._sessions() as session:
            yield session

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """A session whose statements, however many, all see the database as it was at the first of them."""
        with self.read() as session:
            if not self.is_sqlite:  # whose reading transactions are all so
                session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            yield session

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session whose changes are committed together at the end of the block, or not at all."""
        self._require_space()
        with translated(), self._writing() as session:
            session.connection(execution_options={"is_writer": True})
            self._server_turns.require(session)
            yield session
            session.commit()

    @contextmanager
    def _writing(self) -> Iterator[Session]:
        """A session that may write. SQLite's writers have one connection, one after the other: it has their
        statements prepared, which for those that triggers follow takes longer than to run them."""
        if not self.is_sqlite:
            with self._sessions() as session:
                yield session
            return
        with self._writer.held():
            if self._write_connection is None:
                self._write_connection = self.engine.connect()
            with self._sessions(bind=self._write_connection) as session:
                yield session

    def _require_space(self) -> None:
        if not self.is_sqlite or not self.url.database:
            return
        folder = Path(self.url.database).parent
        free = shutil.disk_usage(folder).free if folder.is_dir() else SQLITE_RESERVE
        if free < SQLITE_RESERVE:
            raise UnavailableError(
                f"The disk of {folder} is full: {free // 2**10:,} kB are free.",
                hint="Make room on the disk; the same command goes on from there.",
            )

    @contextmanager
    def turn(self, what: str, waiting: Callable[[], object] = lambda: None) -> Iterator[None]:
        """One process and thread at a time does ``what`` on this library; ``waiting`` is called every second
        until it is one's turn, and may raise to give up. A process that dies gives its turn back; one that
        loses it writes no more: ``write`` raises LostTurnError in the thread that took it."""
        if self.is_sqlite:  # whose library is locked: nobody else is in another process
            lock = self._turns.setdefault(what, threading.Lock())
            while not lock.acquire(timeout=1.0):
                waiting()
            try:
                yield
            finally:
                lock.release()
            return
        with translated(), self._server_turns.taken(what, waiting):
            yield

    def close(self) -> None:
        """Close all connections; whoever writes in another thread ends first."""
        if self._write_connection is not None:
            with self._writer.held():
                self._write_connection.close()
                self._write_connection = None
        self.engine.dispose()


def _prepare_postgresql(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _record: ConnectionPoolEntry) -> None:
        connection.prepared_max = SERVER_PREPARED


def _prepare_sqlite(engine: Engine) -> None:
    """WAL mode, enforced foreign keys, and real transactions.

    pysqlite would begin a transaction only before a write, too late for a consistent read; so it is told
    to leave that to us (as SQLAlchemy's manual shows). A writer takes its lock at once (``IMMEDIATE``):
    a reader that turned writer would fail at once instead of waiting for its turn. What was acknowledged is
    on the disk (``FULL``): with less, WAL mode forgets the last transactions when the power fails.
    """

    @event.listens_for(engine, "connect")
    def _on_connect(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute(f"PRAGMA mmap_size={SQLITE_MAPPED_BYTES}")
        cursor.execute("PRAGMA temp_store=MEMORY")
        cursor.execute(f"PRAGMA wal_autocheckpoint={SQLITE_LOG_PAGES}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        writer = connection.get_execution_options().get("is_writer", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writer else "BEGIN")
