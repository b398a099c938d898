"""Files that belong to their owner alone."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from image_search_service.core.private_files import give_users_mode, make_private_folder, private_files


@pytest.fixture(autouse=True)
def umask() -> Iterator[int]:
    """The user's umask, as it is on most machines."""
    former = os.umask(0o022)
    yield 0o022
    os.umask(former)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_nothing_is_open_to_others_while_one_is_open(tmp_path: Path) -> None:
    """Until the last of several libraries is closed; then the user's umask is back."""
    first, second = private_files(), private_files()
    with first:
        second.__enter__()
    (tmp_path / "during").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "sidecar").touch()
    give_users_mode(tmp_path / "sidecar")
    second.__exit__(None, None, None)
    (tmp_path / "after").touch()
    modes = {path.name: mode(path) for path in tmp_path.iterdir()}
    assert modes == {"during": 0o600, "folder": 0o700, "sidecar": 0o644, "after": 0o644}


def test_a_new_or_empty_folder_becomes_private(tmp_path: Path) -> None:
    """One with something in it may be another's, and is left as it is."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    for name in ("empty", "full", "new"):
        make_private_folder(tmp_path / name)
    modes = {path.name: mode(path) for path in tmp_path.iterdir()}
    assert modes == {"empty": 0o700, "full": 0o755, "new": 0o700}
