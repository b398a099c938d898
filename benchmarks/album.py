"""Made-up faces in SQL and in Qdrant, and the stores of a library that has them."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from qdrant_client import QdrantClient
from sqlalchemy import insert

from image_search_service.core.config import Settings
from image_search_service.core.paths import LibraryPaths
from image_search_service.core.types import FloatArray
from image_search_service.db.migrate import migrate
from image_search_service.db.models import ClusterRow, FaceInstance, ImageAsset, PersonRow
from image_search_service.db.queries import library, photos
from image_search_service.db.session import Database, Session, sqlite_url
from image_search_service.library.engine import EngineBinding
from image_search_service.library.stores import Stores
from image_search_service.recognition.engines.calibration import Calibration
from image_search_service.recognition.thresholds import Thresholds
from image_search_service.vector.centroid_qdrant import CentroidQdrantClient
from image_search_service.vector.collections import FacePayload, FacePoint
from image_search_service.vector.face_qdrant import FaceQdrantClient

DIMENSION = 512
THRESHOLDS = Thresholds(same_person=0.6, assign=0.7, suggest=0.5, neighbour=0.65)
Row = dict[str, Any]


class Album:
    """Faces in SQL and in Qdrant; ``copied`` gives the stores of a copy of it."""

    def __init__(self, client: QdrantClient, folder: Path) -> None:
        folder.mkdir()
        self._client = client
        self._file = folder / "library.sqlite3"
        self._name = f"image_search_bench_{uuid.uuid4().hex}"
        database = Database(sqlite_url(self._file))
        migrate(database, folder)
        database.close()
        FaceQdrantClient(client, self._name, DIMENSION).ensure_collection()

    def __enter__(self) -> Album:
        return self

    def __exit__(self, *_: object) -> None:
        """Leaves nothing behind on the server."""
        for name in (self._name, self._centroids_of(self._file)):
            self._client.delete_collection(name)

    def _centroids_of(self, file: Path) -> str:
        return f"{self._name}_{file.stem}"

    @contextmanager
    def copied(self, reader: type[FaceQdrantClient]) -> Iterator[Stores]:
        """A copy whose embeddings are fetched by ``reader``, without a centroid."""
        copy = self._file.with_stem(uuid.uuid4().hex)
        shutil.copyfile(self._file, copy)
        with self.opened(copy, reader) as stores:
            yield stores
            self._client.delete_collection(stores.centroids.collection_name)

    @contextmanager
    def opened(
        self, file: Path | None = None, reader: type[FaceQdrantClient] | None = None
    ) -> Iterator[Stores]:
        """The album itself, or the copy ``file``, with centroids of its own."""
        file, reader = file or self._file, reader or FaceQdrantClient
        settings = Settings(library=file.parent, workers=1)
        database = Database(sqlite_url(file))
        centroids = CentroidQdrantClient(self._client, self._centroids_of(file), DIMENSION)
        centroids.ensure_collection()
        collections: Any = Collections(reader(self._client, self._name, DIMENSION), centroids)
        binding = Binding(settings, database, file.parent, lambda _: None, lambda *_: nullcontext(_unseen))
        yield Stores(settings, LibraryPaths(file.parent), database, binding, collections)
        database.close()


def _unseen(_done: int, _total: int | None) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True, slots=True)
class Collections:
    """Two collections that are open."""

    faces: FaceQdrantClient
    centroids: CentroidQdrantClient


class Binding(EngineBinding):
    """An engine of which no more than its thresholds is needed."""

    def calibration(self) -> Calibration:
        return Calibration(THRESHOLDS)


def unit_vectors(number: int, seed: int = 0) -> FloatArray:
    """Random directions, ``(number, DIMENSION)`` float32, each of unit length."""
    rows = np.random.default_rng(seed).standard_normal((number, DIMENSION)).astype(np.float32)
    unit: FloatArray = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


def alike(number: int, seed: int = 0) -> FloatArray:
    """``(number, DIMENSION)`` faces of one person."""
    rows = unit_vectors(1, seed=1000 + seed) + 0.5 * unit_vectors(number, seed)
    unit: FloatArray = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit


def add_person(session: Session, name: str) -> UUID:
    """Somebody without a face."""
    person = PersonRow(id=uuid.uuid4(), name=name, name_key=name.casefold())
    session.add(person)
    session.flush()
    return person.id


def add_cluster(session: Session, faces: list[UUID]) -> UUID:
    """The row of a cluster that ``faces`` are in."""
    made = uuid.uuid4()
    row = {"id": made, "size": len(faces), "confidence": 0.5, "representative_face_id": faces[0]}
    session.execute(insert(ClusterRow), [row])
    return made


def add_faces(stores: Stores, session: Session, embeddings: FloatArray, **columns: Any) -> list[UUID]:
    """A face for each embedding, each in a photo of its own, in SQL and in Qdrant.

    columns: of the face, such as ``person_id``.
    """
    ids = [uuid.uuid4() for _ in embeddings]
    run, _ = library.start_run(session)
    session.execute(insert(ImageAsset), [photo_row(one) for one in ids])
    photos.save_paths(session, [path_row(one, run) for one in ids])
    session.execute(insert(FaceInstance), [face_row(one) | columns for one in ids])
    person = columns.get("person_id")
    stores.faces.upsert_faces(
        FacePoint(one, row, FacePayload(one, one, person)) for one, row in zip(ids, embeddings, strict=True)
    )
    return ids


def photo_row(photo: UUID) -> Row:
    return {"id": photo, "content_hash": photo.hex * 2, "width": 100, "height": 100}


def path_row(photo: UUID, run: int) -> Row:
    file = {"path": Path(f"/photos/{photo.hex}.jpg"), "size": 1, "modified_ns": 1, "missing_since": None}
    return file | {"asset_id": photo, "seen_in_run": run}


def face_row(face: UUID) -> Row:
    """The only face of the photo with the same id."""
    box = {"box_x": 10, "box_y": 10, "box_width": 50, "box_height": 50}
    quality = {"detection_confidence": 0.9, "quality_score": 0.5, "quality_parts": {}}
    ids = {"id": face, "asset_id": face, "qdrant_point_id": face}
    return {**ids, **box, **quality, "position": 0, "landmarks": []}
