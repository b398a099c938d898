"""Values that no program of ours has stored."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from image_search_service.core.errors import DamagedDatabaseError
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
