"""Backups by schedule: which are kept, and what becomes of a night in which none can be made."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from image_search_service.core.config import Settings
from image_search_service.library.opening import Library, open_library
from image_search_service.queue.face_jobs import doctor_job
from image_search_service.queue.runner import ProgressReporter
from image_search_service.services.backup.archive import verified
from image_search_service.services.backup.last_backup import last_backup_file
from image_search_service.services.backup.schedule import back_up, backups_in, kept
from tests.support.served import add_faces, bind, directions, no_bar
from tests.support.world import World

NIGHT = datetime(2026, 11, 29, 3, tzinfo=UTC)
"""A Sunday."""


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    settings = Settings(library=tmp_path / "library", engine="synthetic", backup_dir=tmp_path / "backups")
    with open_library(settings, lambda _: None, no_bar) as made:
        bind(made)
        with made.database.write() as session:
            add_faces(made, World(session), directions(3))
        yield made


def nights(*ago: int) -> set[datetime]:
    return {NIGHT - timedelta(days=days) for days in ago}


def test_seven_days_and_four_weeks_are_kept() -> None:
    """Of ninety nights: the last seven, and of each of the last four weeks the newest."""
    assert kept(nights(*range(90))) == nights(*range(7), 7, 14, 21)


def test_none_goes_by_age_alone() -> None:
    """Where the schedule stood still for months, what there is stays; of one day only the newest does."""
    assert kept(nights(0, 100, 101, 300)) == nights(0, 100, 101, 300)
    assert kept([NIGHT, NIGHT + timedelta(hours=1)]) == {NIGHT + timedelta(hours=1)}
    assert kept([]) == set()


def test_a_backup_is_whole_and_known_before_an_older_one_goes(library: Library, tmp_path: Path) -> None:
    """It is the last backup then, and what others put into the folder stays."""
    folder = tmp_path / "backups"
    folder.mkdir()
    old = [folder / f"library-{night:%Y%m%dT%H%M%SZ}.tar" for night in sorted(nights(*range(900, 930)))]
    other = folder / "library.tar"
    for path in (*old, other):
        path.touch()
    made = back_up(library.stores, folder)
    assert verified(Path(made["file"])).counts["embeddings"] == 3
    assert last_backup_file(library.paths) == Path(made["file"])
    assert made["removed"] == sum(not path.exists() for path in old) > 15
    assert other.exists()
    assert len(backups_in(folder)) == 31 - made["removed"]


def test_the_nights_check_makes_one_first(library: Library, tmp_path: Path) -> None:
    """Its result names it; where none can be made, the check is made all the same, and says why."""
    done = doctor_job(library.stores, ProgressReporter(lambda *_: None), repair=False, backup=True)
    assert (Path(done["backup"]["file"]).parent, done["healthy"]) == (tmp_path / "backups", False)
    for path in (tmp_path / "backups").iterdir():
        path.unlink()
    (tmp_path / "backups").rmdir()
    (tmp_path / "backups").touch()
    failed = doctor_job(library.stores, ProgressReporter(lambda *_: None), repair=False, backup=True)
    assert "cannot be written" in failed["backup"]["error"]
    assert failed["checked"] == done["checked"]


def test_a_link_where_the_file_is_written_first_is_not_followed(library: Library, tmp_path: Path) -> None:
    """Nobody who may write in the folder has another file of the user's overwritten."""
    target, precious = tmp_path / "out" / "library.tar", tmp_path / "precious"
    target.parent.mkdir()
    precious.write_text("mine")
    for name in ("library.tar.part", f".writing-{os.getpid()}-library.tar"):
        (target.parent / name).symlink_to(precious)
    back_up(library.stores, target.parent)
    assert precious.read_text() == "mine"
