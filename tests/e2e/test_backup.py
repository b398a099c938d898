"""The commands ``backup`` and ``restore`` as a user types them, with and without a service that runs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from image_search_service.bootstrap import Library, open_library
from image_search_service.core.config import Settings
from image_search_service.core.lock import LibraryLock
from tests.e2e.test_serve import free_port, serving
from tests.support.contents import contents
from tests.support.damage import found
from tests.support.served import add_faces, add_person, bind, directions, no_bar
from tests.support.world import World


@pytest.fixture
def library(tmp_path: Path) -> Path:
    folder = tmp_path / "library"
    with opened(folder) as made:
        bind(made)
        with made.database.write() as session:
            world = World(session)
            add_faces(made, world, directions(30), person_id=add_person(world, "Ada").id)
        made.centroid_service().compute_centroids()
    return folder


def opened(folder: Path) -> Any:
    return open_library(Settings(library=folder, engine="synthetic", offline=True), lambda _: None, no_bar)


def image_search(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "image_search_service", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | environment)


def held(folder: Path) -> Any:
    with opened(folder) as library:
        return contents(library)


def test_backup_and_restore(library: Path, tmp_path: Path) -> None:
    """What is restored is equal; an existing file and a library with something in it are refused."""
    file, before = tmp_path / "backup.tar", held(library)
    made = image_search("backup", file, "--library", library, "--json")
    assert made.returncode == 0, made.stderr
    assert json.loads(made.stdout)["counts"]["embeddings"] == 30
    again = image_search("backup", file, "--library", library)
    assert (again.returncode, "--force" in again.stderr) == (1, True)
    assert image_search("backup", file, "--library", library, "--force").returncode == 0
    restored = image_search("restore", file, "--library", tmp_path / "new", "--photos", "/photos=/elsewhere")
    assert restored.returncode == 0, restored.stderr
    after = held(tmp_path / "new")
    assert {str(row[1]).rpartition("/")[0] for row in after["asset_paths"]} == {"/elsewhere"}
    assert {**after, "asset_paths": 0} == {**before, "asset_paths": 0}
    twice = image_search("restore", file, "--library", tmp_path / "new")
    assert (twice.returncode, "not empty" in twice.stderr) == (1, True)
    wrong = image_search("restore", file, "--library", tmp_path / "third", "--photos", "/photos")
    assert (wrong.returncode, "OLD_FOLDER=NEW_FOLDER" in wrong.stderr) == (2, True)


def test_damage_leaves_no_library(library: Path, tmp_path: Path) -> None:
    """A damaged file is refused before the new library's folder is made."""
    file = tmp_path / "backup.tar"
    assert image_search("backup", file, "--library", library).returncode == 0
    content = bytearray(file.read_bytes())
    content[600] ^= 1
    file.write_bytes(content)
    refused = image_search("restore", file, "--library", tmp_path / "new")
    assert (refused.returncode, "damaged" in refused.stderr) == (1, True)
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("allowed", [None, "photos.example.org"])
def test_backup_while_the_service_runs(library: Path, tmp_path: Path, allowed: str | None) -> None:
    """The service that holds the library gives it; a proxy's settings do not matter, nor by which names
    browsers may call."""
    before, file = held(library), tmp_path / "backup.tar"
    with serving(library, free_port(), **({"ALLOWED_HOSTS": allowed} if allowed else {})) as process:
        made = image_search("backup", file, "--library", library, "--json", http_proxy="http://127.0.0.1:1")
        assert made.returncode == 0, made.stderr
        assert "served at http://127.0.0.1:" in made.stderr
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate()
    assert "Traceback" not in said
    assert image_search("restore", file, "--library", tmp_path / "new").returncode == 0
    assert held(tmp_path / "new") == before
    with opened(tmp_path / "new") as other:
        assert set(found(examined(other))) <= {"missing_crop", "missing_thumbnail"}


def examined(library: Library) -> Any:
    return library.doctor_service(alone=True).examine()


def test_a_service_that_breaks_off_leaves_no_file(library: Path, tmp_path: Path) -> None:
    """Whoever holds the library and does not answer is named, and nothing is left behind."""
    with LibraryLock(library / "library.lock", f"http://127.0.0.1:{free_port()}"):
        failed = image_search("backup", tmp_path / "backup.tar", "--library", library)
    assert (failed.returncode, "did not give the backup" in failed.stderr) == (1, True)
    with LibraryLock(library / "library.lock"):
        failed = image_search("backup", tmp_path / "backup.tar", "--library", library)
    assert (failed.returncode, "in use by process" in failed.stderr) == (1, True)
    assert [path.name for path in tmp_path.iterdir()] == ["library"]
