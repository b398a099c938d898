"""Files are written whole or not at all."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from image_search_service.core.files import written_whole


@pytest.mark.parametrize("sync", [True, False])
def test_the_file_appears_whole(tmp_path: Path, sync: bool) -> None:
    """What was written gets the file's name at the end, in a folder that is created for it."""
    path = tmp_path / "new" / "a.txt"
    with written_whole(path, sync=sync) as partial:
        partial.write_text("whole")
        assert not path.exists()
    assert path.read_text() == "whole"
    assert [each.name for each in path.parent.iterdir()] == ["a.txt"]


def test_an_error_leaves_the_former_file(tmp_path: Path) -> None:
    """When writing fails the former file stays, and nothing is left beside it."""
    path = tmp_path / "a.txt"
    path.write_text("former")
    with pytest.raises(ValueError, match="stop"), written_whole(path) as partial:
        partial.write_text("half")
        raise ValueError("stop")
    assert path.read_text() == "former"
    assert list(tmp_path.iterdir()) == [path]


def test_a_long_name_is_written(tmp_path: Path) -> None:
    """A name of the greatest length that a file system takes is no obstacle."""
    path = tmp_path / ("a" * 251 + ".txt")
    with written_whole(path) as partial:
        partial.write_text("whole")
    assert path.read_text() == "whole"


def test_content_and_name_are_forced_to_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file first, and the folder once it has its name: a power cut leaves the old file or the new."""
    synced: list[tuple[bool, bool]] = []
    path = tmp_path / "file"

    def fsync(descriptor: int) -> None:
        synced.append((stat.S_ISDIR(os.fstat(descriptor).st_mode), path.exists()))

    monkeypatch.setattr(os, "fsync", fsync)
    with written_whole(path) as partial:
        partial.write_bytes(b"content")
    assert synced == [(False, False), (True, True)]
