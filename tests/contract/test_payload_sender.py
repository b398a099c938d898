"""Telling Qdrant what was decided: in order, by one at a time, and without anybody waiting for it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import text, update
from sqlalchemy.orm import Session

from image_search_service.core.errors import UnavailableError, VectorStoreError
from image_search_service.db.models import FaceInstance
from image_search_service.db.queries import events
from image_search_service.library.health import outbox_size
from image_search_service.library.opening import Library
from image_search_service.services.decisions.service import ReviewService
from image_search_service.services.jobs import outbox
from image_search_service.services.jobs.outbox import PayloadSender
from image_search_service.vector.face_qdrant import FaceQdrantClient
from tests.support.given_stores import with_collections, with_opener
from tests.support.served import add_faces, directions
from tests.support.stores import STORES, library_on
from tests.support.waiting import LIMIT, wait_until
from tests.support.world import World


class GatedFaces(FaceQdrantClient):
    """A collection of faces that takes no payload until it may.

    told: the persons of each call, in the order in which they reached Qdrant. The first call waits at the
    gate; ``waiting`` is set when it does.
    """

    def __init__(self, faces: FaceQdrantClient) -> None:
        super().__init__(faces.client, faces.collection_name, faces.dimension)
        self.gate = threading.Event()
        self.waiting = threading.Event()
        self.told: list[dict[UUID, UUID | None]] = []

    def update_person_ids(self, person_ids: Mapping[UUID, UUID | None]) -> None:
        if not self.waiting.is_set():
            self.waiting.set()
            if not self.gate.wait(LIMIT):
                raise AssertionError("nobody opened the gate")
        self.told.append(dict(person_ids))
        super().update_person_ids(person_ids)


@pytest.fixture(params=STORES)
def library(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Library]:
    with library_on(request.param, tmp_path) as opened:
        yield opened


@pytest.fixture
def face(library: Library) -> UUID:
    with library.database.write() as session:
        (made,) = add_faces(library, World(session), directions(1))
        return made.id


def give(library: Library, face: UUID, name: str) -> UUID:
    return ReviewService(library.database, "test").split([face], name).person_id


def in_qdrant(library: Library) -> list[UUID | None]:
    (page,) = library.faces.scroll_faces()
    return [payload.person_id for payload in page.payloads.values()]


def test_an_older_payload_never_comes_last(library: Library, face: UUID) -> None:
    """Of two senders, as of two processes, the second waits for the first: each face is told in order."""
    gated = GatedFaces(library.faces)
    first, second = (PayloadSender(with_collections(library.stores, faces=gated)) for _ in range(2))
    ada = give(library, face, "Ada")
    with ThreadPoolExecutor(2) as threads:
        slow = threads.submit(first.send)
        assert gated.waiting.wait(LIMIT)
        grace = give(library, face, "Grace")
        fast = threads.submit(second.send)
        assert gated.told == []
        gated.gate.set()
        assert slow.result(LIMIT) + fast.result(LIMIT) == 2
    assert gated.told == [{face: ada}, {face: grace}]
    assert in_qdrant(library) == [grace]
    assert outbox_size(library) == 0


def test_a_sender_that_takes_long_is_left_alone(
    library: Library, face: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who has waited long enough for another process goes on, so that no job is done again for it; that
    process sends what is due by then, too."""
    monkeypatch.setattr(outbox, "WAIT_SECONDS", 0)
    gated = GatedFaces(library.faces)
    first, second = (PayloadSender(with_collections(library.stores, faces=gated)) for _ in range(2))
    give(library, face, "Ada")
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(first.send)
        assert gated.waiting.wait(LIMIT)
        grace = give(library, face, "Grace")
        assert second.send() == 0
        gated.gate.set()
        assert slow.result(LIMIT) == 2
    assert in_qdrant(library) == [grace]


def test_nobody_waits_for_a_slow_qdrant(library: Library, face: UUID) -> None:
    """While one thread sends, others return at once, and what they wanted sent is sent by that one."""
    gated = GatedFaces(library.faces)
    sender = PayloadSender(with_collections(library.stores, faces=gated))
    give(library, face, "Ada")
    with ThreadPoolExecutor(1) as threads:
        slow = threads.submit(sender.send_if_it_answers)
        assert gated.waiting.wait(LIMIT)
        grace = give(library, face, "Grace")
        sender.send_if_it_answers()
        assert not slow.done()
        gated.gate.set()
        slow.result(LIMIT)
    assert in_qdrant(library) == [grace]
    assert outbox_size(library) == 0


@pytest.mark.parametrize("error", [UnavailableError("away"), VectorStoreError("disk full")])
def test_what_could_not_be_sent_waits(library: Library, face: UUID, error: Exception) -> None:
    """Whatever Qdrant's trouble, a decision stands, is counted as waiting, and is told when it is over."""

    def broken() -> FaceQdrantClient:
        raise error

    ada = give(library, face, "Ada")
    PayloadSender(with_opener(library.stores, broken)).send_if_it_answers()
    assert outbox_size(library) == 1
    library.payload_sender.send_if_it_answers()
    assert (outbox_size(library), in_qdrant(library)) == (0, [ada])


def test_a_decision_and_the_sender_never_wait_for_each_other(library: Library) -> None:
    """A decision may lock two faces in whatever order while their payloads are sent: neither is refused."""
    with library.database.write() as session:
        earlier, later = sorted(face.id for face in add_faces(library, World(session), directions(2)))
    ReviewService(library.database, "test").split([earlier, later], "Ada")
    with ThreadPoolExecutor(1) as threads:
        with library.database.write() as session:
            events.take_turn(session)
            change_face(session, later)
            sending = threads.submit(library.payload_sender.send)
            wait_until(lambda: is_waited_for(library) or sending.done())
            change_face(session, earlier)
        sending.result(LIMIT)
    assert outbox_size(library) == 0


def change_face(session: Session, face: UUID) -> None:
    session.execute(update(FaceInstance).where(FaceInstance.id == face).values(detection_confidence=0.5))


def is_waited_for(library: Library) -> bool:
    """Whether somebody waits for a row that another transaction has locked. On SQLite nobody does: who
    writes next is settled before a transaction begins."""
    if library.database.is_sqlite:
        return True
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"
    with library.database.read() as session:
        return bool(session.scalar(text(waiting)))


def test_nothing_to_send_opens_nothing(library: Library, face: UUID) -> None:
    """Where nothing is due, Qdrant is not even opened."""

    def never() -> FaceQdrantClient:
        raise AssertionError(f"opened for nothing: {face}")

    assert PayloadSender(with_opener(library.stores, never)).send() == 0
