"""A library whose vectors lie on a Qdrant server, opened as the settings say."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from image_search_service.core.config import Settings
from image_search_service.library.health import library_counts
from image_search_service.library.opening import Library, open_library
from image_search_service.services.decisions.service import ReviewService
from image_search_service.vector.embedded import EmbeddedQdrant
from tests.support.qdrant_server import Fault, QdrantServer
from tests.support.served import add_faces, bind, directions, no_bar
from tests.support.world import World


class Recording(EmbeddedQdrant):
    """An engine that remembers what collections were asked of it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.made: list[dict[str, Any]] = []

    def create_collection(self, collection_name: str, vectors_config: Any, **options: Any) -> bool:
        self.made.append({"name": collection_name, "on_disk": vectors_config.on_disk, **options})
        return super().create_collection(collection_name, vectors_config)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Recording]:
    with closing(Recording(tmp_path / "server")) as recording:
        yield recording


@pytest.mark.parametrize("prefer_grpc", [True, False])
def test_collections_are_made_as_the_settings_say(
    engine: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, prefer_grpc: bool
) -> None:
    """Shards, replicas, disk and quantisation, set in the environment, reach the server."""
    with QdrantServer(engine) as server:
        for name, value in {
            "URL": f"http://127.0.0.1:{server.rest_port}",
            "GRPC_PORT": server.grpc_port,
            "PREFER_GRPC": prefer_grpc,
            "SHARD_NUMBER": 3,
            "REPLICATION_FACTOR": 2,
            "ON_DISK": "true",
            "QUANTIZATION": "scalar",
        }.items():
            monkeypatch.setenv(f"IMAGE_SEARCH_QDRANT_{name}", str(value))
        settings = Settings(library=tmp_path / "library", engine="synthetic", offline=True)
        with open_library(settings, lambda _: None, no_bar) as library:
            bind(library)
            names = _open_collections(library)
    assert [each["name"] for each in engine.made] == names
    for each in engine.made:
        assert (each["shard_number"], each["replication_factor"], each["on_disk"]) == (3, 2, True)
        assert each["quantization_config"].scalar.type == "int8"


def _open_collections(library: Library) -> list[str]:
    assert library.faces.count() == 0
    assert list(library.centroids.scroll_stored()) == []
    return [library.faces.collection_name, library.centroids.collection_name]


def test_decisions_go_on_while_qdrant_is_away(engine: Recording, tmp_path: Path) -> None:
    """What is decided while Qdrant is away is kept, waits, and reaches it when it answers again."""
    with QdrantServer(engine) as server:
        settings = Settings(
            library=tmp_path / "library",
            engine="synthetic",
            offline=True,
            qdrant_url=f"http://127.0.0.1:{server.rest_port}",
            qdrant_grpc_port=server.grpc_port,
        )
        with open_library(settings, lambda _: None, no_bar) as library:
            bind(library)
            with library.database.write() as session:
                faces = [face.id for face in add_faces(library, World(session), directions(5))]
            server.fail(Fault.UNAVAILABLE)
            ada = ReviewService(library.database, "test").split(faces, "Ada").person_id
            library.payload_sender.send_if_it_answers()
            assert library_counts(library).named_faces == 5
            server.heal()
            (before,) = library.faces.scroll_faces()
            library.payload_sender.send_if_it_answers()
            (after,) = library.faces.scroll_faces()
    assert {payload.person_id for payload in before.payloads.values()} == {None}
    assert {payload.person_id for payload in after.payloads.values()} == {ada}
