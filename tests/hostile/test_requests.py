"""Requests that cost much, come slowly, or in great numbers: one client does not keep the others waiting."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.pool import QueuePool

from image_search_service.api import body_limits, connections
from image_search_service.api.connections import PatientProtocol
from image_search_service.api.turns import READS, TRANSFERS, Turns
from image_search_service.core.errors import UnavailableError
from image_search_service.core.logging import Repeats, log_once_a_minute
from image_search_service.db import session as sessions
from image_search_service.db.session import Database, sqlite_url
from tests.hostile.server import serving
from tests.support.served import Served, served
from tests.support.waiting import wait_until


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Served]:
    with served(tmp_path / "library", run_jobs=False) as opened:
        yield opened


def pieces(number: int) -> Iterator[bytes]:
    yield from (b" " * 1_000 for _ in range(number))


@pytest.mark.parametrize("says_length", [True, False])
@pytest.mark.parametrize("path", ["import", "decisions/create-person"])
def test_a_body_has_a_limit(
    api: Served, monkeypatch: pytest.MonkeyPatch, path: str, says_length: bool
) -> None:
    """A body that is too long for its route is refused by the length that it says, or once it is too long."""
    monkeypatch.setattr(body_limits, "SMALL", 10_000)
    monkeypatch.setattr(body_limits, "LIMITS", {"/api/v1/import": 10_000})
    sent: list[bytes] = []

    def counted() -> Iterator[bytes]:
        for piece in pieces(20):
            sent.append(piece)
            yield piece

    body: Any = b"".join(pieces(20)) if says_length else counted()
    answer = api.client.post(f"/api/v1/{path}", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    assert answer.json()["type"] == "urn:image-search:body-too-large"
    assert answer.headers["connection"] == "close"


def test_dear_requests_wait_for_each_other_alone(api: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """While all turns are taken, who asks for a further one is told when to come again; others are served."""
    turns = api.client.app.state.turns  # type: ignore[attr-defined]  # FastAPI's
    for kind in (READS, TRANSFERS):
        monkeypatch.setitem(turns, kind, Turns(0, wait_seconds=0))
    for path in ("conflicts", "export", "suggestions"):
        answer = api.client.get(f"/api/v1/{path}")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
    assert api.get("/persons")["total"] == 0
    api.get("/backup", status=404)  # a file, which needs no turn


def test_turns_come_in_order() -> None:
    """Who came first is first, who gives up is passed over, and every turn is given back."""

    async def take() -> list[str]:
        turns = Turns(1)
        order: list[str] = []

        async def one(name: str) -> None:
            await turns.take()
            order.append(name)
            await asyncio.sleep(0)
            turns.give_back()

        await turns.take()
        tasks = [asyncio.create_task(one(name)) for name in "abc"]
        await asyncio.sleep(0)
        tasks[1].cancel()
        await asyncio.sleep(0)
        turns.give_back()
        await asyncio.gather(tasks[0], tasks[2])
        await turns.take()
        turns._wait_seconds = 0
        with pytest.raises(UnavailableError):
            await turns.take()
        return order

    assert asyncio.run(take()) == ["a", "c"]


def test_an_answer_that_is_sent_holds_no_connection(api: Served) -> None:
    """An export that a client takes slowly has read the database before its first byte is sent."""
    pool = api.library.database.engine.pool
    assert isinstance(pool, QueuePool)
    in_use = pool.checkedout()
    with api.client.stream("GET", "/api/v1/export") as answer:
        assert pool.checkedout() == in_use <= 1  # the one that all writers share
        assert int(answer.headers["content-length"]) == len(answer.read())


def test_s4_no_connection_is_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever gets no connection to the database in time is told that it is busy: worth another try."""
    monkeypatch.setattr(sessions, "CONNECTION_SECONDS", 0)
    with (
        closing(Database(sqlite_url(tmp_path / "db.sqlite3"))) as database,
        pytest.raises(UnavailableError, match="connections"),
        ExitStack() as held,
    ):
        for _ in range(1_000):
            held.enter_context(database.read()).connection()


async def answer(_scope: Any, receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
    """The application: reads the body, then says how long it was."""
    length = 0
    while (message := await receive())["type"] == "http.request":
        length += len(message["body"])
        if not message["more_body"]:
            break
    else:
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1")]})
    await send({"type": "http.response.body", "body": str(length)[-1:].encode()})


class Hasty(PatientProtocol):
    head_seconds = 0.05
    stall_seconds = 0.05


def asked(port: int, sent: bytes) -> bytes:
    """All that comes until the server closes the connection."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(sent)
        received = b""
        try:
            while more := connection.recv(1_000):
                received += more
        except ConnectionResetError:
            pass
        return received


@contextmanager
def _heard(logger: str, handler: logging.Handler) -> Iterator[None]:
    """At the logger itself: where a test ran `serve`, the root's handlers no longer hear uvicorn."""
    named = logging.getLogger(logger)
    named.addHandler(handler)
    try:
        yield
    finally:
        named.removeHandler(handler)


HEAD = b"POST / HTTP/1.1\r\nHost: localhost\r\n"


@pytest.mark.parametrize(
    ("half", "said"), [(b"", "head"), (HEAD, "head"), (HEAD + b"Content-Length: 9\r\n\r\nhalf", "body")]
)
def test_half_a_request_is_not_waited_for(half: bytes, said: str, caplog: pytest.LogCaptureFixture) -> None:
    """A client that sends nothing, half a head or half a body loses its connection; others are answered."""
    with _heard("uvicorn.error", caplog.handler), serving(answer, Hasty) as port:
        assert asked(port, half) == b""
        whole = HEAD + b"Connection: close\r\nContent-Length: 3\r\n\r\nall"
        assert asked(port, whole).endswith(b"\r\n\r\n3")
    assert f"the {said} of a request" in caplog.text


def test_connections_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limit a connection that waits for its request makes room for a new one; where all are at
    work the new one is refused, and accepted again when others have ended."""
    monkeypatch.setattr(connections, "most_connections", lambda: 2)
    with serving(answer) as port:
        request = HEAD + b"Connection: close\r\nContent-Length: 0\r\n\r\n"
        held = [socket.create_connection(("127.0.0.1", port)) for _ in range(2)]
        held[0].sendall(HEAD)
        assert asked(port, request).startswith(b"HTTP/1.1 200 ")
        for connection in held:
            connection.close()
        held = [socket.create_connection(("127.0.0.1", port)) for _ in range(2)]
        for connection in held:
            connection.sendall(HEAD + b"Expect: 100-continue\r\nContent-Length: 9\r\n\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 100 ")
        assert asked(port, request).startswith(b"HTTP/1.1 503 ")
        assert asked(port, b"") == b""
        for connection in held:
            connection.close()
        wait_until(lambda: asked(port, request).startswith(b"HTTP/1.1 200 "))


def test_each_kind_of_trouble_is_logged_once_a_minute() -> None:
    """Of a thousand lines of a kind in a minute one is kept, and the next one says how many there were."""
    now = 0.0
    repeats = Repeats(lambda: now)

    def kept(message: str) -> str | None:
        record = logging.LogRecord("uvicorn.error", logging.WARNING, "", 0, message, None, None)
        return record.getMessage() if repeats.filter(record) else None

    lines = [kept("Slow.") for _ in range(1_000)]
    assert [line for line in lines if line] == ["Slow."]
    assert kept("Many.") == "Many."
    now = 61.0
    assert kept("Slow.") == "Slow. (and 999 times more since it was last said)"


def test_what_is_left_out_is_left_out_while_it_serves() -> None:
    """A library's logger is as it was once whoever kept its lines few has ended."""
    logger = logging.getLogger("uvicorn.error")
    before = list(logger.filters)
    with log_once_a_minute("uvicorn.error", "asyncio"):
        assert len(logger.filters) == len(before) + 1
    assert logger.filters == before
