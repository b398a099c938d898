"""What the system refuses is said in a sentence, with what to do."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from image_search_service.cli.app import app
from image_search_service.cli.system_errors import system_trouble

NOBODY = 65534


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            OSError(errno.EACCES, "Permission denied", "/a/library.lock"),
            "/a/library.lock: Permission denied.",
        ),
        (OSError(errno.EROFS, "Read-only file system", b"/a"), "/a: Read-only file system."),
        (OSError(errno.ENOSPC, "No space left on device"), "The system: No space left on device."),
        (OSError(errno.EMFILE, "Too many open files"), "Too many"),
        (MemoryError(), "not enough memory"),
        (ImportError("cv2.so: failed to map segment from shared object"), "not enough memory"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "not enough memory"),
        (RuntimeError("can't start new thread"), "not enough memory"),
    ],
)
def test_what_the_system_refuses_is_explained(error: Exception, said: str) -> None:
    """It names the place where there is one, and ends with what to do."""
    trouble = system_trouble(error)
    assert trouble is not None
    assert said in trouble.message
    assert trouble.hint.endswith(".")


@pytest.mark.parametrize("error", [ValueError("a mistake"), KeyError("x"), OSError("x"), ImportError("x")])
def test_a_mistake_of_ours_is_none_of_the_systems(error: Exception) -> None:
    """It stays an unexpected error, which is to be reported."""
    assert system_trouble(error) is None


@contextmanager
def without_roots_rights() -> Iterator[None]:
    """Whoever runs the tests has, for the length of the block, no more rights than anybody."""
    was = os.geteuid()
    if was == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(was)


@pytest.mark.parametrize("command", [["people"], ["history"], ["token", "list"]])
def test_a_folder_that_cannot_be_written_to(tmp_path: Path, command: list[str]) -> None:
    """The command names the file and says whose business it is, instead of asking for a report."""
    other, library = tmp_path / "other", tmp_path / "library"
    assert CliRunner().invoke(app, [*command, "--library", str(other)]).exit_code == 0  # all is imported now
    library.mkdir(mode=0o500)
    with without_roots_rights():
        done = CliRunner().invoke(app, [*command, "--library", str(library)])
    assert done.exit_code == 1
    assert str(library) in done.stderr
    assert "writable for whoever" in done.stderr


def test_a_terminal_of_another_encoding(tmp_path: Path) -> None:
    """Letters that it does not have are shown as escapes, and what is exported is UTF-8 all the same."""
    environment = os.environ | {
        "PYTHONIOENCODING": "latin-1",
        "IMAGE_SEARCH_LIBRARY": str(tmp_path / "library"),
    }

    def run(*arguments: str) -> bytes:
        command = [sys.executable, "-m", "image_search_service", *arguments]
        return subprocess.run(command, stdout=subprocess.PIPE, env=environment, check=True).stdout

    run("create", "Zoë 李")
    assert "Zoë \\u674e".encode("latin-1") in run("people")
    assert "Zoë 李" in run("export", "-").decode("utf-8")
