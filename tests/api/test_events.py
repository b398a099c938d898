"""One stream of everything that happens in the library."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from image_search_service.api import streams
from image_search_service.api.routes import events
from image_search_service.services.jobs.feed import EventFeed
from image_search_service.services.jobs.service import JobKind, JobService
from tests.support.served import Served
from tests.support.world import World


def jobs_of(api: Served) -> JobService:
    return JobService(api.library.database, api.library.job_queue.enqueue)


def followed(
    api: Served, monkeypatch: pytest.MonkeyPatch, *steps: Callable[[], object]
) -> list[tuple[str, Any]]:
    """The events of a stream in which something is done before each look, and which ends after the last."""
    waiting = list(steps)

    class Clock:
        """Time that passes only where the stream waits."""

        now = 0.0

        def monotonic(self) -> float:
            return self.now

        def sleep(self, _seconds: float) -> None:
            self.now += 5.0
            waiting.pop(0)()

    monkeypatch.setattr(events, "time", Clock())
    monkeypatch.setattr(events, "WATCH_SECONDS", 5.0 * len(steps))
    lines = api.client.get("/api/v1/events").text.splitlines()
    names = [line.removeprefix("event: ") for line in lines if line.startswith("event: ")]
    bodies = [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: ")]
    return list(zip(names, bodies, strict=True))


def test_what_happens_is_told(api: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream begins with the counts and the jobs that wait, and goes on with what changes."""
    service = jobs_of(api)
    first = service.submit(JobKind.CLUSTER_FACES, {})
    with api.library.database.write() as session:
        world = World(session)
        face = str(world.face(world.photo("/1.jpg")).id)

    def name() -> None:
        api.post("/decisions/split", {"face_ids": [face], "name": "Ada"}, status=200)

    seen = followed(api, monkeypatch, name, lambda: service.cancel(first.id), lambda: None)
    assert [name for name, _ in seen] == ["library", "job", "decision", "library", "job"]
    assert (seen[0][1]["persons"], seen[3][1]["persons"]) == (0, 1)
    assert seen[1][1]["id"] == seen[4][1]["id"] == str(first.id)
    assert (seen[1][1]["state"], seen[4][1]["state"]) == ("queued", "cancelled")
    assert seen[2][1] == {"id": 1, "kind": "split", "actor": "api"}


def test_a_quiet_library_is_quiet(api: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without news only signs of life come, which are no events."""
    assert [name for name, _ in followed(api, monkeypatch, *[lambda: None] * 4)] == ["library"]


def test_a_job_that_comes_and_goes_between_two_looks_is_told(api: Served) -> None:
    """Each change is told once, be it of a job that was never seen waiting."""
    feed, service = EventFeed(api.library.database), jobs_of(api)
    place = feed.start()
    service.cancel(service.submit(JobKind.CLUSTER_FACES, {}).id)
    place, news = feed.look(place)
    assert [job.state for job in news.jobs] == ["cancelled"]
    place, news = feed.look(place)
    assert (list(news.jobs), list(news.decisions)) == ([], [])


def test_who_comes_back_is_told_what_was_missed(api: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever says which event was the last, by header or in the address, hears of jobs that ended and of
    decisions that were made while nobody listened; what is no event's id counts as none."""
    monkeypatch.setattr(streams, "_watchers", threading.BoundedSemaphore(1))
    assert streams._watchers.acquire()  # so that a stream ends when it has told how things are
    service = jobs_of(api)
    job = service.submit(JobKind.CLUSTER_FACES, {})
    last = ids_and_kinds(api.client.get("/api/v1/events").text)[0][-1]
    service.cancel(job.id)
    api.post("/decisions/create-person", {"name": "Ada"}, status=200)
    ids, told = ids_and_kinds(api.client.get("/api/v1/events", headers={"Last-Event-ID": last}).text)
    assert told == ["library", "job", "decision"]
    assert ids_and_kinds(api.client.get("/api/v1/events", params={"after": last}).text)[1] == told
    assert ids_and_kinds(api.client.get("/api/v1/events", params={"after": ids[-1]}).text)[1][1:] == ["job"]
    assert ids_and_kinds(api.client.get("/api/v1/events", params={"after": "nonsense"}).text)[1] == [
        "library"
    ]


def test_who_knows_where_the_events_are_misses_nothing(api: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream that begins at a bookmark tells what came after that was made, however late it begins."""
    monkeypatch.setattr(streams, "_watchers", threading.BoundedSemaphore(1))
    assert streams._watchers.acquire()  # so that a stream ends when it has told how things are
    bookmark = EventFeed(api.library.database).bookmark()
    service = jobs_of(api)
    service.cancel(service.submit(JobKind.CLUSTER_FACES, {}).id)
    api.post("/decisions/create-person", {"name": "Ada"}, status=200)
    _, told = ids_and_kinds(api.client.get("/api/v1/events", params={"after": bookmark}).text)
    assert told == ["library", "job", "decision"]


def ids_and_kinds(stream: str) -> tuple[list[str], list[str]]:
    """The ids and the kinds of a stream's events."""
    return values(stream, "id: "), values(stream, "event: ")


def values(stream: str, field: str) -> list[str]:
    return [line.removeprefix(field) for line in stream.splitlines() if line.startswith(field)]


def test_too_many_watchers_are_told_and_sent_away(api: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """When enough streams are open, a further one says how things are, when to ask again, and ends."""
    monkeypatch.setattr(streams, "_watchers", threading.BoundedSemaphore(1))
    assert streams._watchers.acquire()
    lines = api.client.get("/api/v1/events").text.splitlines()
    assert lines[0] == "event: library"
    assert "retry: 3000" in lines
