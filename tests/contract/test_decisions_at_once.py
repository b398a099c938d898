"""Several people decide at once, on every database: one wins, the others are told, nothing is half done."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Barrier, Event
from typing import Any
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
from image_search_service.services.jobs.outbox import PayloadSender
from tests.support.databases import DATABASES, open_database
from tests.support.given_stores import given_stores
from tests.support.round_trips import round_trips
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


class HeldOpen(ReviewService):
    """Its transactions stay open, once all is written, until they may end."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, "slow")
        self.written, self.may_end = Event(), Event()

    @contextmanager
    def _deciding(self) -> Iterator[Any]:
        with super()._deciding() as session:
            yield session
            self.written.set()
            assert self.may_end.wait(LIMIT)


class SlowFaces:
    """A collection of faces that takes a payload only when it may."""

    def __init__(self) -> None:
        self.asked, self.may_take = Event(), Event()

    def update_person_ids(self, _: Any) -> None:
        self.asked.set()
        assert self.may_take.wait(LIMIT)

    def update_cluster_ids(self, _: Any) -> None:
        pass

    def update_hidden(self, _: Any) -> None:
        pass


def test_one_waits_for_the_others_transaction_alone(database: Database, faces: list[UUID]) -> None:
    """A decision on other faces waits while one is held open, and neither for Qdrant that is told of it."""
    slow, qdrant = HeldOpen(database), SlowFaces()
    sender = PayloadSender(given_stores(database, faces=qdrant))
    with ThreadPoolExecutor(3) as threads:
        first = threads.submit(slow.split, faces[:3], "Ada")
        assert slow.written.wait(LIMIT)
        second = threads.submit(ReviewService(database, "quick").split, faces[3:6], "Grace")
        assert owners(database)[faces[0]] is None  # readers see what was before, and wait for nobody
        assert not second.done()
        slow.may_end.set()
        assert first.result(LIMIT).faces == second.result(LIMIT).faces == 3
        telling = threads.submit(sender.send_if_it_answers)
        assert qdrant.asked.wait(LIMIT)
        third = threads.submit(ReviewService(database, "quick").split, faces[6:9], "Edsger")
        assert third.result(LIMIT).faces == 3
        assert not telling.done()
        qdrant.may_take.set()
        telling.result(LIMIT)


def test_a_decision_is_one_transaction(database: Database, faces: list[UUID]) -> None:
    """Twenty faces cost as many statements as two, and one transaction."""
    costs = []
    for number, some in enumerate((faces[:2], faces[2:22])):
        with round_trips(database.engine) as trips:
            ReviewService(database, "test").split(some, f"Ada {number}")
        begun = [statement for statement in trips.sql if statement.startswith("BEGIN")]
        assert begun == (["BEGIN IMMEDIATE"] if database.is_sqlite else [])  # psycopg begins by itself
        costs.append(trips.statements)
    assert costs[0] == costs[1]
