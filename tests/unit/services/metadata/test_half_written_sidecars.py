"""What a run leaves beside photos that is killed while it writes sidecars."""

from __future__ import annotations

import os
import time
from pathlib import Path

from image_search_service.media import sidecars
from image_search_service.media.folder_names import Folders


def test_the_next_run_removes_what_a_killed_one_left(tmp_path: Path) -> None:
    """Only what is old enough to be nobody's work, and only such files."""
    left, at_work = (tmp_path / f".writing-12-{number}-a.jpg.xmp" for number in (1, 2))
    of_older_version = tmp_path / ".a.jpg.xmp.4711.new"
    others = [
        tmp_path / name
        for name in ("a.jpg", "a.jpg.xmp", ".writing-12-1-a.jpg", ".writing-diary.txt", "a.xmp.4711.new")
    ]
    for path in (left, of_older_version, at_work, *others):
        path.touch()
    hours_ago = time.time() - 2 * sidecars.ABANDONED_SECONDS
    for path in (left, of_older_version, *others):
        os.utime(path, (hours_ago, hours_ago))
    folders = Folders()
    sidecars.remove_abandoned(folders.take_half_written(tmp_path))
    assert not left.exists()
    assert not of_older_version.exists()
    assert all(path.exists() for path in (at_work, *others))
    assert folders.take_half_written(tmp_path) == []
    assert list(folders.names(tmp_path).sidecars) == ["a.jpg.xmp"]
