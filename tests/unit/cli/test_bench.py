"""``image-search bench``: measures beside the library and leaves nothing behind; makes a library to try."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from image_search_service.cli.app import app
from image_search_service.core.errors import VectorStoreError
from image_search_service.vector.embedded import EmbeddedQdrant
from image_search_service.vector.retrieval_bench import PREFIX, temporary_faces
from tests.support.qdrant_server import Fault, QdrantServer

SMALL = ("--number", "250", "--dimension", "8", "--rounds", "1")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[EmbeddedQdrant]:
    with EmbeddedQdrant(tmp_path / "qdrant") as engine:
        yield engine


@pytest.fixture
def server(engine: EmbeddedQdrant) -> Iterator[QdrantServer]:
    with QdrantServer(engine) as server:
        yield server


def run(library: Path, *arguments: str, **environment: str) -> Any:
    return CliRunner().invoke(
        app, ["bench", "retrieval", "--library", str(library), *SMALL, *arguments], env=environment
    )


def test_embedded_engine(tmp_path: Path) -> None:
    """Without a server the engine is measured in a temporary folder, and the library is not even made."""
    result = run(tmp_path / "library", "--json")
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    assert (document["qdrant"], document["protocol"], document["number"]) == ("embedded", None, 250)
    assert (document["dimension"], document["rounds"], document["one_id_a_call_sample"]) == (8, 1, 100)
    assert [set(way) for way in document["ways"]] == [{"way", "milliseconds", "factor"}] * 3
    assert document["ways"][-1]["factor"] == 1
    assert not (tmp_path / "library").exists()


@pytest.mark.parametrize("grpc", [True, False])
def test_server(server: QdrantServer, tmp_path: Path, grpc: bool) -> None:
    """On a server a collection is made, filled, read in three ways and removed; no other is touched."""
    result = run(
        tmp_path / "library",
        IMAGE_SEARCH_QDRANT_URL=f"http://127.0.0.1:{server.rest_port}",
        IMAGE_SEARCH_QDRANT_GRPC_PORT=str(server.grpc_port),
        IMAGE_SEARCH_QDRANT_PREFER_GRPC=str(grpc).lower(),
    )
    assert result.exit_code == 0, result.stderr
    assert "gRPC" in result.stdout if grpc else "REST" in result.stdout
    assert "this program" in result.stdout
    assert PREFIX in result.stderr
    assert server.requests["create_collection"] == server.requests["delete_collection"] == 1
    assert server.requests["retrieve"] == 2 * (100 + 3 + 3)


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_interrupted(engine: EmbeddedQdrant, kind: type[BaseException]) -> None:
    """Ctrl-C in the middle leaves no collection."""
    with pytest.raises(kind), temporary_faces(engine, 10, 8) as faces:
        assert engine.collection_exists(faces.collection_name)
        raise kind
    assert not engine.collection_exists(faces.collection_name)


def test_filling_fails(server: QdrantServer) -> None:
    """What cannot be filled is removed, too."""
    server.fail(Fault.GARBAGE, "upsert")
    with pytest.raises(VectorStoreError), temporary_faces(server.client(grpc=True), 10, 8):
        raise AssertionError("it cannot be filled")
    assert server.requests["create_collection"] == server.requests["delete_collection"] == 1


def test_server_that_is_not_there(tmp_path: Path) -> None:
    """A server that does not answer is an error with a hint."""
    result = run(
        tmp_path / "library", IMAGE_SEARCH_QDRANT_URL="http://127.0.0.1:9", IMAGE_SEARCH_QDRANT_GRPC_PORT="9"
    )
    assert result.exit_code == 1
    assert "Qdrant runs" in result.stderr


def test_made_library(tmp_path: Path) -> None:
    """A named, empty library is filled, and the answer says that there are no photos behind it."""
    command = ["bench", "library", "120", "--people", "5", "--library", str(tmp_path / "library")]
    made = CliRunner().invoke(app, command)
    assert made.exit_code == 0, made.stderr
    assert "of which there are no files" in made.stdout
    again = CliRunner().invoke(app, command)
    assert again.exit_code == 1
    assert "not empty" in again.stderr


def test_made_library_has_no_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's own library is never filled with made-up faces for want of an option."""
    monkeypatch.delenv("IMAGE_SEARCH_LIBRARY", raising=False)
    result = CliRunner().invoke(app, ["bench", "library", "120"])
    assert result.exit_code == 2
    assert "--library" in result.stderr
