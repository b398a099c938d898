"""The same tests on every place that can hold vectors."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import numpy as np
from qdrant_client import QdrantClient

from image_search_service.core.types import FloatArray
from image_search_service.vector.client import QdrantServerOptions, open_server
from image_search_service.vector.collections import FacePayload, FacePoint
from image_search_service.vector.face_qdrant import FaceQdrantClient
from tests.support.databases import depth
from tests.support.qdrant_server import QdrantServer

REAL_SERVER = "IMAGE_SEARCH_TEST_QDRANT_URL"
REAL = ("real-grpc", "real-rest") if os.environ.get(REAL_SERVER) else ()
BACKENDS = ("embedded", "grpc", depth("memory"), depth("rest"), *REAL)
"""Where the same tests run. A real server is one more, for whoever has one."""


@contextmanager
def open_backend(name: str, folder: Path) -> Iterator[Any]:
    """A client of the backend: in memory, embedded in ``folder``, the stand-in server, or a real one."""
    from image_search_service.vector.embedded import EmbeddedQdrant

    if name == "memory":
        client = QdrantClient(":memory:")
        yield client
        client.close()
    elif name.startswith("real-"):
        yield from _real(name)
    else:
        with EmbeddedQdrant(folder / "qdrant") as engine:
            if name == "embedded":
                yield engine
            else:
                with QdrantServer(engine) as server:
                    yield server.client(grpc=name == "grpc")


def _real(name: str) -> Iterator[QdrantClient]:
    url = os.environ[REAL_SERVER]
    client = open_server(QdrantServerOptions(url, prefer_grpc=name == "real-grpc"))
    yield client
    client.close()


@contextmanager
def open_faces(name: str, folder: Path, dimension: int = 16) -> Iterator[FaceQdrantClient]:
    """An empty collection of faces on the backend, removed in the end."""
    with open_backend(name, folder) as client:
        faces = FaceQdrantClient(client, f"faces_test_{uuid4().hex}", dimension)
        faces.ensure_collection()
        try:
            yield faces
        finally:
            client.delete_collection(faces.collection_name)


def unit_vectors(number: int, dimension: int = 16, seed: int = 0) -> FloatArray:
    """Random directions, ``(number, dimension)`` float32, each of unit length."""
    rows = np.random.default_rng(seed).standard_normal((number, dimension)).astype(np.float32)
    unit: FloatArray = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return unit


def face_points(number: int, dimension: int = 16, **payload: Any) -> list[FacePoint]:
    """Faces as the index stores them, with known ids."""
    return [
        FacePoint(UUID(int=row + 1), embedding, FacePayload(UUID(int=row + 1), UUID(int=7), **payload))
        for row, embedding in enumerate(unit_vectors(number, dimension))
    ]
