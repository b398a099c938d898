"""A library behind the HTTP API: embedded stores, made-up embeddings, workers for its jobs."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from fastapi import FastAPI
from fastapi.testclient import TestClient

from image_search_service.api.app import build_app
from image_search_service.core.config import Settings
from image_search_service.core.types import FloatArray
from image_search_service.db.models import FaceInstance, PersonRow
from image_search_service.db.queries import library as library_queries
from image_search_service.library.opening import Library, open_library
from image_search_service.library.workers import job_workers
from image_search_service.main import STOP_SECONDS, create_app
from image_search_service.recognition.engines.synthetic import SyntheticEngine
from image_search_service.vector.collections import FacePayload, FacePoint
from tests.support.waiting import wait_until
from tests.support.world import World, put_database

DIMENSION = SyntheticEngine.identity.dimension
BASE_URL = "http://localhost:8000"
POLL_SECONDS = 0.02
"""How long a job waits at most until a worker looks for it. A service looks each second."""


@dataclass(frozen=True, slots=True)
class Served:
    """An open library, and a client of its API."""

    library: Library
    client: TestClient

    def get(self, path: str, status: int = 200, **query: Any) -> Any:
        """The JSON of ``GET /api/v1…``."""
        answer = self.client.get(f"/api/v1{path}", params=query)
        assert answer.status_code == status, answer.text
        return answer.json()

    def post(self, path: str, body: Any = None, status: int = 202) -> Any:
        """The JSON of ``POST /api/v1…``."""
        answer = self.client.post(f"/api/v1{path}", json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    def ended(self, job: Any) -> Any:
        """The job when it has ended."""
        return self.seen(job, lambda found: found["state"] not in ("queued", "running"))

    def seen(self, job: Any, awaited: Callable[[Any], bool]) -> Any:
        """The job as soon as it is as awaited."""
        return wait_until(lambda: self.get(f"/jobs/{job['id']}"), awaited)

    def pages(self, path: str, **query: Any) -> list[Any]:
        """Every page of a list."""
        pages = [self.get(path, **query)]
        while cursor := pages[-1]["next_cursor"]:
            pages.append(self.get(path, cursor=cursor, **query))
        return pages


@contextmanager
def served(folder: Path, *, run_jobs: bool = True, **settings: Any) -> Iterator[Served]:
    """A library of the synthetic engine, without a face, served to all, and its jobs run."""
    fixed: dict[str, Any] = {"engine": "synthetic", "offline": True, "workers": 1, "require_token": False}
    given = Settings(library=folder, **(fixed | settings))
    put_database(folder)
    with open_library(given, lambda _: None, no_bar) as library, ExitStack() as stack:
        bind(library)
        app = create_app(library, run_jobs=False) if settings else _application()
        app.state.library = library
        if run_jobs:
            workers = job_workers(library, poll_seconds=POLL_SECONDS)
            workers.start()
            stack.callback(workers.stop, STOP_SECONDS)
        with TestClient(app, base_url=BASE_URL, raise_server_exceptions=False) as client:
            yield Served(library, client)


@cache
def _application() -> FastAPI:
    """The application without a library: it takes longer to build than a library to open."""
    return build_app(Settings(library=Path("nowhere"), require_token=False), None)


@contextmanager
def no_bar(_what: str, _unit: str) -> Iterator[Any]:
    """Progress that nobody watches."""
    yield lambda _done, _total: None


def bind(library: Library) -> None:
    """Bind the library to the synthetic engine. Collections on a server are opened, as an index run does it:
    the library's mark is written then, which waits for whoever writes to the database."""
    with library.database.write() as session:
        library_queries.bind_engine(session, SyntheticEngine.identity, {})
    if library.settings.qdrant_url is not None:
        assert library.faces.count() == 0


def directions(number: int, seed: int = 0) -> FloatArray:
    """Random unit vectors ``(number, DIMENSION)``: nobody resembles anybody."""
    rows = np.random.default_rng(seed).standard_normal((number, DIMENSION)).astype(np.float32)
    unit: FloatArray = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


def alike(direction: FloatArray, number: int, spread: float = 0.5, seed: int = 0) -> FloatArray:
    """``(number, DIMENSION)``: faces of one person, whose embedding is about ``direction``."""
    rows = direction + spread * directions(number, seed)
    unit: FloatArray = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return unit


def add_person(world: World, name: str) -> PersonRow:
    person = PersonRow(id=uuid.uuid4(), name=name, name_key=name.casefold())
    world.session.add(person)
    world.session.flush()
    return person


def add_faces(library: Library, world: World, embeddings: FloatArray, **columns: Any) -> list[FaceInstance]:
    """A face for each embedding, each in a photo of its own, in SQL and in Qdrant.

    ``columns``: of the face, such as ``person_id``.
    """
    photos = [world.photo(f"/photos/{uuid.uuid4().hex}.jpg") for _ in embeddings]
    faces = [world.face(photo, **columns) for photo in photos]
    store_embeddings(library, faces, embeddings)
    return faces


def store_embeddings(library: Library, faces: Sequence[FaceInstance], embeddings: FloatArray) -> None:
    """Put the embeddings of faces that are in SQL into Qdrant."""
    library.faces.upsert_faces(
        FacePoint(
            face.qdrant_point_id,
            embedding,
            FacePayload(face.id, face.asset_id, face.person_id, face.cluster_id, face.quality_score, 0.9),
        )
        for face, embedding in zip(faces, embeddings, strict=True)
    )
