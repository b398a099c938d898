"""A library, and photos with a face on the left and one on the right."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from image_search_service.db.models import FaceInstance
from image_search_service.db.session import Database
from tests.support.pictures import STORED_AS, exif_bytes, picture
from tests.support.world import World, migrated_database
from tests.unit.services.metadata.named_photos import HEIGHT, LEFT, RIGHT, WIDTH, in_file


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    (tmp_path / "library").mkdir()
    made = migrated_database(tmp_path / "library")
    yield made
    made.close()


@pytest.fixture
def photo(tmp_path: Path, database: Database) -> Callable[..., tuple[Path, list[uuid.UUID]]]:
    """A photo with a face left and one right, stored under some orientation; and its faces.

    A HEIC is decoded upright, whatever orientation is written in it.
    """

    def add(
        name: str = "photo.jpg", orientation: int = 1, packet: bytes | None = None
    ) -> tuple[Path, list[uuid.UUID]]:
        path = tmp_path / name
        stored = None if path.suffix == ".heic" else STORED_AS[orientation]
        image = picture(WIDTH, HEIGHT)
        image = image if stored is None else image.transpose(stored)
        extra = {} if packet is None else in_file(path.suffix, packet)
        image.save(path, exif=exif_bytes(orientation=orientation), **extra)
        with database.write() as session:
            world = World(session)
            asset = world.photo(str(path), [LEFT, RIGHT])
            asset.width, asset.height = WIDTH, HEIGHT
            faces = list(
                session.scalars(
                    select(FaceInstance.id)
                    .where(FaceInstance.asset_id == asset.id)
                    .order_by(FaceInstance.position)
                )
            )
        return path, faces

    return add
