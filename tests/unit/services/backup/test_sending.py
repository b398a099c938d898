"""The file of a backup that can be downloaded: when it is there, whose it is, and when it goes."""

from __future__ import annotations

import os
import shutil
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from image_search_service.core.config import Settings
from image_search_service.core.errors import UnavailableError
from image_search_service.library.opening import Library, open_library
from image_search_service.library.workers import job_workers
from image_search_service.services.backup.archive import write_file
from image_search_service.services.backup.restore import RestoreService, checked_backup
from image_search_service.services.backup.sending import KEPT, write_backup
from image_search_service.services.backup.service import BackupService
from image_search_service.services.jobs.service import JobKind, JobService, JobState
from tests.support.served import add_faces, bind, directions
from tests.support.world import World


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with open_library(Settings(library=tmp_path / "library", engine="synthetic")) as made:
        bind(made)
        yield made


def fill(library: Library) -> Path:
    """Three faces, one with a crop; returns the crop's path."""
    with library.database.write() as session:
        faces = add_faces(library, World(session), directions(3))
    crop = library.paths.crop(faces[0].id)
    crop.parent.mkdir(parents=True)
    crop.write_bytes(bytes(10_000))
    return crop


def write(library: Library, *, pictures: bool = True) -> None:
    """What the job does."""
    write_backup(library.stores, lambda _done, _total: None, pictures=pictures)


class StoppedError(Exception):
    """What a job's progress raises when the job is to stop."""


def test_wherever_it_is_cancelled_it_leaves_nothing(library: Library) -> None:
    """Between any two pieces, while they are written and while they are read again, whatever they are of;
    the former backup stays."""
    fill(library)
    write(library)
    folder = library.paths.downloads
    former = (folder / "library.tar").read_bytes()
    left = 0

    def stop_at_zero(_done: int, _total: int | None) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise StoppedError

    with tarfile.open(folder / "library.tar") as archive:
        members = len(archive.getnames())
    stops = 0
    while True:
        left = stops + 1
        try:
            write_backup(library.stores, stop_at_zero, pictures=True)
        except StoppedError:
            assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"library.tar": former}
            stops += 1
        else:
            break
    assert stops >= 2 * (members - 2)


def test_a_job_that_cannot_write_it_says_why(library: Library) -> None:
    """The former backup stays, and nothing half written."""
    crop = fill(library)
    write(library)
    crop.unlink()
    crop.mkdir()
    with pytest.raises(UnavailableError, match=f"{crop} cannot be read"):
        write(library)
    assert [path.name for path in library.paths.downloads.iterdir()] == ["library.tar"]


def test_it_goes_when_it_is_a_day_old(library: Library) -> None:
    """By what each worker does every minute and when it starts; so does what a killed process left half
    written. What is younger stays: another process may be writing it."""
    fill(library)
    write(library)
    write(library, pictures=False)
    folder = library.paths.downloads
    (folder / ".writing-1-1-library.tar").write_bytes(b"half")
    (folder / ".writing-2-2-library.tar").write_bytes(b"half")
    yesterday = time.time() - KEPT.total_seconds() - 60
    for name in ("library.tar", ".writing-1-1-library.tar"):
        os.utime(folder / name, (yesterday, yesterday))
    job_workers(library)  # not started: what they do is told to the queue
    library.job_queue.recover()
    left = {path.name for path in folder.iterdir()}
    assert left == {"library-without-pictures.tar", ".writing-2-2-library.tar"}
    write(library)
    assert {path.name for path in folder.iterdir()} == {"library.tar", "library-without-pictures.tar"}


def test_it_belongs_to_its_owner_and_to_no_backup(library: Library) -> None:
    """Nobody else may read it, the doctor finds nothing strange, and the next one does not hold it."""
    fill(library)
    write(library)
    folder = library.paths.downloads
    first = (folder / "library.tar").read_bytes()
    assert [path.stat().st_mode & 0o777 for path in (folder, folder / "library.tar")] == [0o700, 0o600]
    assert {folder} <= set(library.paths.parts())
    write(library)
    with tarfile.open(folder / "library.tar") as archive:
        assert len((folder / "library.tar").read_bytes()) == len(first)
        kinds = {name.partition("/")[0] for name in archive.getnames()}
    assert kinds == {"tables", "embeddings", "pictures", "manifest.json", "SHA256SUMS"}


def test_a_restored_library_does_not_write_it_again(library: Library, tmp_path: Path) -> None:
    """The job that wrote a backup waits or runs in it, and is over where it is restored; others go on."""
    fill(library)
    submit = JobService(library.database, library.job_queue.enqueue).submit
    own = submit(JobKind.WRITE_BACKUP, {"pictures": True}).id
    other = submit(JobKind.DOCTOR, {"repair": False}).id
    write(library)
    backup = checked_backup(library.paths.downloads / "library.tar")
    settings = Settings(library=tmp_path / "new", engine="synthetic")
    with open_library(settings, restoring=True) as restored:
        RestoreService(restored.stores, restored.collections).restore(backup)
        jobs = JobService(restored.database, restored.job_queue.enqueue)
        states = [jobs.get(job).state for job in (own, other)]
    assert states == [JobState.CANCELLED, JobState.QUEUED]


def test_a_full_disk_is_seen_before_a_backup_is_begun(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Embeddings and pictures have a known size: without room for them nothing is read or written."""
    fill(library)
    service = BackupService(library.stores)
    embeddings = 3 * 4 * directions(1).shape[1]
    assert (service.room(), service.room(pictures=False)) == (embeddings + 10_000, embeddings)
    nearly_full = shutil.disk_usage(tmp_path)._replace(free=embeddings + 9_999)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: nearly_full)
    pieces = iter([b"a piece"])
    with pytest.raises(UnavailableError, match="are free there"):
        write_file(tmp_path / "a" / "backup.tar", pieces, room=service.room())
    assert list(pieces) == [b"a piece"]
    assert list(tmp_path.glob("a/*")) == []
    with pytest.raises(UnavailableError, match="are free there"):
        write(library)
    assert list(library.paths.downloads.iterdir()) == []
    write(library, pictures=False)
