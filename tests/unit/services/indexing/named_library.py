"""A library of real faces, indexed with real models, of which people are named."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from sqlalchemy import select

from image_search_service.db.models import AssetPath, FaceInstance, PersonRow
from image_search_service.db.queries.library import library_counts
from image_search_service.library.opening import Library
from image_search_service.services.decisions.service import ReviewService
from image_search_service.services.indexing.indexer import IndexService
from image_search_service.services.indexing.report import IndexReport
from image_search_service.services.suggestions.conflicts import ConflictRecord, ConflictService


@dataclass(frozen=True)
class NamedLibrary:
    """An open library and the folder that is indexed into it."""

    opened: Library
    folder: Path

    @property
    def review(self) -> ReviewService:
        return ReviewService(self.opened.database, "test")

    def index(self) -> IndexReport:
        return IndexService(self.opened.stores).index([self.folder])

    def faces(self, name: str) -> list[FaceInstance]:
        """The faces of the photo in the file of this name, left to right."""
        with self.opened.database.read() as session:
            statement = (
                select(FaceInstance)
                .join(AssetPath, AssetPath.asset_id == FaceInstance.asset_id)
                .where(AssetPath.path == self.folder / name)
                .order_by(FaceInstance.position)
            )
            found = list(session.scalars(statement))
            session.expunge_all()
        return found

    def name(self, face: uuid.UUID, name: str) -> uuid.UUID:
        return self.review.split([face], name).person_id

    def name_all(self, name: str) -> None:
        """Name the faces of a photo P01, P02 and so on, by their centres."""
        for number, face in enumerate(sorted(self.faces(name), key=lambda face: face.box.center), 1):
            self.name(face.id, f"P{number:02}")

    def names(self, name: str) -> list[str | None]:
        """Whom a human named the faces of a photo, left to right."""
        with self.opened.database.read() as session:
            persons: dict[uuid.UUID, str] = {row.id: row.name for row in session.scalars(select(PersonRow))}
        return [
            persons[face.person_id] if face.person_id and face.assigned_by == "human" else None
            for face in self.faces(name)
        ]

    def names_across(self, name: str) -> list[str]:
        """Whom a human named the faces of a photo, by their centres; only those who have a name."""
        pairs = zip(self.faces(name), self.names(name), strict=True)
        return [shown for _, shown in sorted((face.box.center, shown) for face, shown in pairs if shown)]

    def named_faces(self) -> int:
        """How many faces have a name, in all photos that are shown."""
        with self.opened.database.read() as session:
            return library_counts(session).named_faces

    def lost(self) -> list[ConflictRecord]:
        conflicts = ConflictService(self.opened.database).find()
        return [conflict for conflict in conflicts if conflict.kind.value == "lost_face"]

    def edit(self, name: str, change: Callable[[Image.Image], Image.Image]) -> None:
        """Change a photo in place, as a picture editor does."""
        path = self.folder / name
        with Image.open(path) as image:
            image.load()
            changed = change(image.convert("RGB"))
        changed.save(path, quality=92)
        self.touch(name)

    def touch(self, name: str) -> None:
        """Let the file look changed, however quickly it was."""
        path = self.folder / name
        now = path.stat().st_mtime_ns
        os.utime(path, ns=(now + 1_000_000_000, now + 1_000_000_000))


def lfw(photos: Path, number: int, person: str) -> Path:
    return photos / "lfw" / person / f"{person}_{number:04}.jpg"
