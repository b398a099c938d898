"""Several people decide at once, on every database: one wins, the others are told, nothing is half done."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from uuid import UUID

import pytest
from sqlalchemy import func, select

from image_search_service.core.errors import ConflictError
from image_search_service.db.models import DecisionRow, FaceInstance, PersonRow
from image_search_service.db.queries import library as library_queries
from image_search_service.db.session import Database
from image_search_service.recognition.engines.synthetic import SyntheticEngine
from image_search_service.services.decisions.history import HistoryService
from image_search_service.services.decisions.replay import RebuildService
from image_search_service.services.decisions.service import ReviewService
from tests.support.databases import DATABASES, open_database
from tests.support.waiting import LIMIT
from tests.support.world import World

FACES = 30
CLIENTS = 4


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with open_database(request.param, tmp_path) as made:
        with made.write() as session:
            library_queries.bind_engine(session, SyntheticEngine.identity, {})
        yield made


@pytest.fixture
def faces(database: Database) -> list[UUID]:
    with database.write() as session:
        world = World(session)
        return [world.face(world.photo(f"/{number}.jpg")).id for number in range(FACES)]


def owners(database: Database) -> dict[UUID, str | None]:
    with database.read() as session:
        rows = session.execute(
            select(FaceInstance.id, PersonRow.name).outerjoin(
                PersonRow, PersonRow.id == FaceInstance.person_id
            )
        )
        return {row[0]: row[1] for row in rows}


def test_of_those_who_decide_on_the_same_one_wins(database: Database, faces: list[UUID]) -> None:
    """Everybody gives overlapping faces to somebody else, all having seen the same: one succeeds, whole."""
    for turn in range(5):
        seen = HistoryService(database).latest()
        before = owners(database)
        start = Barrier(CLIENTS)

        def client(number: int, turn: int = turn, seen: int = seen, start: Barrier = start) -> str | None:
            start.wait(LIMIT)
            try:
                named = ReviewService(database, f"client {number}").split(
                    faces[number : number + 20], f"{turn}.{number}", based_on=seen
                )
            except ConflictError as error:
                return None if "has changed meanwhile: decision" in error.message else error.message
            return named.name

        with ThreadPoolExecutor(CLIENTS) as threads:
            won = [name for name in threads.map(client, range(CLIENTS)) if name is not None]
        assert len(won) == 1
        number = int(won[0].partition(".")[2])
        after = owners(database)
        assert after == before | dict.fromkeys(faces[number : number + 20], won[0])
    assert RebuildService(database).check().wrong == 0


def test_of_those_who_look_at_nothing_all_are_done_in_turn(database: Database, faces: list[UUID]) -> None:
    """Without saying what was seen, each decision is done whole, one after the other."""

    def client(number: int) -> int | None:
        return ReviewService(database, f"client {number}").split(faces[:10], f"Ada {number}").decision

    with ThreadPoolExecutor(CLIENTS) as threads:
        made = list(threads.map(client, range(8)))
    assert len(set(made)) == 8
    assert len({owners(database)[face] for face in faces[:10]}) == 1
    with database.read() as session:
        assert session.scalar(select(func.count(DecisionRow.id))) == 8
    assert RebuildService(database).check().wrong == 0


def test_two_undo_the_same(database: Database, faces: list[UUID]) -> None:
    """A decision is taken back once; the other one is told that it has been."""
    made = ReviewService(database, "test").split(faces, "Ada").decision
    assert made is not None
    start = Barrier(CLIENTS)

    def client(number: int) -> bool:
        start.wait(LIMIT)
        try:
            ReviewService(database, f"client {number}").undo(made)
        except ConflictError as error:
            return "undone already" not in error.message
        return True

    with ThreadPoolExecutor(CLIENTS) as threads:
        assert sum(threads.map(client, range(CLIENTS))) == 1
    assert set(owners(database).values()) == {None}
