"""Many who download a backup and take it slowly, or not at all: nobody else notices. And a job that writes
one and is killed."""

from __future__ import annotations

import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from http import HTTPStatus
from pathlib import Path

import httpx
import pytest
from sqlalchemy import QueuePool, exc

from image_search_service.core.config import Settings
from image_search_service.core.files import PARTIAL_PREFIX
from image_search_service.db import session as sessions
from image_search_service.db.session import Database
from image_search_service.library.opening import open_library
from image_search_service.services.backup.archive import verified
from image_search_service.services.backup.sending import write_backup
from tests.hostile.bounded import ROOT
from tests.hostile.server import serving
from tests.support.databases import DATABASES, postgresql_schema
from tests.support.served import Served, add_faces, bind, directions, no_bar, served
from tests.support.waiting import wait_until
from tests.support.world import World

READERS = 16
LARGE = 24 * 2**20
"""Bytes of the backup, about: more than the system takes for a client who reads nothing."""
TAKEN = 2**16
"""Bytes that the system takes for such a client at its end, about."""


@contextmanager
def opened(kind: str, folder: Path) -> Iterator[Served]:
    """An API on a library with a large backup, its rows on either database."""
    with ExitStack() as stack:
        more = {}
        if kind == "postgresql":
            url = stack.enter_context(postgresql_schema())
            more["database_url"] = url.render_as_string(hide_password=False)
        api = stack.enter_context(served(folder, run_jobs=False, offline=True, **more))
        with api.library.database.write() as session:
            faces = add_faces(api.library, World(session), directions(3))
        crop = api.library.paths.crop(faces[0].id)
        crop.parent.mkdir(parents=True)
        crop.write_bytes(os.urandom(LARGE))
        write(api)
        yield api


@pytest.fixture(params=DATABASES)
def api(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Served]:
    with opened(request.param, tmp_path / "library") as made:
        yield made


def write(api: Served) -> None:
    write_backup(api.library.stores, lambda _done, _total: None, pictures=True)


class SlowReader:
    """Asks for the backup and takes the head of the answer, and the rest when it is told to."""

    def __init__(self, port: int) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, TAKEN)
        self._socket.connect(("127.0.0.1", port))
        self._socket.sendall(b"GET /api/v1/backup HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._socket.recv(1_000)
        self.head, _, self._begun = received.partition(b"\r\n\r\n")

    def __enter__(self) -> SlowReader:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def rest(self) -> bytes:
        received = [self._begun]
        while piece := self._socket.recv(2**20):
            received.append(piece)
        return b"".join(received)


@pytest.mark.skipif(sys.platform != "linux", reason="it reads of this process in /proc")
def test_s4_sixteen_slow_readers(api: Served) -> None:
    """S4: while sixteen clients take a backup and do not go on reading, everybody else is served, and a
    seventeenth gets it whole; no connection to the database is held, nor the file in memory. Each gets the
    backup that it began to download to its end, although another replaces it; whoever goes away leaves
    nothing open."""
    pool = api.library.database.engine.pool
    assert isinstance(pool, QueuePool)
    with (
        serving(api.client.app) as port,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=600) as others,
    ):
        headers = {"Host": "localhost"}
        with ExitStack() as stack:
            before, in_use = _resident(), pool.checkedout()
            readers = [stack.enter_context(SlowReader(port)) for _ in range(READERS)]
            assert all(reader.head.startswith(b"HTTP/1.1 200 ") for reader in readers)
            assert (_open_downloads(api), pool.checkedout()) == (READERS, in_use)
            assert in_use <= 1  # the one that all writers share
            assert _resident() - before < READERS * LARGE / 8
            for path in ("/api/v1/persons", "/api/v1/export", "/api/v1/conflicts", "/health", "/ready"):
                assert others.get(path, headers=headers).status_code == HTTPStatus.OK, path
            begun = others.get("/api/v1/backup", headers=headers)
            assert (begun.status_code, len(begun.content) > LARGE) == (200, True)
            assert others.post("/api/v1/backup", headers=headers).status_code == HTTPStatus.ACCEPTED
            with api.library.database.write() as session:
                add_faces(api.library, World(session), directions(2, seed=1))
            write(api)
            now = others.get("/api/v1/backup", headers=headers)
            assert len(now.content) > len(begun.content)
            assert all(reader.rest() == begun.content for reader in readers[: READERS // 2])
        wait_until(lambda: _open_downloads(api) == 0)


def _resident() -> int:
    """Bytes of memory that this process takes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def _open_downloads(api: Served) -> int:
    """How many of the process's open files are backups."""
    found = 0
    for link in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            found += link.readlink().is_relative_to(api.library.paths.downloads)
    return found


def test_the_log_does_not_grow_for_a_stalled_reader(tmp_path: Path) -> None:
    """While a client stalls in the middle of a backup, SQLite's log is written back and emptied as ever."""
    with (
        opened("sqlite", tmp_path / "library") as api,
        serving(api.client.app) as port,
        SlowReader(port),
    ):
        for seed in range(3):
            with api.library.database.write() as session:
                add_faces(api.library, World(session), directions(2, seed=seed))
            assert api.library.paths.database_log.stat().st_size > 0
            with api.library.database.engine.connect() as connection:
                checkpoint = connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").one()
            assert tuple(checkpoint) == (0, 0, 0)
            assert api.library.paths.database_log.stat().st_size == 0


def test_s4_who_waits_for_a_connection_is_told_to_come_again(
    api: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S4: where all connections to the database are taken, a request ends in 503 with `Retry-After`; the
    backup needs none, and is sent."""
    monkeypatch.setattr(sessions, "CONNECTION_SECONDS", 0)
    database = Database(api.library.database.engine.url)
    monkeypatch.setattr(api.library, "database", database)
    with ExitStack() as held:
        with pytest.raises(exc.TimeoutError):
            for _ in range(1_000):
                held.enter_context(database.engine.connect())
        for path in ("persons", "jobs", "export"):
            answer = api.client.get(f"/api/v1/{path}")
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "5"), path
        assert api.client.get("/api/v1/backup").status_code == HTTPStatus.OK
    assert api.client.get("/api/v1/persons").status_code == HTTPStatus.OK
    database.close()


@pytest.mark.parametrize("step", [3, 14])
def test_a_killed_job_leaves_nothing_that_stays(tmp_path: Path, step: int) -> None:
    """Killed while it writes or while it reads again, it leaves no backup, and half of one under a name that
    says so, which the next job removes before it begins."""
    folder = tmp_path / "library"
    with open_library(Settings(library=folder, engine="synthetic"), lambda _: None, no_bar) as library:
        bind(library)
        with library.database.write() as session:
            add_faces(library, World(session), directions(3))
    command = [sys.executable, "-m", "tests.hostile.killed_backup", str(folder), str(step)]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == -signal.SIGKILL
    with open_library(Settings(library=folder), lambda _: None, no_bar) as library:
        downloads = library.paths.downloads
        assert [path.name.startswith(PARTIAL_PREFIX) for path in downloads.iterdir()] == [True]
        write_backup(library.stores, lambda _done, _total: None, pictures=True)
        assert [path.name for path in downloads.iterdir()] == ["library.tar"]
        assert verified(downloads / "library.tar").counts["embeddings"] == 3
