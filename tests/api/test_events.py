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
    left = iter(range(len(steps) + 1))

    def pause(_seconds: float) -> None:
        if waiting:
            waiting.pop(0)()
        if next(left, None) is None:
            monkeypatch.setattr(events, "WATCH_SECONDS", -1.0)

    class Clock:
        """Time that passes only where the stream waits."""

        now = 0.0

        def monotonic(self) -> float:
            return self.now

        def sleep(self, seconds: float) -> None:
            self.now += 5.0
            pause(seconds)

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


def test_too_many_watchers_are_told_and_sent_away(api: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """When enough streams are open, a further one says how things are, when to ask again, and ends."""
    monkeypatch.setattr(streams, "_watchers", threading.BoundedSemaphore(1))
    assert streams._watchers.acquire()
    lines = api.client.get("/api/v1/events").text.splitlines()
    assert lines[0] == "event: library"
    assert "retry: 3000" in lines
