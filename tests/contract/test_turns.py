"""What only one at a time may do, on every database; indexing is such."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from image_search_service.core.errors import LostTurnError
from image_search_service.db.session import Database
from image_search_service.library.health import library_counts
from image_search_service.library.opening import Library
from image_search_service.services.centroid_service import CentroidService
from image_search_service.services.doctor.service import DoctorService
from image_search_service.services.indexing.indexer import IndexService
from image_search_service.vector.centroid_qdrant import CentroidPoint, CentroidQdrantClient
from image_search_service.vector.limits import WRITE_BATCH
from tests.support.databases import DATABASES, open_database
from tests.support.drawn_photos import copy_some
from tests.support.given_stores import with_collections
from tests.support.served import add_faces, add_person, directions
from tests.support.stores import STORES, library_on
from tests.support.waiting import LIMIT, wait_until
from tests.support.world import World

TIMES = 5
"""How often two meet, since chance decides who is first."""


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with open_database(request.param, tmp_path) as made:
        yield made


@pytest.fixture(params=STORES)
def library(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Library]:
    with library_on(request.param, tmp_path) as opened:
        yield opened


def test_one_after_the_other(database: Database) -> None:
    """Nobody is in while somebody else is; something else may be done meanwhile."""
    inside, most = [0], [0]

    def enter(_number: int) -> None:
        with database.turn("index"):
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            with database.turn("something else"):
                time.sleep(0.01)
            inside[0] -= 1

    with ThreadPoolExecutor(3) as threads:
        list(threads.map(enter, range(3)))
    assert most == [1]


def test_who_waits_may_give_up(database: Database) -> None:
    """Waiting calls back, so that a job that is cancelled need not wait for its turn."""
    held, over = threading.Event(), threading.Event()

    def hold() -> None:
        with database.turn("index"):
            held.set()
            over.wait(LIMIT)

    def give_up() -> None:
        raise InterruptedError

    with ThreadPoolExecutor(1) as threads:
        threads.submit(hold)
        assert held.wait(LIMIT)
        with pytest.raises(InterruptedError), database.turn("index", give_up):
            pass
        over.set()
    with database.turn("index"):
        pass


@pytest.mark.depth
def test_who_has_lost_the_turn_writes_no_more(tmp_path: Path) -> None:
    """The server ends the connection that holds it: as long as nobody else takes the turn it goes on, and
    after that no transaction of its is begun, while other threads write on."""
    with open_database("postgresql", tmp_path) as database, ThreadPoolExecutor(1) as other:
        with database.turn("index"):
            assert end_connections_with_a_turn(database) == 1
            write_nothing(database)
            other.submit(take_and_give_back, database).result()
            with pytest.raises(LostTurnError), database.write():
                pytest.fail("nothing is to be written")
            other.submit(write_nothing, database).result()
        with database.turn("index"):
            write_nothing(database)


@pytest.mark.depth
def test_nobody_gets_the_turn_while_its_holder_writes(tmp_path: Path) -> None:
    """What a transaction is about to store is stored before the next one looks."""
    order: list[str] = []

    def take(database: Database) -> None:
        with database.turn("index"):
            order.append("next")

    with open_database("postgresql", tmp_path) as database, ThreadPoolExecutor(1) as other:
        with database.turn("index"), database.write() as session:
            end_connections_with_a_turn(database)
            waiting = other.submit(take, database)
            wait_until(lambda: waits_for_a_row(database), bool)
            session.execute(text("SELECT 1"))
            order.append("written")
        waiting.result()
    assert order == ["written", "next"]


@pytest.mark.depth
def test_a_run_that_lost_its_turn_takes_nothing_from_the_next(drawn: Path, tmp_path: Path) -> None:
    """Its connection ends in the middle; another run finishes everything; the first stops where it would
    write, and both stores agree."""
    album = copy_some(drawn, tmp_path / "album", 20)
    with library_on("servers", tmp_path) as library, ThreadPoolExecutor(1) as other:

        def lose_turn(done: int, _total: int | None) -> None:
            if done and not lost:
                lost.append(end_connections_with_a_turn(library.database))
                other.submit(IndexService(library.stores).index, [album]).result()

        lost: list[int] = []
        with pytest.raises(LostTurnError):
            IndexService(library.stores).index([album], progress=lose_turn)
        assert lost == [1]
        assert library_counts(library).faces == library.faces.count() > 0
        assert DoctorService(library.stores, alone=True).examine().is_healthy


def end_connections_with_a_turn(database: Database) -> int:
    """As a server does that is started again, or a firewall."""
    with database.engine.connect() as connection:
        ended = connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objid = :key"
            ),
            {"key": _key(connection)},
        )
        return len(ended.all())


def _key(connection: Connection) -> int:
    """The lower half of the lock's number, as PostgreSQL lists it."""
    key: int = connection.scalar(text("SELECT hashtext(current_schema() || ' index')")) or 0
    return key & 0xFFFFFFFF


def waits_for_a_row(database: Database) -> bool:
    with database.engine.connect() as connection:
        blocked = text("SELECT count(*) FROM pg_stat_activity WHERE cardinality(pg_blocking_pids(pid)) > 0")
        return bool(connection.scalar(blocked))


def take_and_give_back(database: Database) -> None:
    with database.turn("index"):
        pass


def write_nothing(database: Database) -> None:
    with database.write():
        pass


def test_two_index_at_once(library: Library, drawn: Path, tmp_path: Path) -> None:
    """Two runs of indexing that are begun together lose nothing of each other."""
    albums = [copy_some(drawn, tmp_path / f"{after}", 15, after=after) for after in (0, 10)]
    with ThreadPoolExecutor(2) as threads:
        reports = list(threads.map(lambda album: IndexService(library.stores).index([album]), albums))
    assert (
        library_counts(library).faces == sum(report.faces_new for report in reports) == library.faces.count()
    )
    assert DoctorService(library.stores, alone=True).examine().is_healthy


class Meeting(CentroidQdrantClient):
    """Centroids whose points two processes have stored before either makes its own the active ones."""

    def __init__(self, centroids: CentroidQdrantClient) -> None:
        super().__init__(centroids.client, centroids.collection_name, centroids.dimension)
        self.both = threading.Barrier(2)

    def upsert_centroids(self, centroids: Iterable[CentroidPoint], batch_size: int = WRITE_BATCH) -> None:
        super().upsert_centroids(centroids, batch_size)
        self.both.wait(LIMIT)


def test_two_compute_the_same_centroids_at_once(library: Library) -> None:
    """As jobs do that assign and compare at the same time: each person has one, and neither job fails."""
    with library.database.write() as session:
        world = World(session)
        for name in ("Ada", "Grace"):
            add_faces(library, world, directions(3), person_id=add_person(world, name).id)
    stores = with_collections(library.stores, centroids=Meeting(library.centroids))
    with ThreadPoolExecutor(2) as threads:
        for _ in range(TIMES):
            computing = [threads.submit(CentroidService(stores).compute_centroids, force=True) for _ in "12"]
            assert [each.result(LIMIT).computed for each in computing] == [2, 2]
    assert len(CentroidService(library.stores).active_centroids().person_ids) == 2
