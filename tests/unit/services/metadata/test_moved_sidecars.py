"""F5: what becomes of names when photos and their sidecars are moved, renamed, copied or deleted."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from sqlalchemy import select, update

from image_search_service.db.models import AssetPath
from image_search_service.db.queries import photos
from image_search_service.db.session import Database
from tests.unit.services.metadata.named_photos import Photo, names, read, sidecar_with, write


def move(database: Database, path: Path, to: Path) -> Path:
    """Move a photo, and let the library know."""
    to.parent.mkdir(exist_ok=True)
    moved = Path(shutil.move(path, to))
    with database.write() as session:
        session.execute(update(AssetPath).values(path=moved, folder=moved.parent))
    return moved


@pytest.mark.parametrize("to", ["moved/photo.jpg", "renamed.jpg", "moved/renamed.jpg"])
def test_f5_a_name_follows_a_photo_that_moved(
    tmp_path: Path, database: Database, photo: Photo, to: str
) -> None:
    """F5: a photo that is moved or renamed with its sidecar, which is corrected then, gives the corrected
    name; writing before reading leaves the correction."""
    path, (left, _) = photo()
    sidecar_with(path, "Anna")
    read(database)
    moved = move(database, path, tmp_path / to)
    path.with_name("photo.jpg.xmp").unlink()
    before = sidecar_with(moved, "Berta").read_bytes()
    assert write(database).corrected == 1
    assert moved.with_name(f"{moved.name}.xmp").read_bytes() == before
    read(database)
    assert names(database) == {left: "Berta"}


def test_f5_a_sidecar_that_was_deleted_is_written_anew(
    tmp_path: Path, database: Database, photo: Photo
) -> None:
    """A sidecar that is no more corrects nothing, wherever its photo is."""
    path, _ = photo()
    sidecar = sidecar_with(path, "Anna")
    read(database)
    sidecar.unlink()
    assert (write(database).written, "Anna" in sidecar.read_text()) == (1, True)
    sidecar.unlink()
    moved = move(database, path, tmp_path / "renamed.jpg")
    assert write(database).written == 1
    assert "Anna" in moved.with_name("renamed.jpg.xmp").read_text()


def test_two_copies_that_say_two_things(tmp_path: Path, database: Database, photo: Photo) -> None:
    """A copy with another name in its sidecar changes nothing while the first file says what it said."""
    path, (left, _) = photo()
    sidecar_with(path, "Anna")
    read(database)
    (tmp_path / "a").mkdir()
    copy = Path(shutil.copy(path, tmp_path / "a" / path.name))
    with database.write() as session:
        file = session.scalars(select(AssetPath)).one()
        row = {"path": copy, "asset_id": file.asset_id, "size": 1, "modified_ns": 1, "missing_since": None}
        photos.save_paths(session, [row | {"seen_in_run": file.seen_in_run}])
    sidecar_with(copy, "Berta")
    assert (read(database).named, names(database)) == (0, {left: "Anna"})
    sidecar_with(path, "Carla")
    read(database)
    assert names(database) == {left: "Carla"}
