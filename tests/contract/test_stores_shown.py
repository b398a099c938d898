"""``image-search info`` where the stores are servers: what it says of them, and whether they work."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from image_search_service.cli.app import app
from image_search_service.vector.embedded import EmbeddedQdrant
from tests.support.qdrant_server import QdrantServer


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A library whose vectors are to be on a server that is not there yet."""
    monkeypatch.setenv("IMAGE_SEARCH_QDRANT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("IMAGE_SEARCH_QDRANT_GRPC_PORT", "9")
    return tmp_path / "library"


def info(library: Path, *options: str) -> tuple[int, Any]:
    result = CliRunner().invoke(app, ["info", "--library", str(library), "--json", *options])
    return result.exit_code, json.loads(result.stdout)


def test_a_server_that_is_away_is_shown_as_such(settings: Path) -> None:
    """What is known is shown all the same; with ``--check`` the exit code says that not all works."""
    code, document = info(settings)
    (server,) = document["servers"]
    assert code == 0
    assert (server["store"], server["address"]) == ("vectors", "http://127.0.0.1:9")
    assert "127.0.0.1:9 (gRPC)" in server["failure"]
    assert "vectors" not in document["paths"]
    code, document = info(settings, "--check")
    assert code == 1
    assert {store["name"]: store["ready"] for store in document["stores"]} == {
        "database": True,
        "qdrant": False,
        "queue": True,
        "outbox": True,
    }


def test_a_server_that_answers(settings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Address, version and nodes are shown, and it works."""
    with EmbeddedQdrant(tmp_path / "engine") as engine, QdrantServer(engine) as server:
        monkeypatch.setenv("IMAGE_SEARCH_QDRANT_URL", server.url)
        monkeypatch.setenv("IMAGE_SEARCH_QDRANT_GRPC_PORT", str(server.grpc_port))
        _, document = info(settings)
        (shown,) = document["servers"]
        assert shown["address"] == f"{server.url}, gRPC at 127.0.0.1:{server.grpc_port}"
        assert (shown["detail"], shown["failure"]) == ("Qdrant 1.18.3, 1 node", None)
        assert info(settings, "--check")[0] == 0


def test_a_queue_that_is_away(settings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The service does not start without it, and names the setting, without its password."""
    monkeypatch.delenv("IMAGE_SEARCH_QDRANT_URL")
    monkeypatch.setenv("IMAGE_SEARCH_REDIS_URL", "redis://:geheim@127.0.0.1:9/0")
    served = CliRunner().invoke(app, ["serve", "--port", "0", "--library", str(settings)])
    assert served.exit_code == 1
    assert "IMAGE_SEARCH_REDIS_URL" in served.stderr
    (queue,) = info(settings)[1]["servers"]
    assert queue["address"] == "redis://…@127.0.0.1:9/0"
    assert "geheim" not in served.stderr + str(queue)


def test_a_database_that_is_away(settings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The setting is named; the other stores are asked all the same."""
    monkeypatch.setenv("IMAGE_SEARCH_DATABASE_URL", "postgres://me:geheim@127.0.0.1:9/faces")
    result = CliRunner().invoke(app, ["info", "--library", str(settings)])
    assert result.exit_code == 1
    assert "IMAGE_SEARCH_DATABASE_URL" in result.stderr
    assert "geheim" not in result.stderr
    checked = {store["name"]: store["ready"] for store in info(settings, "--check")[1]["stores"]}
    assert checked == {"database": False, "qdrant": False}
