"""A small library's rows, made directly: photos, files, faces, clusters."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import delete, text

from image_search_service.core.types import Box
from image_search_service.db.migrate import migrate
from image_search_service.db.models import ClusterRow, DecisionChange, DecisionRow, FaceInstance, ImageAsset
from image_search_service.db.queries import library, photos
from image_search_service.db.session import Database, Session, sqlite_url


@cache
def _template() -> TemporaryDirectory[str]:
    """A folder with an empty library's database. Its migration takes ten times as long as a copy."""
    folder = TemporaryDirectory(prefix="empty-library-")
    database = Database(sqlite_url(Path(folder.name) / "library.sqlite3"))
    migrate(database, Path(folder.name))
    database.close()
    return folder


def put_database(folder: Path) -> Path:
    """An empty library's database in ``folder``, where opening a library looks for it; its path."""
    folder.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copy(Path(_template().name) / "library.sqlite3", folder))


def migrated_database(folder: Path) -> Database:
    """An empty library's database in ``folder``, open."""
    return Database(sqlite_url(put_database(folder)))


def forget_decisions(session: Session) -> None:
    """Make another library of a copy of one, in which nothing was ever decided: that SQLite lets no event go
    is taken away first."""
    for table in (DecisionChange, DecisionRow):
        session.execute(text(f"DROP TRIGGER {table.__tablename__}_are_kept_delete"))
        session.execute(delete(table))


MIDDLE = Box(40, 40, 20, 20)


class World:
    """Adds rows to one session and remembers nothing."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.run, _ = library.start_run(session)

    def photo(self, path: str, faces: Sequence[Box] = (), **columns: Any) -> ImageAsset:
        """A photo of 100 × 100 pixels in the file ``path``, with a face in each box."""
        asset = ImageAsset(
            id=uuid.uuid4(),
            content_hash=uuid.uuid4().hex * 2,
            width=100,
            height=100,
            format="JPEG",
            **columns,
        )
        self.session.add(asset)
        self.session.flush()
        row = {"path": Path(path), "asset_id": asset.id, "size": 1, "modified_ns": 1, "missing_since": None}
        photos.save_paths(self.session, [row | {"seen_in_run": self.run}])
        for position, box in enumerate(faces):
            self.face(asset, position, box)
        self.session.flush()
        return asset

    def face(self, asset: ImageAsset, position: int = 0, box: Box = MIDDLE, **columns: Any) -> FaceInstance:
        """One more face of a photo."""
        face_id = uuid.uuid4()
        face = FaceInstance(
            id=face_id,
            qdrant_point_id=face_id,
            asset_id=asset.id,
            position=position,
            box_x=box.x,
            box_y=box.y,
            box_width=box.width,
            box_height=box.height,
            landmarks=[],
            detection_confidence=0.9,
            quality_score=0.5,
            quality_parts={},
            taken_at=asset.taken_at,
            **columns,
        )
        self.session.add(face)
        self.session.flush()
        return face

    def cluster(self, faces: Sequence[FaceInstance], confidence: float = 0.7) -> ClusterRow:
        """A cluster of these faces."""
        cluster = ClusterRow(
            id=uuid.uuid4(), size=len(faces), confidence=confidence, representative_face_id=faces[0].id
        )
        self.session.add(cluster)
        self.session.flush()
        for face in faces:
            face.cluster_id = cluster.id
        self.session.flush()
        return cluster
