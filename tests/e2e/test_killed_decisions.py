"""``kill -9`` during a run of decisions: nothing acknowledged is lost, nothing is half done."""

from __future__ import annotations

import http.client
import json
import random
import threading
import urllib.error
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from image_search_service.core.config import Settings
from image_search_service.db.models import FaceInstance
from image_search_service.library.opening import open_library
from image_search_service.services.decisions.history import HistoryService
from image_search_service.services.decisions.replay import RebuildService
from image_search_service.vector.embedded import EmbeddedQdrant
from tests.e2e.random_decisions import something_to_say
from tests.support.databases import postgresql_schema
from tests.support.qdrant_server import QdrantServer
from tests.support.served import add_faces, bind, directions, no_bar
from tests.support.service_processes import ask, free_port, serving
from tests.support.world import World

FACES = 60
ACKNOWLEDGED = 4
KILLS = 4
"""So many decisions at least are acknowledged before each kill."""


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


def decide_until_killed(settings: dict[str, Any], faces: list[str], chance: random.Random) -> list[int]:
    """Decisions, one after the other, until the service is killed in their midst, at a moment that chance
    gives once some were acknowledged: the numbers of all that were."""
    made: list[int] = []
    with serving(settings) as process:
        kill = threading.Timer(chance.uniform(0, 0.1), process.kill)
        while True:
            if len(made) >= ACKNOWLEDGED and kill.ident is None:
                kill.start()
            try:
                listed = ask(settings["port"], "/api/v1/persons")["items"]
                what, body = something_to_say(faces, made, [one["id"] for one in listed], chance)
                answer = ask(settings["port"], f"/api/v1/decisions/{what}", body or {})
            except urllib.error.HTTPError as refused:
                assert refused.code in (404, 409), refused.read()  # noqa: PT017 - who decides at random is refused now and then
                continue
            except (OSError, http.client.HTTPException, json.JSONDecodeError):
                assert len(made) >= ACKNOWLEDGED, "the service went away before it was killed"
                kill.join()
                return made
            if answer.get("decision_id"):
                made.append(answer["decision_id"])


@pytest.mark.depth
def test_nothing_acknowledged_is_lost(settings: dict[str, Any]) -> None:
    """After each kill every acknowledged decision is there, whole, and the tables follow from the events."""
    with open_library(Settings(**settings), lambda _: None, no_bar) as library:
        bind(library)
        with library.database.write() as session:
            faces = [str(face.id) for face in add_faces(library, World(session), directions(FACES))]
    chance = random.Random(7)  # noqa: S311 - for a test's choices
    acknowledged: list[int] = []
    kinds: set[str] = set()
    for _ in range(KILLS):
        acknowledged += decide_until_killed(settings, faces, chance)
        with open_library(Settings(**settings), lambda _: None, no_bar) as library:
            history = HistoryService(library.database)
            there = {event.decision.id for event in history.page(limit=10_000)}
            assert set(acknowledged) <= there
            assert RebuildService(library.database).check().wrong == 0
            library.payload_sender.send()
            (page,) = library.faces.scroll_faces()
            with library.database.read() as session:
                rows = session.execute(
                    select(FaceInstance.id, FaceInstance.person_id, FaceInstance.cluster_id)
                )
                placed = {row[0]: (row[1], row[2]) for row in rows}
            told = {face: (one.person_id, one.cluster_id) for face, one in page.payloads.items()}
            assert told == placed
            kinds |= {event.decision.kind for event in history.page(limit=10_000)}
    assert len(acknowledged) >= KILLS * ACKNOWLEDGED
    assert len(kinds) > 1
