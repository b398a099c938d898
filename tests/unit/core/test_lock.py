"""The lock on a library's folder."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from image_search_service.core.errors import LibraryInUseError
from image_search_service.core.lock import LibraryLock

HOLD = """
import sys, pathlib
from image_search_service.core.lock import LibraryLock
lock = LibraryLock(pathlib.Path(sys.argv[1]))
print("locked", flush=True)
sys.stdin.read()
"""


def test_second_process_is_refused_and_told_who_has_the_library(tmp_path: Path) -> None:
    """A library that another process has open is refused with that process's id and command."""
    path = tmp_path / "library.lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "locked\n"
        with pytest.raises(LibraryInUseError) as refused:
            LibraryLock(path)
        assert f"process {holder.pid} " in refused.value.message
        assert "--library" in (refused.value.hint or "")
        holder.kill()


def test_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    """The lock of a process that was killed does not have to be removed by hand."""
    path = tmp_path / "library.lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        holder.kill()
    with LibraryLock(path):
        pass


def test_released_lock_can_be_taken_again(tmp_path: Path) -> None:
    """What is released is free for the next one."""
    for _ in range(2):
        with LibraryLock(tmp_path / "library.lock"):
            pass


def test_a_library_that_is_served_is_named_with_its_pages() -> None:
    """Who comes while a service has the library is told where its pages are, not to wait for its end."""
    error = LibraryInUseError(Path("library"), "7 image-search serve", address="http://127.0.0.1:8000")
    assert "http://127.0.0.1:8000" in (error.hint or "")
    assert "Wait" not in (error.hint or "")
