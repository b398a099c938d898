"""Files of the stores that are damaged: what SQLite and the embedded engine find, and what a repair makes
again."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from image_search_service.cli.app import app
from image_search_service.core.config import Settings
from image_search_service.core.errors import DamagedCollectionError, DamagedDatabaseError
from image_search_service.library.opening import open_library
from tests.support.copies import copy_library
from tests.support.damage import all_faces, points_of
from tests.support.drawn_photos import copy_some
from tests.support.served import no_bar

DATABASE = "library.sqlite3"
chance = np.random.default_rng


@pytest.fixture(scope="module")
def whole(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An indexed library with a named person; not to be changed."""
    folder = tmp_path_factory.mktemp("whole")
    library = folder / "library"
    assert (
        run("index", copy_some(drawn, folder / "album", 12), "--engine", "synthetic", at=library).exit_code
        == 0
    )
    with open_library(Settings(library=library), lambda _: None, no_bar) as opened:
        groups = [face.cluster_id.hex for face in all_faces(opened) if face.cluster_id]
    assert run("name", groups[0], "Ada", at=library).exit_code == 0
    assert run("doctor", at=library).exit_code == 0
    return library


@pytest.fixture
def library(whole: Path, tmp_path: Path) -> Path:
    return copy_library(whole, tmp_path / "library")


def run(*arguments: object, at: Path) -> Result:
    return CliRunner().invoke(app, [*map(str, arguments), "--library", str(at)])


def collection(library: Path, kind: str) -> Path:
    return next((library / "vectors").glob(f"{kind}_*"))


def engine_files(library: Path) -> list[Path]:
    return sorted(path for path in (library / "vectors").rglob("*/**/*") if path.is_file())


def test_sqlites_own_check_is_heard(library: Path, tmp_path: Path) -> None:
    """Rows that an index lacks are no matter of looking well: doctor and backup say so, and a repair makes
    the index again."""
    with sqlite3.connect(library / DATABASE) as connection:
        connection.execute("PRAGMA writable_schema=ON")
        name, sql = connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type='index' AND sql LIKE '% WHERE %person_id%'"
        ).fetchone()
        connection.execute("UPDATE sqlite_master SET sql=? WHERE name=?", (sql.split(" WHERE ")[0], name))
    connection.close()
    looked = run("doctor", at=library)
    assert (looked.exit_code, f"missing from index {name}" in looked.stdout) == (1, True), looked.output
    refused = run("backup", tmp_path / "backup.tar", at=library)
    assert (refused.exit_code, "The database is damaged" in refused.stderr) == (1, True)
    assert not (tmp_path / "backup.tar").exists()
    assert run("doctor", "--repair", at=library).exit_code == 0
    assert run("doctor", at=library).exit_code == 0
    assert run("backup", tmp_path / "backup.tar", at=library).exit_code == 0


@pytest.mark.depth
def test_rows_that_are_damaged_are_not_compared_with_anything(library: Path) -> None:
    """What SQLite cannot mend stays, with what to do about it; nothing in the vector store is removed for
    it."""
    content = bytearray((library / DATABASE).read_bytes())
    with sqlite3.connect(library / DATABASE) as connection:
        (page,) = connection.execute(
            "SELECT rootpage FROM sqlite_master WHERE name='face_instances'"
        ).fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.close()
    content[(page - 1) * size : (page - 1) * size + 64] = bytes(64)
    (library / DATABASE).write_bytes(content)
    before = {path: path.read_bytes() for path in engine_files(library) if path.stat().st_size < 2**20}
    mended = run("doctor", "--repair", at=library)
    assert mended.exit_code == 1
    assert "image-search restore FILE" in mended.output
    assert {path: path.read_bytes() for path in before} == before


def test_a_database_that_is_gone_is_not_made_anew(library: Path) -> None:
    """Where the faces' vectors are, an empty database would hide that everything is lost."""
    (library / DATABASE).unlink()
    said = run("people", at=library)
    assert (said.exit_code, "is not there or empty" in said.stderr) == (1, True)
    assert not (library / DATABASE).exists()


def test_a_library_that_was_not_closed_is_checked(library: Path) -> None:
    """After an unclean end SQLite looks through its file before anything is written to it."""
    content = bytearray((library / DATABASE).read_bytes())
    content[-4096:] = chance(1).bytes(4096)
    (library / DATABASE).write_bytes(content)
    (library / f"{DATABASE}-wal").write_bytes(b"left")
    with (
        pytest.raises(DamagedDatabaseError),
        open_library(Settings(library=library), lambda _: None, no_bar),
    ):
        pass
    assert run("doctor", at=library).exit_code == 1


@pytest.mark.depth
def test_what_can_be_read_of_damaged_vectors_is_kept(library: Path) -> None:
    """A file that only describes the points is damaged: they are the same after a repair, without a photo."""
    with open_library(Settings(library=library), lambda _: None, no_bar) as opened:
        before = opened.faces.get_embeddings_by_point_ids(points_of(all_faces(opened)))
    next(collection(library, "faces").rglob("segment.json")).write_text("{")
    album = library.parents[0] / "nowhere"
    assert not album.exists()
    looked = run("doctor", at=library)
    assert (looked.exit_code, "cannot read its files" in looked.stdout) == (1, True)
    assert run("doctor", "--repair", at=library).exit_code == 0
    with open_library(Settings(library=library), lambda _: None, no_bar) as opened:
        after = opened.faces.get_embeddings_by_point_ids(before.ids)
    np.testing.assert_array_equal(after.matrix, before.matrix)
    assert run("doctor", at=library).exit_code == 0


@pytest.mark.depth
def test_what_cannot_be_read_comes_from_the_last_backup(whole: Path, library: Path, tmp_path: Path) -> None:
    """Where the photos are away, too; a face whose embedding nobody has is named as such."""
    with open_library(Settings(library=library), lambda _: None, no_bar) as opened:
        before = opened.faces.get_embeddings_by_point_ids(points_of(all_faces(opened)))
    assert run("backup", tmp_path / "backup.tar", at=library).exit_code == 0
    album = (whole.parent / "album").rename(whole.parent / "away")
    try:
        next(collection(library, "faces").rglob("mutable_id_tracker.mappings")).write_bytes(b"x" * 99)
        mended = run("doctor", "--repair", at=library)
        assert mended.exit_code == 0, mended.output
        with open_library(Settings(library=library), lambda _: None, no_bar) as opened:
            after = opened.faces.get_embeddings_by_point_ids(before.ids)
        np.testing.assert_allclose(after.matrix, before.matrix, atol=1e-6)
        next(collection(library, "faces").rglob("mutable_id_tracker.mappings")).write_bytes(b"x" * 99)
        (tmp_path / "backup.tar").write_bytes(b"")
        left = run("doctor", "--repair", at=library)
        assert (left.exit_code, "not repaired: photo" in left.stdout) == (1, True)
    finally:
        album.rename(whole.parent / "album")


@pytest.mark.depth
def test_a_repair_that_was_broken_off_is_taken_up(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was put aside is still there for the next repair, and gone after it."""
    next(collection(library, "faces").rglob("segment.json")).write_text("{")
    with monkeypatch.context() as broken:
        broken.setattr("image_search_service.vector.face_qdrant.FaceQdrantClient.upsert_faces", broken_off)
        assert run("doctor", "--repair", at=library).exit_code == 1
    assert list((library / "vectors").glob("*.damaged"))
    assert run("doctor", at=library).exit_code == 1
    assert run("doctor", "--repair", at=library).exit_code == 0
    assert not list((library / "vectors").glob("*.damaged"))


def broken_off(*_: object) -> None:
    raise DamagedCollectionError("faces", "on purpose")


def test_a_panic_of_the_engine_is_an_error_like_any_other(library: Path) -> None:
    """It ends no thread: whoever reads the collection is told what mends it."""
    tracker = next((collection(library, "faces")).rglob("payload_storage/tracker.dat"))
    tracker.write_bytes(chance(2).bytes(5000))
    with (
        open_library(Settings(library=library), lambda _: None, no_bar) as opened,
        pytest.raises(DamagedCollectionError, match="damaged") as raised,
    ):
        list(opened.faces.scroll_stored())
    assert "doctor --repair" in str(raised.value.hint)
    assert type(raised.value.__cause__).__name__ == "PanicException"


@pytest.mark.depth
def test_an_index_that_says_something_else_than_its_points_is_found(library: Path) -> None:
    """Searches filter by it, and would leave out faces without a word."""
    index = next(collection(library, "faces").rglob("*unrecogn*-bool/falses/flags_a.dat"))
    index.write_bytes(chance(3).bytes(index.stat().st_size))
    looked = run("doctor", at=library)
    assert (looked.exit_code, "the index of unrecognizable" in looked.stdout) == (1, True), looked.output
    assert run("doctor", "--repair", at=library).exit_code == 0
    assert run("doctor", at=library).exit_code == 0
