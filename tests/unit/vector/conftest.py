"""A stand-in server with faces, and a client of it over each protocol."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from qdrant_client import QdrantClient

from image_search_service.vector.calls import Retry
from image_search_service.vector.face_qdrant import FaceQdrantClient
from tests.support.qdrant_server import QdrantServer
from tests.unit.vector.stored_faces import FACES, Pauses


@pytest.fixture(scope="module")
def server() -> Iterator[QdrantServer]:
    """A stand-in server with 250 faces, for the tests of faults."""
    engine = QdrantClient(":memory:")
    faces = FaceQdrantClient(engine, "faces", 16)
    faces.ensure_collection()
    faces.upsert_faces(FACES)
    with QdrantServer(engine) as running:
        yield running
    engine.close()


@pytest.fixture(params=["grpc", "rest"])
def faces(server: QdrantServer, request: pytest.FixtureRequest) -> Iterator[FaceQdrantClient]:
    """The faces over one of the protocols, from a server in good health; its pauses are only noted."""
    server.heal()
    server.requests.clear()
    client = server.client(grpc=request.param == "grpc")
    yield FaceQdrantClient(client, "faces", 16, retry=Retry(sleep=Pauses()))
    server.heal()
