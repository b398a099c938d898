"""A small library that is the same at the beginning of every sequence of decisions, and quickly so.

The stores are real. What makes sequences cheap: one file of SQLite, overwritten with a copy of the migrated
library; one engine, whose compiled statements are kept; two collections of embedded Qdrant, emptied of what a
sequence has added; and the tables read as they are stored, by a connection of their own.
"""

# ruff: noqa: S608 - statements made of this file's own words

from __future__ import annotations

import random
import shutil
import sqlite3
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from sqlalchemy import event, select, update

from image_search_service.core.types import FloatArray
from image_search_service.db.models import AssetPath, FaceInstance, ImageAsset
from image_search_service.db.queries import clusters, face_moves, lost_faces
from image_search_service.db.session import Database, sqlite_url
from image_search_service.recognition.engines.synthetic import SyntheticEngine
from image_search_service.services.face_clustering_service import FaceClusteringService
from image_search_service.services.indexing.edits import carry_over
from image_search_service.services.indexing.same_faces import ChangedFile, SameFaceSearch
from image_search_service.vector.centroid_qdrant import CentroidQdrantClient
from image_search_service.vector.collections import FacePayload, FacePoint
from image_search_service.vector.embedded import EmbeddedQdrant
from image_search_service.vector.face_qdrant import FaceQdrantClient
from tests.support.given_stores import given_stores
from tests.support.served import DIMENSION, alike, directions
from tests.support.world import World, migrated_database

LOOKS, EACH = 3, 5
TABLES = (
    "persons",
    "face_instances",
    "face_suggestions",
    "person_prototypes",
    "face_differences",
    "person_differences",
    "clusters",
    "lost_faces",
    "decisions",
    "decision_changes",
)
SAID = {
    "owner": "SELECT id, person_id FROM face_instances WHERE assigned_by = 'human'",
    "group": "SELECT id, group_id FROM face_instances WHERE group_id IS NOT NULL",
    "no face": "SELECT id FROM face_instances WHERE NOT is_face",
    "aside": "SELECT id FROM face_instances WHERE set_aside",
    "rejected": "SELECT face_instance_id, person_id FROM face_suggestions WHERE state = 'rejected'",
    "pinned": "SELECT face_instance_id, person_id FROM person_prototypes WHERE pinned",
    "apart": "SELECT face_instance_id, difference_id, side FROM face_differences",
    "loss answered": "SELECT id, face_instance_id FROM lost_faces WHERE answered",
    "different": "SELECT person_id, other_id FROM person_differences",
    "persons": "SELECT id, name, merged_into, hidden, birth_date, note, cover_face_id FROM persons"
    " WHERE NOT deleted OR merged_into IS NOT NULL",
}
"""Everything that a human can say, from the tables."""
FORGOTTEN = (
    "UPDATE face_instances SET person_id = NULL, assigned_by = NULL, cluster_id = NULL, is_face = 1",
    "UPDATE face_instances SET group_id = NULL, set_aside = 0, payload_version = payload_version + 1",
    "UPDATE lost_faces SET answered = 0",
    *(
        f"DELETE FROM {table}"
        for table in (
            "face_suggestions",
            "person_prototypes",
            "person_centroids",
            "face_differences",
            "person_differences",
            "persons",
            "clusters",
        )
    ),
)
"""What wipes the present state; the events stay."""

Said = dict[str, frozenset[tuple[Any, ...]]]


def seeded_uuid() -> uuid.UUID:
    """Like ``uuid.uuid4``, but the same ones when Hypothesis, which seeds ``random``, runs it again."""
    return uuid.UUID(int=random.getrandbits(128), version=4)


@dataclass(frozen=True)
class Seen:
    """The tables at one moment. tables: their rows, as stored. said: what humans have said."""

    tables: dict[str, list[tuple[Any, ...]]]
    said: Said

    @cached_property
    def events(self) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
        return self.tables["decisions"], self.tables["decision_changes"]

    @property
    def latest(self) -> int:
        return max((row[0] for row in self.tables["decisions"]), default=0)


class DecidedLibrary:
    """Fifteen faces of three looks, grouped, in as many photos but one, which shows two people."""

    def __init__(self) -> None:
        self.folder = TemporaryDirectory(prefix="decisions")
        root = Path(self.folder.name)
        self.qdrant = EmbeddedQdrant(root / "qdrant")
        self.faces = FaceQdrantClient(self.qdrant, "faces", DIMENSION)
        self.centroids = CentroidQdrantClient(self.qdrant, "centroids", DIMENSION)
        self.faces.ensure_collection()
        self.centroids.ensure_collection()
        self.looks: list[list[uuid.UUID]] = [[] for _ in range(LOOKS)]
        self.template, self.path = root / "library.sqlite3", root / "at_hand.sqlite3"
        self._make()
        self.database = Database(sqlite_url(self.path))
        event.listen(self.database.engine, "connect", _trust_the_disk)
        self.stores = given_stores(self.database, self.faces, self.centroids, SyntheticEngine.thresholds)
        self._added: list[uuid.UUID] = []
        self._reader: sqlite3.Connection | None = None

    def _make(self) -> None:
        database = migrated_database(self.template.parent)
        with database.write() as session:
            world = World(session)
            shared = world.photo("/both.jpg")
            for look in range(LOOKS):
                embeddings = alike(directions(LOOKS, seed=5)[look], EACH, spread=0.4, seed=look)
                for number, embedding in enumerate(embeddings):
                    both = number == 0 and look < 2
                    photo = shared if both else world.photo(f"/{look}-{number}.jpg")
                    face = world.face(photo, position=look if both else 0)
                    self._store(face, embedding)
                    self.looks[look].append(face.id)
        stores = given_stores(database, self.faces, self.centroids, SyntheticEngine.thresholds)
        FaceClusteringService(stores).group()
        with database.write() as session:
            # what an earlier sequence told Qdrant is wrong
            session.execute(update(FaceInstance).values(payload_version=FaceInstance.payload_sent + 1))
        database.close()

    def _store(self, face: FaceInstance, embedding: FloatArray) -> None:
        self.faces.upsert_faces([FacePoint(face.id, embedding, FacePayload(face.id, face.asset_id))])

    def begin(self) -> None:
        """Everything as it was before any decision."""
        self.database.close()
        for leftover in self.path.parent.glob(f"{self.path.name}*"):
            leftover.unlink()
        shutil.copyfile(self.template, self.path)
        self._reader = sqlite3.connect(self.path, isolation_level=None)
        self.centroids.delete_centroids([point.id for point in self.centroids.scroll_stored()])
        self.faces.delete_faces(self._added)
        self._added = []

    def end(self) -> None:
        if self._reader is not None:
            self._reader.close()
        self._reader = None

    def close(self) -> None:
        self.end()
        self.database.close()
        self.qdrant.close()
        self.folder.cleanup()

    def restart(self) -> None:
        """No connection survives."""
        self.database.close()

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """What SQLite answers, without the service's help. Ids are their 32 hexadecimal digits."""
        assert self._reader is not None
        return self._reader.execute(statement).fetchall()

    def ids(self, statement: str) -> list[uuid.UUID]:
        return [uuid.UUID(row[0]) for row in self.rows(statement)]

    def see(self) -> Seen:
        tables = {table: self.rows(f"SELECT * FROM {table} ORDER BY 1, 2") for table in TABLES}
        return Seen(tables, {what: frozenset(self.rows(statement)) for what, statement in SAID.items()})

    def lost_faces(self) -> list[uuid.UUID]:
        with self.database.read() as session:
            return sorted(name.face_id for name in lost_faces.lost_names(session))

    def forget(self) -> None:
        """Lose every table but the photos, the faces and the events."""
        assert self._reader is not None
        for statement in FORGOTTEN:
            self._reader.execute(statement)

    def payloads(self) -> Iterator[FacePayload]:
        for page in self.faces.scroll_faces():
            yield from page.payloads.values()

    # Jobs that are simpler here than in the service

    def group_finer(self) -> None:
        """What a grouping that joins less would have found: each cluster in two."""
        with self.database.write() as session:
            members: dict[uuid.UUID, list[uuid.UUID]] = {}
            rows = session.execute(
                select(FaceInstance.cluster_id, FaceInstance.id)
                .where(FaceInstance.cluster_id.is_not(None), FaceInstance.group_id.is_(None))
                .order_by(FaceInstance.id)
            )
            for cluster, face in rows:
                if cluster is not None:
                    members.setdefault(cluster, []).append(face)
            made = {uuid.uuid4(): of_cluster for of_cluster in members.values()}
            for new, of_cluster in made.items():
                row = {"id": new, "size": 0, "confidence": 0.5, "representative_face_id": of_cluster[0]}
                clusters.save_clusters(session, [row])
                face_moves.set_clusters(session, dict.fromkeys(of_cluster[: len(of_cluster) // 2], new))
            clusters.mend_clusters(session, [*members, *made])

    def edit(self, path: str, *, lose: bool = False) -> dict[str, str]:
        """Another program writes this file; indexing finds the same faces in what is a new photo.

        lose: none of its faces is found, since the file holds another photo of somebody else. Returns for
        each former face the new one, as the tables have their ids.
        """
        copies: dict[str, str] = {}
        with self.database.write() as session:
            old = session.scalars(
                select(ImageAsset).join(AssetPath).where(AssetPath.path == Path(path))
            ).one()
            new = World(session).photo(path)
            for face in session.scalars(select(FaceInstance).where(FaceInstance.asset_id == old.id)):
                copy = World(session).face(new, face.position, face.box)
                same = self.faces.get_embeddings_by_point_ids([face.id])[face.id]
                stranger = directions(1, seed=1_000 + len(self._added))[0]
                self._store(copy, stranger if lose else np.asarray(same, dtype=np.float32))
                self._added.append(copy.id)
                copies[face.id.hex] = copy.id.hex
            change = ChangedFile(Path(path), old.id, new.id)
        found = SameFaceSearch(self.stores).find([change])
        with self.database.write() as session:
            carry_over(session, [change], found)
        return copies


def _trust_the_disk(connection: Any, _record: Any) -> None:
    connection.execute("PRAGMA synchronous=OFF")
