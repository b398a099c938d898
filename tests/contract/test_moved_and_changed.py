"""A file that is moved and changed at once, on every database and store."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import func, select

from image_search_service.db.models import AssetPath, FaceInstance
from image_search_service.services.decisions.replay import RebuildService
from image_search_service.services.decisions.service import ReviewService
from image_search_service.services.indexing.indexer import IndexService
from tests.support.drawn_photos import copy_some
from tests.support.stores import STORES, library_on


@pytest.mark.parametrize("stores", STORES)
def test_f1_names_follow_a_file_that_is_moved_and_changed(stores: str, drawn: Path, tmp_path: Path) -> None:
    """The new photo has all names of the one that is gone, and its former file counts as one of its own."""
    album = copy_some(drawn, tmp_path / "album", 6)
    with library_on(stores, tmp_path) as library:
        IndexService(library.stores).index([album])
        with library.database.read() as session:
            most = select(FaceInstance.asset_id).group_by(FaceInstance.asset_id)
            photo = session.scalars(most.order_by(func.count().desc()).limit(1)).one()
            faces = list(session.scalars(select(FaceInstance.id).where(FaceInstance.asset_id == photo)))
            path = session.scalars(select(AssetPath.path).where(AssetPath.asset_id == photo)).first()
        assert path is not None
        for number, face in enumerate(faces):
            ReviewService(library.database, "test").split([face], f"P{number}")
        with Image.open(path) as image:
            image.load()
            image.crop((6, 4, image.width, image.height)).save(album / "made of it.png")
        path.unlink()
        report = IndexService(library.stores).index([album])
        assert (report.names_kept, report.names_lost, report.photos_missing) == (len(faces), 0, 0)
        with library.database.read() as session:
            held = session.execute(select(AssetPath.path, AssetPath.asset_id, AssetPath.missing_since)).all()
        (made,) = [row for row in held if row.path.name == "made of it.png"]
        (gone,) = [row for row in held if row.path == path]
        assert (gone.asset_id, gone.missing_since is None) == (made.asset_id, False)
        assert RebuildService(library.database).check().wrong == 0
