"""The service as a process: started, asked, stopped."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from image_search_service.core.config import Settings
from image_search_service.library.opening import open_library
from tests.support.served import bind, no_bar
from tests.support.service_processes import WAIT_SECONDS, ask, ended, free_port, serving, start


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
        _, said = process.communicate(timeout=WAIT_SECONDS)
    assert process.returncode == 0, said
    assert "Traceback" not in said


def test_a_port_that_is_taken_is_said(library: Path) -> None:
    """It fails, with a reason, where another program listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = start("serve", {"library": library, "port": taken.getsockname()[1]})
        _, said = process.communicate(timeout=WAIT_SECONDS)
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
