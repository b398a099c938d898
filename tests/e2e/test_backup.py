"""``image-search backup`` while ``image-search serve`` holds the library."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from image_search_service.core.config import Settings
from image_search_service.library.opening import Library, open_library
from image_search_service.services.backup.restore import RestoreService, checked_backup
from image_search_service.services.centroid_service import CentroidService
from tests.support.contents import contents
from tests.support.damage import all_faces
from tests.support.served import add_faces, add_person, bind, directions, no_bar
from tests.support.service_processes import answers, free_port, serving
from tests.support.waiting import wait_until
from tests.support.world import World


def opened(folder: Path, *, restoring: bool = False) -> AbstractContextManager[Library]:
    settings = Settings(library=folder, engine="synthetic", offline=True)
    return open_library(settings, lambda _: None, no_bar, restoring=restoring)


def back_up(library: Path, file: Path) -> subprocess.Popen[str]:
    """By a process of its own, behind a proxy that is not to be asked."""
    command = [sys.executable, "-m", "image_search_service", "backup", str(file), "--library", str(library)]
    environment = os.environ | {"http_proxy": "http://127.0.0.1:1"}
    return subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment
    )


@pytest.mark.depth
def test_the_service_that_holds_the_library_gives_it(tmp_path: Path) -> None:
    """By whichever names browsers may call it, to whoever can read its token. Why its job is tried again is
    said meanwhile; whoever gives up leaves no file, and once the reason has gone the next one gets it."""
    with opened(tmp_path / "library") as library:
        bind(library)
        with library.database.write() as session:
            world = World(session)
            add_faces(library, world, directions(30), person_id=add_person(world, "Ada").id)
        CentroidService(library.stores).compute_centroids()
        unreadable = library.paths.crop(all_faces(library)[0].id)
        before = contents(library)
    port = free_port()
    settings = {
        "library": tmp_path / "library",
        "port": port,
        "allowed_hosts": "photos.example.org",
        "require_token": True,
    }
    with serving(settings) as process:
        unreadable.mkdir(parents=True)
        waiting = back_up(tmp_path / "library", tmp_path / "broken.tar")
        assert waiting.stderr is not None
        wait_until(waiting.stderr.readline, lambda line: f"{unreadable} cannot be read" in line)
        waiting.send_signal(signal.SIGINT)
        assert "No longer watched" in waiting.communicate()[1]
        assert (waiting.returncode, answers(port)) == (1, True)
        unreadable.rmdir()
        made = back_up(tmp_path / "library", tmp_path / "backup.tar")
        said = made.communicate()[1]
        assert made.returncode == 0, said
        assert f"served at http://127.0.0.1:{port}" in said
        process.send_signal(signal.SIGTERM)
        process.communicate()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup.tar", "library"]
    with opened(tmp_path / "new", restoring=True) as other:
        RestoreService(other.stores, other.collections).restore(checked_backup(tmp_path / "backup.tar"))
        after = contents(other)
    del before["jobs"], after["jobs"]  # the service may have begun what it does every night
    assert after == before
