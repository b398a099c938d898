"""Indexing that is killed, again and again, ends where indexing that is left alone ends."""

from __future__ import annotations

import random
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.killed_runs import Run, runs_of, state

KILLS = 10


@pytest.fixture(scope="module")
def run_index() -> Iterator[Run]:
    """Index a library (its folder, the photos, the step to die at)."""
    with runs_of("tests.e2e.killed_index") as run:
        yield run


@pytest.mark.depth
def test_killed_again_and_again_it_ends_like_an_uninterrupted_run(
    tmp_path: Path, drawn: Path, run_index: Run
) -> None:
    """After SIGKILLs at different moments, the next run completes what an uninterrupted run makes."""
    status, steps = run_index(tmp_path / "whole", drawn, 0)
    assert status == 0
    for moment in random.Random(7).sample(range(1, steps), KILLS):  # noqa: S311 - moments, no secrets
        # A moment later than the steps that are left is not reached: then this run completes the work.
        assert run_index(tmp_path / "killed", drawn, moment)[0] in (-signal.SIGKILL, 0)
    assert run_index(tmp_path / "killed", drawn, 0)[0] == 0
    assert state(tmp_path / "killed") == state(tmp_path / "whole")


@pytest.mark.depth
def test_points_of_vanished_photos_do_not_stay_behind(tmp_path: Path, drawn: Path, run_index: Run) -> None:
    """What a killed run left in Qdrant alone is removed by the next one if its photo has gone meanwhile."""
    own = tmp_path / "photos"
    shutil.copytree(drawn, own)
    steps = run_index(tmp_path / "whole", own, 0)[1]
    assert run_index(tmp_path / "killed", own, steps // 2)[0] == -signal.SIGKILL
    for photo in sorted(own.rglob("*.*"))[::2]:
        photo.unlink()
    assert run_index(tmp_path / "killed", own, 0)[0] == 0
    found = state(tmp_path / "killed")
    assert set(found["points"]) == {str(face[0]) for face in found["faces"]}
