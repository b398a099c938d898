"""``image-search backup`` and ``restore``: what a human and a program are told, and what is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from image_search_service.cli.app import app
from image_search_service.core.config import Settings
from image_search_service.core.lock import LibraryLock
from image_search_service.library.opening import open_library
from tests.support.contents import contents
from tests.support.served import add_faces, bind, directions, no_bar
from tests.support.world import World
from tests.unit.recognition.engines.file_server import file_server


@pytest.fixture
def library(tmp_path: Path) -> Path:
    folder = tmp_path / "library"
    with open_library(Settings(library=folder, engine="synthetic"), lambda _: None, no_bar) as made:
        bind(made)
        with made.database.write() as session:
            add_faces(made, World(session), directions(30))
    return folder


@pytest.fixture
def file(library: Path, tmp_path: Path) -> Path:
    assert run("backup", tmp_path / "backup.tar", "--library", library)[0] == 0
    return tmp_path / "backup.tar"


def run(*arguments: object) -> tuple[int, str, str]:
    """Exit code, standard output, standard error."""
    result = CliRunner().invoke(app, [str(each) for each in arguments])
    return result.exit_code, result.stdout, result.stderr


def held(folder: Path) -> dict[str, object]:
    with open_library(Settings(library=folder), lambda _: None, no_bar) as library:
        return contents(library)


def test_backup_says_what_it_holds(library: Path, tmp_path: Path) -> None:
    """Counts and size, for a human and for a program; a file that exists is not replaced by itself."""
    file = tmp_path / "backup.tar"
    code, out, _ = run("backup", file, "--library", library, "--json")
    document = json.loads(out)
    assert (code, document["file"], document["bytes"]) == (0, str(file), file.stat().st_size)
    assert (document["counts"]["embeddings"], document["counts"]["missing_pictures"]) == (30, 60)
    code, _, said = run("backup", file, "--library", library)
    assert (code, "--force" in said) == (1, True)
    code, out, _ = run("backup", file, "--library", library, "--force", "--without-pictures")
    assert (code, "missing pictures" in out, "embeddings" in out) == (0, True, True)


def test_a_backup_without_an_embedding_is_not_taken_for_whole(library: Path, tmp_path: Path) -> None:
    """It is made, since nothing better may be had, with what to do, and the exit code says so."""
    with open_library(Settings(library=library), lambda _: None, no_bar) as opened:
        first = next(opened.faces.scroll_stored())
        opened.faces.delete_faces([first.id])
    code, out, _ = run("backup", tmp_path / "backup.tar", "--library", library)
    assert (code, "lacks 1 embeddings" in out, "doctor --repair" in out) == (1, True, True)
    assert (tmp_path / "backup.tar").exists()


def test_restore_says_what_it_did(library: Path, file: Path, tmp_path: Path) -> None:
    """What is restored is equal but for the folder that has moved; a library is not restored into twice."""
    code, out, said = run("restore", file, "--library", tmp_path / "new", "--photos", "/photos=/elsewhere")
    assert (code, "Restored into" in out) == (0, True), said
    before, after = held(library), held(tmp_path / "new")
    assert {row[1].parent for row in after["asset_paths"]} == {Path("/elsewhere")}  # type: ignore[attr-defined]
    assert {**after, "asset_paths": 0} == {**before, "asset_paths": 0}
    code, _, said = run("restore", file, "--library", tmp_path / "new")
    assert (code, "not empty" in said) == (1, True)


@pytest.mark.parametrize("moved", ["/photos", "=/new", "/old="])
def test_a_move_has_two_folders(file: Path, tmp_path: Path, moved: str) -> None:
    """Else it is wrong use, and the right one is shown."""
    code, _, said = run("restore", file, "--library", tmp_path / "new", "--photos", moved)
    assert (code, "OLD_FOLDER=NEW_FOLDER" in said) == (2, True)


def test_damage_leaves_no_library(file: Path, tmp_path: Path) -> None:
    """A damaged file is refused, naming what is damaged, before the new library's folder is made."""
    content = bytearray(file.read_bytes())
    content[600] ^= 1
    file.write_bytes(content)
    code, _, said = run("restore", file, "--library", tmp_path / "new")
    assert (code, "tables/image_assets/000000.jsonl" in said) == (1, True)
    assert not (tmp_path / "new").exists()


def test_a_half_restored_library_is_not_used(file: Path, tmp_path: Path) -> None:
    """Every other command says that a restore has to be completed, and a restore does it."""
    new = tmp_path / "new"
    assert run("restore", file, "--library", new)[0] == 0
    for part in ("library.sqlite3", "library.sqlite3-wal", "library.sqlite3-shm"):
        (new / part).unlink(missing_ok=True)
    shutil.rmtree(new / "vectors")
    assert run("info", "--library", new)[0] == 0
    noted = json.dumps({})
    (new / "restoring.json").write_text(noted)
    code, _, said = run("info", "--library", new)
    assert (code, "restore" in said) == (1, True)
    code, _, said = run("restore", file, "--library", new)
    assert (code, "Remove the library's folder" in said) == (1, True)
    shutil.rmtree(new)
    assert run("restore", file, "--library", new)[0] == 0


def test_the_service_that_holds_the_library_has_it_written(library: Path, tmp_path: Path, file: Path) -> None:
    """A job of it is asked for and followed, with what is in its way, and then the file is downloaded; small
    pictures are left out there."""
    job = {"id": "1", "state": "queued", "error": "No room. Tried again in 5 s.", "progress": PROGRESS}
    with file_server() as server, LibraryLock(library / "library.lock", server.address):
        for options, pictures in (([], "true"), (["--without-pictures"], "false")):
            path = f"/api/v1/backup?pictures={pictures}"
            server.add(path, file.read_bytes())
            server.accepted[path] = json.dumps(job).encode()
            ended = job | {"state": "succeeded", "error": None, "result": {"bytes": 1}}
            server.add("/api/v1/jobs/1", json.dumps(ended).encode())
            target = tmp_path / f"{pictures}.tar"
            code, _, said = run("backup", target, "--library", library, *options)
            assert (code, target.read_bytes()) == (0, file.read_bytes())
            for word in (f"served at {server.address}", "No room. Tried again in 5 s.", "Downloading"):
                assert word in said


PROGRESS = {"done": 0, "total": None, "text": "Backing up"}


def test_whoever_holds_the_library_and_gives_nothing_is_named(library: Path, tmp_path: Path) -> None:
    """A service that is not there, refuses, whose job fails, or that breaks off; another command. Nothing is
    left behind."""
    path, file = "/api/v1/backup?pictures=true", tmp_path / "backup.tar"
    job = {"id": "1", "state": "succeeded", "result": {}}
    with file_server() as server, LibraryLock(library / "library.lock", server.address):
        assert "refuses it with status 404" in run("backup", file, "--library", library)[2]
        server.accepted[path] = json.dumps(job | {"state": "failed", "error": "No room."}).encode()
        assert "could not do it: No room." in run("backup", file, "--library", library)[2]
        server.accepted[path] = json.dumps(job | {"state": "cancelled"}).encode()
        assert "was cancelled" in run("backup", file, "--library", library)[2]
        server.accepted[path] = json.dumps(job).encode()
        assert "refuses a backup: status 404" in run("backup", file, "--library", library)[2]
        server.add(path, b"x" * 10_000)
        assert "is no backup" in run("backup", file, "--library", library)[2]
        server.cut_short.add(path)
        assert "to its end" in run("backup", file, "--library", library)[2]
    with LibraryLock(library / "library.lock", server.address):
        assert "does not answer" in run("backup", file, "--library", library)[2]
    with LibraryLock(library / "library.lock"):
        assert "in use by process" in run("backup", file, "--library", library)[2]
    assert [each.name for each in tmp_path.iterdir()] == ["library"]
