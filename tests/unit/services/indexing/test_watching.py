"""``services.indexing.watching``: the library's folders are indexed by the clock, and when they change."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path

import pytest
from PIL import Image
from watchfiles import Change

from image_search_service.db.models import utc_now
from image_search_service.services.indexing.notices import FolderNotices, folders_of
from image_search_service.services.indexing.roots import RootService
from image_search_service.services.indexing.watching import FolderWatch
from image_search_service.services.jobs.service import JobService
from tests.support.served import Served, served
from tests.support.waiting import wait_until

EVERY = timedelta(minutes=15)


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path / "library", photo_roots=str(tmp_path)) as opened:
        yield opened


def test_folders_are_indexed_when_it_is_due(api: Served, tmp_path: Path) -> None:
    """A new folder at once, and again when the time has passed; photos that were added are found."""
    jobs = JobService(api.library.database, api.library.job_queue.enqueue)
    watch = FolderWatch(api.library.database, jobs, EVERY)
    assert watch.look() is None
    album = tmp_path / "album"
    album.mkdir()
    RootService(api.library.database).save(album)
    first = watch.look()
    assert first is not None
    api.ended({"id": first.id})
    assert watch.look() is None
    Image.new("RGB", (64, 48)).save(album / "new.png")
    second = watch.look(utc_now() + EVERY)
    assert second is not None
    assert api.ended({"id": second.id})["counts"]["photos_new"] == 1


def test_what_is_paused_or_away_is_left_alone(api: Served, tmp_path: Path) -> None:
    """A paused job stays paused, and a drive that is known to be away begins no job by itself."""
    jobs = JobService(api.library.database, api.library.job_queue.enqueue)
    watch = FolderWatch(api.library.database, jobs, EVERY)
    album = tmp_path / "album"
    album.mkdir()
    Image.new("RGB", (64, 48)).save(album / "new.png")
    api.ended(api.post("/photos/index", {"paths": [str(album)]}))
    album.rename(tmp_path / "elsewhere")
    noticed = watch.look(utc_now() + EVERY)
    assert noticed is not None
    assert api.ended({"id": noticed.id})["counts"]["photos_missing"] == 1
    assert watch.look(utc_now() + 2 * EVERY) is None
    (tmp_path / "elsewhere").rename(album)
    assert watch.look(utc_now() + 2 * EVERY) is not None


@pytest.mark.depth
def test_a_changed_folder_is_indexed_at_once(api: Served, tmp_path: Path) -> None:
    """What the system says has changed is indexed without the clock, in its folder only; a folder that the
    library has got since is heard of, too."""
    jobs = JobService(api.library.database, api.library.job_queue.enqueue)
    roots = RootService(api.library.database)
    watch = FolderWatch(api.library.database, jobs, EVERY)
    notices = FolderNotices(watch, api.library.paths.root, quiet=0.05, look=0.05)
    notices.start()
    albums = [tmp_path / "first", tmp_path / "second"]
    for album in albums:
        album.mkdir()
        roots.save(album)
        names = (album / f"{number}.png" for number in count())

        def photos_found(names: Iterator[Path] = names, album: Path = album) -> int:
            """Adds one more photo, since the first may come before the folder is listened to."""
            Image.new("RGB", (64, 48)).save(next(names))
            return sum(root.photos for root in roots.roots() if root.path == album)

        wait_until(photos_found)
    notices.stop()
    indexed = [job["parameters"]["paths"] for job in api.get("/jobs")["items"]]
    assert {tuple(paths) for paths in indexed} == {(str(album),) for album in albums}


def test_changes_are_told_by_folder(tmp_path: Path) -> None:
    """Of what has changed, the library's folders are told, and nothing outside of them."""
    paths = [tmp_path / "a", tmp_path / "b"]
    changes = {(Change.added, str(paths[1] / "deep" / "photo.jpg")), (Change.deleted, "/elsewhere/x.jpg")}
    assert folders_of(changes, paths) == {paths[1]}
