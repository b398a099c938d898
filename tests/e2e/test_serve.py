"""The service as a process: started, asked, stopped."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from image_search_service.bootstrap import open_library
from image_search_service.core.config import Settings
from tests.support.served import bind, no_bar

PATIENCE = 60.0


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def start(library: Path, port: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "image_search_service", "serve"],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"IMAGE_SEARCH_LIBRARY": str(library), "IMAGE_SEARCH_PORT": str(port)},
    )


@contextmanager
def serving(library: Path, port: int) -> Iterator[subprocess.Popen[str]]:
    """``image-search serve`` on the library, ready; killed in the end if it still runs."""
    process = start(library, port)
    try:
        deadline = time.monotonic() + PATIENCE
        while process.poll() is None and time.monotonic() < deadline and not answers(port):
            time.sleep(0.05)
        yield process
    finally:
        process.kill()
        process.communicate()


def answers(port: int) -> bool:
    try:
        return bool(ask(port, "/ready")["ready"])
    except (urllib.error.URLError, ConnectionError):
        return False


def ask(port: int, path: str, body: Any = None) -> Any:
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}")
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=PATIENCE) as answer:  # noqa: S310
        return json.load(answer)


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
    with serving(library, port) as process:
        job = ask(port, "/api/v1/faces/cluster", {})
        deadline = time.monotonic() + PATIENCE
        while ask(port, job["url"])["state"] != "succeeded" and time.monotonic() < deadline:
            time.sleep(0.05)
        assert ask(port, job["url"])["state"] == "succeeded"
        other = subprocess.run(
            [sys.executable, "-m", "image_search_service", "info", "--library", str(library)],
            capture_output=True,
            text=True,
            check=False,
        )
        assert other.returncode == 1
        assert f"process {process.pid}" in other.stderr
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, said
    assert "Traceback" not in said


def test_a_port_that_is_taken_is_said(library: Path) -> None:
    """It fails, with a reason, where another program listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = start(library, int(taken.getsockname()[1]))
        _, said = process.communicate(timeout=PATIENCE)
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
