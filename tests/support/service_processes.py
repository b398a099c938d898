"""The service and its workers as processes, as an operator starts them, and how to ask the service."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

from tests.support.waiting import LIMIT, wait_until


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def start(command: str, settings: dict[str, Any]) -> subprocess.Popen[str]:
    """``image-search COMMAND`` with settings in its environment, by their names without the prefix.

    A service asks for no token, unless the settings say so.
    """
    return subprocess.Popen(
        [sys.executable, "-m", "image_search_service", command],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment({"require_token": False} | settings),
    )


def environment(settings: dict[str, Any]) -> dict[str, str]:
    """This process's environment with these settings."""
    return os.environ | {f"IMAGE_SEARCH_{name.upper()}": str(value) for name, value in settings.items()}


@contextmanager
def running(command: str, settings: dict[str, Any]) -> Iterator[subprocess.Popen[str]]:
    """The same, killed in the end if it still runs."""
    process = start(command, settings)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


@contextmanager
def serving(settings: dict[str, Any]) -> Iterator[subprocess.Popen[str]]:
    """``image-search serve`` on ``settings["port"]``, ready."""
    with running("serve", settings) as process:
        wait_until(lambda: process.poll() is not None or answers(settings["port"]))
        assert process.poll() is None, process.communicate()
        yield process


def answers(port: int) -> bool:
    """Whether the service is ready, or asks for its token."""
    try:
        return bool(ask(port, "/ready")["ready"])
    except urllib.error.HTTPError as error:
        return error.code == HTTPStatus.UNAUTHORIZED
    except (urllib.error.URLError, ConnectionError):
        return False


def ask(port: int, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
    """The JSON of a GET, or of a POST if there is a body."""
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers=headers or {})
    if body is not None:
        request.data = json.dumps(body).encode()
        request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request, timeout=LIMIT) as answer:  # noqa: S310
        return json.load(answer)


def ended(port: int, job: Any, headers: dict[str, str] | None = None) -> Any:
    """The job when it has ended."""
    return wait_until(
        lambda: ask(port, job["url"], headers=headers),
        lambda found: found["state"] not in ("queued", "running"),
    )
