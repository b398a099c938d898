"""A small library whose vectors lie on a server that fails on demand; every job has something to do in it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import UUID

from qdrant_client import models
from sqlalchemy import func, select

from image_search_service.core.config import Settings
from image_search_service.core.paths import LibraryPaths
from image_search_service.core.types import FloatArray, JsonObject
from image_search_service.db.migrate import migrate
from image_search_service.db.models import ClusterRow, FaceInstance
from image_search_service.db.queries.suggestions.centroids import active_centroids
from image_search_service.db.session import Database, sqlite_url
from image_search_service.library.opening import Library
from image_search_service.library.vectors import LibraryCollections
from image_search_service.queue.face_jobs import JOBS
from image_search_service.queue.runner import ProgressReporter
from image_search_service.services.centroid_service import CentroidService
from image_search_service.services.decisions.naming import Namesake, Who
from image_search_service.services.decisions.service import ReviewService
from image_search_service.services.jobs.service import JobKind
from image_search_service.services.suggestions.prototypes import PrototypeService
from image_search_service.vector.calls import Retry
from image_search_service.vector.centroid_qdrant import CentroidQdrantClient
from image_search_service.vector.embedded import EmbeddedQdrant
from image_search_service.vector.face_qdrant import FaceQdrantClient
from tests.contract import stored
from tests.support.drawn_photos import copy_some
from tests.support.qdrant_server import QdrantServer
from tests.support.served import DIMENSION, add_faces, alike, bind, directions, no_bar
from tests.support.world import World

ONCE = Retry(pauses=())
PATIENCE = 30
"""Seconds that a request may take, unless a test says less."""
SERVER = "server"
"""The folder of the template's points; hundreds of megabytes of holes, which a copy would fill."""


class ImpatientCollections(LibraryCollections):
    """Asks Qdrant once and does not wait for it to come back."""

    def unchecked_faces(self) -> FaceQdrantClient:
        made = super().unchecked_faces()
        return FaceQdrantClient(made.client, made.collection_name, made.dimension, retry=ONCE)

    def unchecked_centroids(self) -> CentroidQdrantClient:
        made = super().unchecked_centroids()
        return CentroidQdrantClient(made.client, made.collection_name, made.dimension, retry=ONCE)


class ImpatientLibrary(Library):
    """A library on ``ImpatientCollections``."""

    open_collections = ImpatientCollections


def named(library: Library) -> dict[UUID, UUID]:
    """The person of each face that has one."""
    whose = select(FaceInstance.id, FaceInstance.person_id).where(FaceInstance.person_id.is_not(None))
    with library.database.read() as session:
        return {face_id: person_id for face_id, person_id in session.execute(whose) if person_id}


@dataclass(frozen=True, slots=True)
class Template:
    """A closed library in a folder, to be copied: ids are the same in every copy."""

    folder: Path
    photos: Path
    people: list[UUID]
    face: UUID
    named: dict[UUID, UUID]
    points: dict[str, list[models.PointStruct]]


@dataclass(frozen=True, slots=True)
class Faulty:
    """A copy of the template, open, and its server."""

    template: Template
    library: Library
    server: QdrantServer
    engine: EmbeddedQdrant

    def run(self, kind: JobKind, parameters: JsonObject) -> JsonObject:
        """The job's function, in this thread."""
        return JOBS[kind](self.library.stores, ProgressReporter(lambda _done, _total: None), **parameters)

    def named(self) -> dict[UUID, UUID]:
        return named(self.library)

    def cluster_sizes(self) -> list[tuple[int, int]]:
        """Of each cluster the size that it says, and how many faces it has."""
        members = select(func.count()).where(FaceInstance.cluster_id == ClusterRow.id).scalar_subquery()
        with self.library.database.read() as session:
            return [(size, faces) for size, faces in session.execute(select(ClusterRow.size, members))]

    def centroid_ids(self) -> list[UUID]:
        """The active ones, by person."""
        with self.library.database.read() as session:
            return [row.id for row in active_centroids(session)]

    def everything(self) -> list[str]:
        return stored.everything(self.library.database, self.engine, self.template.points)

    def content(self) -> list[str]:
        return stored.content(self.library.database, self.engine, self.template.points)


def make_template(drawn: Path, folder: Path) -> Template:
    """Two people with a centroid, one of them with a face since then; faces that are surely theirs, that may
    be, and of two strangers; photos that are not indexed."""
    photos = copy_some(drawn, folder / "photos", 12)
    template = Template(folder / "template", photos, [], UUID(int=0), {}, {})
    with (
        EmbeddedQdrant(template.folder / SERVER) as engine,
        open_on(engine, template, template.folder) as made,
    ):
        bind(made.library)
        filled = replace(template, **_fill(made.library))
        for name in (made.library.faces.collection_name, made.library.centroids.collection_name):
            records, _ = engine.scroll(name, limit=stored.ENGINE_PAGE, with_payload=True, with_vectors=True)
            filled.points[name] = [_point(record) for record in records]
        return filled


def _point(record: models.Record) -> models.PointStruct:
    return models.PointStruct(id=record.id, vector=record.vector, payload=record.payload)  # type: ignore[arg-type]  # vectors were asked for


def _fill(library: Library) -> dict[str, Any]:
    ada_like, grace_like, *strangers = directions(4, seed=7)
    ada = _named(library, "Ada", alike(ada_like, 6, seed=1))
    grace = _named(library, "Grace", alike(grace_like, 6, seed=1))
    CentroidService(library.stores).compute_centroids()
    PrototypeService(library.stores).compute_prototypes()
    _named(library, "Ada", alike(ada_like, 1, seed=2), ada)
    with library.database.write() as session:
        world = World(session)
        sure = add_faces(library, world, alike(ada_like, 2, 0.4, seed=3))
        add_faces(library, world, alike(grace_like, 4, 1.5, seed=4))
        for direction in strangers:
            add_faces(library, world, alike(direction, 5, seed=5))
        ids: dict[str, Any] = {"people": sorted([ada, grace]), "face": sure[0].id}
    library.payload_sender.send()
    ids["named"] = named(library)
    return ids


def _named(library: Library, name: str, embeddings: FloatArray, who: Who = Namesake.ASK) -> UUID:
    """Faces that somebody has named; returns the person."""
    with library.database.write() as session:
        faces = [face.id for face in add_faces(library, World(session), embeddings)]
    person = ReviewService(library.database, "test").split(faces, name, who=who).person_id
    library.payload_sender.send()
    return person


@contextmanager
def copied(
    template: Template, folder: Path, *, grpc: bool = True, patience: int = PATIENCE
) -> Iterator[Faulty]:
    """A copy of the template in ``folder``: its rows, and its points written anew; opened, its collections
    too. patience: seconds that a request may take."""
    shutil.copytree(template.folder, folder, ignore=shutil.ignore_patterns(SERVER))
    with EmbeddedQdrant(folder / SERVER) as engine:
        for name, points in template.points.items():
            engine.create_collection(
                name, models.VectorParams(size=DIMENSION, distance=models.Distance.COSINE)
            )
            engine.upsert(name, points)
        with open_on(engine, template, folder, grpc=grpc, patience=patience) as made:
            assert made.library.faces.count()
            assert made.library.centroids.count()
            yield made


@contextmanager
def open_on(
    engine: EmbeddedQdrant, template: Template, folder: Path, *, grpc: bool = True, patience: int = PATIENCE
) -> Iterator[Faulty]:
    """The library in ``folder`` on a server of its own, over ``engine``."""
    with QdrantServer(engine) as server:
        settings = Settings(
            library=folder,
            engine="synthetic",
            offline=True,
            workers=1,
            require_token=False,
            qdrant_url=f"http://127.0.0.1:{server.rest_port}",
            qdrant_grpc_port=server.grpc_port,
            qdrant_prefer_grpc=grpc,
            qdrant_timeout=patience,
        )
        paths = LibraryPaths(folder)
        database = Database(sqlite_url(paths.database))
        migrate(database, paths.backups)
        library = ImpatientLibrary(settings, paths, database, lambda _: None, no_bar)
        try:
            yield Faulty(template, library, server, engine)
        finally:
            server.heal()
            library.close()
