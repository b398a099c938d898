"""The service as a process: started, asked, stopped."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.error
from pathlib import Path

import pytest

from image_search_service.core.access_token import bearer_headers, read_token
from image_search_service.core.config import Settings
from image_search_service.library.opening import open_library
from tests.support.served import bind, no_bar
from tests.support.service_processes import ask, ended, free_port, running, serving
from tests.support.waiting import LIMIT


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A library that is bound to an engine, without a face."""
    folder = tmp_path / "library"
    with open_library(Settings(library=folder, engine="synthetic"), lambda _: None, no_bar) as opened:
        bind(opened)
    return folder


def test_it_serves_and_stops(library: Path) -> None:
    """It does jobs while it runs, holds the library's lock, and ends well when it is told to."""
    port = free_port()
    with serving({"library": library, "port": port}) as process:
        job = ask(port, "/api/v1/faces/cluster", {})
        assert ended(port, job)["state"] == "succeeded"
        other = subprocess.run(
            [sys.executable, "-m", "image_search_service", "info", "--library", str(library)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert other.returncode == 1
        assert f"process {process.pid}" in other.stderr
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=LIMIT)
    assert process.returncode == 0, said
    assert "Traceback" not in said


@pytest.mark.depth
def test_a_port_that_is_taken_is_said(library: Path) -> None:
    """It fails, with a reason, where another program listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with running("serve", {"library": library, "port": taken.getsockname()[1]}) as process:
            _, said = process.communicate(timeout=LIMIT)
    assert process.returncode == 1
    assert "--port" in said
    assert "Address already in use" in said


def test_a_worker_needs_servers(library: Path) -> None:
    """A worker for an embedded library is refused: its service runs the jobs itself."""
    done = subprocess.run(
        [sys.executable, "-m", "image_search_service", "worker", "--library", str(library)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "IMAGE_SEARCH_QDRANT_URL" in done.stderr


def run(library: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """A command on the library, ended; a browser that it opens does nothing."""
    return subprocess.run(
        [sys.executable, "-m", "image_search_service", *command, "--library", str(library)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"BROWSER": "true"},
    )


@pytest.mark.depth
def test_it_asks_for_its_token(tmp_path: Path) -> None:
    """A new library's service prints its address with a token; a command prints it again and sends it; a
    browser that is opened is shown it by a file of the owner's; all files belong to the owner alone."""
    library, port = tmp_path / "new" / "library", free_port()
    settings = {"library": library, "port": port, "require_token": True, "engine": "synthetic"}
    former = os.umask(0)
    try:
        with serving(settings) as process:
            with pytest.raises(urllib.error.HTTPError, match="401"):
                ask(port, "/api/v1/persons")
            headers = bearer_headers(library / "token")
            assert ask(port, "/api/v1/persons", headers=headers)["items"] == []
            shown = f"http://127.0.0.1:{port}/?token={read_token(library / 'token')}"
            printed = run(library, "address", "--open")
            assert printed.stdout.strip() == shown
            assert shown in (library / "open.html").read_text(encoding="utf-8")
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=LIMIT)
    finally:
        os.umask(former)
    assert f"Serving {shown}" in said
    everything = [library, *library.rglob("*")]
    assert {"token", "library.sqlite3", "queue.sqlite3", "open.html"} <= {path.name for path in everything}
    assert [path for path in everything if path.stat().st_mode & 0o077] == []
    assert run(library, "address").returncode == 1


@pytest.mark.depth
def test_other_machines_need_its_token(library: Path) -> None:
    """It does not serve other machines without one."""
    refused = run(library, "serve", "--no-token", "--host", "0.0.0.0", "--port", "0")  # noqa: S104
    assert refused.returncode == 2
    assert "--no-token" in refused.stderr
