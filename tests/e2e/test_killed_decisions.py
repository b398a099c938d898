"""``kill -9`` during a run of decisions: nothing acknowledged is lost, nothing is half done."""

from __future__ import annotations

import http.client
import json
import random
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from image_search_service.bootstrap import open_library
from image_search_service.core.config import Settings
from image_search_service.db.queries import review as queries
from image_search_service.vector.embedded import EmbeddedQdrant
from tests.support.databases import postgresql_schema
from tests.support.qdrant_server import QdrantServer
from tests.support.served import add_faces, bind, directions, no_bar
from tests.support.service_processes import ask, free_port, serving
from tests.support.world import World

FACES, EACH = 60, 15
KILLS = 3


@pytest.fixture(params=["embedded", "servers"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[dict[str, Any]]:
    same = {"library": tmp_path / "library", "engine": "synthetic", "offline": "true", "port": free_port()}
    if request.param == "embedded":
        yield same
        return
    with (
        postgresql_schema() as database,
        EmbeddedQdrant(tmp_path / "qdrant") as engine,
        QdrantServer(engine) as server,
    ):
        yield same | {
            "database_url": database.render_as_string(hide_password=False),
            "qdrant_url": f"http://127.0.0.1:{server.rest_port}",
            "qdrant_grpc_port": server.grpc_port,
        }


def decide_until_killed(settings: dict[str, Any], faces: list[str], chance: random.Random) -> list[Any]:
    """Decisions, one after the other, until the service is killed in their midst; those acknowledged."""
    made: list[Any] = []
    with serving(settings) as process:
        kill = threading.Timer(chance.uniform(0.05, 0.8), process.kill)
        kill.start()
        while True:
            body = {"face_ids": chance.sample(faces, EACH), "name": f"{chance.randrange(4)}"}
            try:
                made.append(ask(settings["port"], "/api/v1/decisions/split", body))
            except (OSError, http.client.HTTPException, json.JSONDecodeError):
                kill.join()
                return made


def test_nothing_acknowledged_is_lost(settings: dict[str, Any]) -> None:
    """After each kill every acknowledged decision is there, whole, and the tables follow from the events."""
    with open_library(Settings(**settings), lambda _: None, no_bar) as library:
        bind(library)
        with library.database.write() as session:
            faces = [str(face.id) for face in add_faces(library, World(session), directions(FACES))]
    chance = random.Random(7)  # noqa: S311 - for a test's choices
    acknowledged: list[Any] = []
    for _ in range(KILLS):
        acknowledged += decide_until_killed(settings, faces, chance)
        with open_library(Settings(**settings), lambda _: None, no_bar) as library:
            review = library.review_service("test")
            there = {event.decision.id for event in review.history(limit=10_000)}
            assert {answer["decision_id"] for answer in acknowledged} - {None} <= there
            assert library.rebuild_service().check().wrong == 0
            library.send_due_payloads()
            (page,) = library.faces.scroll_faces()
            told = {face: one.person_id for face, one in page.payloads.items() if one.person_id}
            with library.database.read() as session:
                owners = queries.owners(session, [UUID(face) for face in faces])
            assert told == owners
    assert len(acknowledged) >= KILLS
