"""Backups and restores: what they cost, what they lack, what they refuse."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from sqlalchemy import select, text

from image_search_service.core.config import Settings
from image_search_service.core.errors import DataIntegrityError, NewerLibraryError, NotFoundError
from image_search_service.db.migrate import current_revision
from image_search_service.db.models import AssetPath
from image_search_service.db.portable import table_forms
from image_search_service.library.opening import Library, open_library
from image_search_service.services.backup.archive import (
    ArchiveWriter,
    Manifest,
    members,
    verified,
    write_file,
)
from image_search_service.services.backup.restore import RestoreService, checked_backup, moved
from image_search_service.services.backup.service import BackupService
from image_search_service.services.centroid_service import CentroidService
from image_search_service.services.doctor.service import DoctorService
from tests.support.contents import contents
from tests.support.damage import all_faces, found, points_of
from tests.support.databases import DATABASES, postgresql_schema
from tests.support.later_version import LATER, become_a_later_version
from tests.support.round_trips import round_trips
from tests.support.served import add_faces, add_person, bind, directions, no_bar
from tests.support.world import World

FACES = 1_100


def opened(folder: Path, database_url: str | None = None) -> AbstractContextManager[Library]:
    settings = Settings(
        library=folder, engine="synthetic", offline=True, workers=1, database_url=database_url
    )
    return open_library(settings, lambda _: None, no_bar, restoring=True)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """More faces than go into one request; no pictures."""
    with opened(tmp_path_factory.mktemp("source")) as made:
        bind(made)
        with made.database.write() as session:
            world = World(session)
            add_faces(made, world, directions(FACES), person_id=add_person(world, "Ada").id)
        CentroidService(made.stores).compute_centroids()
        yield made


@pytest.fixture(scope="module")
def backup(library: Library, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("backup") / "backup.tar"
    write_file(file, BackupService(library.stores).stream())
    return file


def test_round_trips_grow_with_batches(library: Library, tmp_path: Path) -> None:
    """A backup asks once for each table, and once for each thousand faces."""
    service = BackupService(library.stores)
    with round_trips(library.database.engine) as trips:
        write_file(tmp_path / "backup.tar", service.stream())
    assert trips.requests == 2 + 1  # embeddings, centroids
    pages = 3 * 2  # faces by point, faces, photos: two pages each
    assert len([each for each in trips.sql if each.startswith("SELECT")]) == len(table_forms()) + pages + 2


def test_restoring_grows_with_batches(backup: Path, tmp_path: Path) -> None:
    """A restore writes once for each thousand faces."""
    with opened(tmp_path / "other") as other:
        service = RestoreService(other.stores, other.collections)
        with round_trips(other.database.engine) as trips:
            report = service.restore(checked_backup(backup))
        assert report.embeddings == FACES
        assert trips.qdrant["upsert"] == 2 + 1
        inserts = [each for each in trips.sql if each.startswith("INSERT INTO")]
        assert len(inserts) == len({member.name for member in members(backup) if "tables/" in member.name})


def test_damage_is_refused_before_anything_is_written(backup: Path, tmp_path: Path) -> None:
    """Nobody has to clear up after it."""
    content = bytearray(backup.read_bytes())
    content[len(content) // 2] ^= 1
    (tmp_path / "damaged.tar").write_bytes(content)
    with pytest.raises(DataIntegrityError, match="damaged"):
        checked_backup(tmp_path / "damaged.tar")


def test_an_embedding_that_is_gone_is_counted(tmp_path: Path) -> None:
    """The face is in the backup without it, both times it is said, and the doctor finds it."""
    with opened(tmp_path / "library") as library:
        bind(library)
        with library.database.write() as session:
            add_faces(library, World(session), directions(5))
        library.faces.delete_faces(points_of(all_faces(library)[:2]))
        manifest = write_file(tmp_path / "backup.tar", BackupService(library.stores).stream())
    assert (manifest.counts["embeddings"], manifest.counts["missing_embeddings"]) == (3, 2)
    with opened(tmp_path / "other") as other:
        report = RestoreService(other.stores, other.collections).restore(
            checked_backup(tmp_path / "backup.tar")
        )
        assert (report.embeddings, report.without_embedding) == (3, 2)
        assert found(DoctorService(other.stores, alone=True).examine())["face_without_point"] == 2


def test_an_empty_library_has_no_backup(tmp_path: Path) -> None:
    """It says that nothing is indexed."""
    with opened(tmp_path) as library, pytest.raises(NotFoundError, match="empty"):
        BackupService(library.stores)


def test_photos_that_have_moved(backup: Path, library: Library, tmp_path: Path) -> None:
    """Paths in the old folder are in the new one, and no others."""
    with opened(tmp_path / "other") as other:
        moves = [(Path("/photos"), Path("/mnt/new"))]
        report = RestoreService(other.stores, other.collections).restore(checked_backup(backup), moves)
        assert report.moved_paths == FACES
        with other.database.read() as session:
            paths = session.scalars(select(AssetPath.path)).all()
        assert {path.parent for path in paths} == {Path("/mnt/new")}
    assert contents(library)["asset_paths"]


def test_the_first_move_that_fits_counts() -> None:
    """A folder is not a part of a name, and other paths stay."""
    moves = [(Path("/a/b"), Path("/x")), (Path("/a"), Path("/y"))]
    assert moved("/a/b/c.jpg", moves) == ("/x/c.jpg", True)
    assert moved("/a/bc.jpg", moves) == ("/y/bc.jpg", True)
    assert moved("/abc.jpg", moves) == ("/abc.jpg", False)
    assert moved("/a/caf\udce9.jpg", moves) == ("/y/caf\udce9.jpg", True)


def rewritten(backup: Path, file: Path, change: dict[str, object]) -> Path:
    """The same backup with another manifest."""
    manifest = Manifest.from_json(verified(backup).to_json() | change)
    writer = ArchiveWriter()
    kept = [each for each in members(backup) if "/" in each.name]
    file.write_bytes(b"".join(writer.member(each.name, each.content) for each in kept) + writer.end(manifest))
    return file


def test_a_newer_schema_is_refused(backup: Path, tmp_path: Path) -> None:
    """Rows of a schema that this version does not know are not put back."""
    with pytest.raises(NewerLibraryError, match="9999"):
        checked_backup(rewritten(backup, tmp_path / "newer.tar", {"revision": "9999"}))


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest) -> Iterator[str | None]:
    if request.param == "sqlite":
        yield None
        return
    with postgresql_schema() as url:
        yield url.render_as_string(hide_password=False)


def test_an_older_schema_is_migrated(
    backup: Path, tmp_path: Path, database_url: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows as an older version wrote them go into its tables, which are then migrated."""
    become_a_later_version(tmp_path / "migrations", monkeypatch)
    with opened(tmp_path / "other", database_url) as other:
        assert current_revision(other.database) == LATER
        RestoreService(other.stores, other.collections).restore(checked_backup(backup))
        assert len(all_faces(other)) == FACES
        assert current_revision(other.database) == LATER
        with other.database.engine.connect() as connection:
            assert set(connection.execute(text("SELECT nickname FROM persons")).scalars()) == {"none"}


def test_a_backup_needs_no_room_in_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a library in which nobody is named yet none of the engine's files has to be made for it."""
    with opened(tmp_path / "library") as made:
        bind(made)
        with made.database.write() as session:
            add_faces(made, World(session), directions(3))
        nearly_full = shutil.disk_usage(tmp_path)._replace(free=20 * 2**20)
        monkeypatch.setattr(shutil, "disk_usage", lambda _: nearly_full)
        assert (
            write_file(tmp_path / "backup.tar", BackupService(made.stores).stream()).counts["embeddings"] == 3
        )
        assert not list((tmp_path / "library" / "vectors").glob("centroids_*"))
