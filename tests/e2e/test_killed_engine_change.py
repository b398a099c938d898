"""A move to another engine that is killed ends where a move that is left alone ends."""

from __future__ import annotations

import random
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from image_search_service.cli.output import Output
from image_search_service.core.config import Settings
from image_search_service.library.opening import open_library
from image_search_service.services.decisions.service import ReviewService
from image_search_service.services.doctor.service import DoctorService
from image_search_service.services.face_clustering_service import FaceClusteringService
from image_search_service.services.indexing.indexer import IndexService
from image_search_service.services.people.lookup import PeopleService
from tests.e2e.killed_runs import Run, runs_of, state
from tests.support.copies import copy_library
from tests.support.drawn_photos import copy_some

pytestmark = pytest.mark.depth


@dataclass(frozen=True)
class Moved:
    """A library before a move, what it holds after one that nothing interrupted, and how many steps that
    had."""

    before: Path
    after: dict[str, Any]
    steps: int


@pytest.fixture(scope="module")
def run_move() -> Iterator[Run]:
    """Move a library (its folder, the step to die at)."""
    with runs_of("tests.e2e.killed_engine_change") as run:
        yield run


@pytest.fixture(scope="module")
def moved(drawn: Path, tmp_path_factory: pytest.TempPathFactory, run_move: Run) -> Moved:
    folder = tmp_path_factory.mktemp("move")
    before = folder / "before"
    _index_and_name(before, copy_some(drawn, folder / "photos", 24))
    whole = copy_library(before, folder / "whole")
    status, steps = run_move(whole, 0)
    assert status == 0
    return Moved(before, state(whole), steps)


def _index_and_name(library: Path, photos: Path) -> None:
    with open_library(Settings(library=library, engine="synthetic")) as opened:
        IndexService(opened.stores).index([photos])
        FaceClusteringService(opened.stores).group()
        groups = PeopleService(opened.database).people().clusters
        decisions = ReviewService(opened.database, "test")
        decisions.name_cluster(str(groups[0].id), "Ada")
        decisions.not_a_face([groups[1].representative_face_id])
        opened.payload_sender.send()


def is_healthy(library: Path) -> bool:
    out = Output(as_json=True)
    with open_library(Settings(library=library), out.note, out.progress) as opened:
        return DoctorService(opened.stores, alone=True).examine().is_healthy


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_the_next_run_completes_a_killed_reading(
    tmp_path: Path, moved: Moved, run_move: Run, share: float
) -> None:
    """Killed while photos are read, ``image-search engine`` is completed by the next one."""
    completes_after(round(share * moved.steps), tmp_path / "killed", moved, run_move)


@pytest.mark.parametrize("before_the_end", range(12))
def test_the_next_run_completes_a_killed_end(
    tmp_path: Path, moved: Moved, run_move: Run, before_the_end: int
) -> None:
    """Killed before, in and after the transaction that binds the library to its new engine, while it is
    grouped, or while the former embeddings are removed, the move is completed by the next run."""
    completes_after(moved.steps - before_the_end, tmp_path / "killed", moved, run_move)


def completes_after(moment: int, library: Path, moved: Moved, run_move: Run) -> None:
    """Killed at the moment and run once more, a move makes what one makes that nothing interrupted."""
    copy_library(moved.before, library)
    assert run_move(library, moment)[0] == -signal.SIGKILL
    assert run_move(library, 0)[0] == 0
    assert state(library) == moved.after
    assert is_healthy(library)


def test_a_move_that_is_killed_again_and_again_ends_the_same(
    tmp_path: Path, moved: Moved, run_move: Run
) -> None:
    """Each run goes on where the one before was killed, and the last one completes the move."""
    library = copy_library(moved.before, tmp_path / "killed")
    for moment in random.Random(7).sample(range(1, moved.steps // 2), 5):  # noqa: S311 - moments, no secrets
        assert run_move(library, moment)[0] in (-signal.SIGKILL, 0)
    assert run_move(library, 0)[0] == 0
    assert state(library) == moved.after
    assert is_healthy(library)
