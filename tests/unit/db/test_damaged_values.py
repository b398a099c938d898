"""Values that no program of ours has stored."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from image_search_service.core.errors import DamagedDatabaseError
from image_search_service.db import integrity
from image_search_service.db.models import AssetPath, Base, FaceInstance, ImageAsset, IndexRun
from tests.support.world import MIDDLE, World, migrated_database


@pytest.mark.parametrize(
    ("model", "column", "value"),
    [
        (FaceInstance, "qdrant_point_id", "'nonsense'"),
        (FaceInstance, "landmarks", "'[[1,'"),
        (FaceInstance, "taken_at", "'yesterday'"),
        (ImageAsset, "content_hash", "CAST(x'ff00ff' AS TEXT)"),
        (ImageAsset, "taken_at", "'yesterday'"),
        (AssetPath, "path", "7"),
        (IndexRun, "started_at", "'yesterday'"),
    ],
)
def test_a_value_that_cannot_be_read_is_damage(
    tmp_path: Path, model: type[Base], column: str, value: str
) -> None:
    """SQLite keeps whatever is stored and finds nothing wrong with it; whoever reads it is told what to
    do."""
    database = migrated_database(tmp_path)
    with database.write() as session:
        World(session).photo("/photos/a.jpg", [MIDDLE])
    with database.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        connection.exec_driver_sql(f"UPDATE {model.__tablename__} SET {column} = {value}")  # noqa: S608 - as above
        connection.commit()
    with pytest.raises(DamagedDatabaseError, match="damaged"), database.read() as session:
        session.scalars(select(model)).all()
    database.close()


def test_damage_that_is_no_text_is_named_all_the_same(tmp_path: Path) -> None:
    """SQLite's own message may have bytes in it that Python cannot read."""
    database = migrated_database(tmp_path)
    database.close()
    path = Path(str(database.url.database))
    content = path.read_bytes()
    assert b"ON lost_faces (path_id)" in content
    path.write_bytes(content.replace(b"ON lost_faces (path_id)", b"ON lost_faces (path_\xe9d)"))
    assert any("malformed database schema" in line for line in integrity.damage(database))
    database.close()
