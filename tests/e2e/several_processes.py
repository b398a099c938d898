"""Two services behind nginx and three workers on one set of stores, and who uses them meanwhile."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import httpx

from image_search_service.core.access_token import bearer_headers
from tests.e2e.nginx import PROXY, ROOT, nginx_before
from tests.e2e.random_decisions import something_to_say
from tests.support.service_processes import answers, environment, free_port
from tests.support.waiting import LIMIT, wait_until

SERVICES = ("service 1", "service 2")
WAITS = "Waiting for jobs"
"""What a worker says when it is ready."""
WORKERS = ("worker 1", "worker 2", "worker 3")
AWAY = (502, 504)
"""What nginx says in place of a service that is not there."""
REFUSED = (404, 409)
"""Who decides at random is refused now and then."""
ENDED = ("succeeded", "failed", "cancelled")
MOST_ACTIVE = 5
"""Jobs that wait or run at a time."""
COMPARING = ("/faces/cluster", "/faces/cluster/dual", "/faces/assign", "/conflicts/find")
"""Jobs that compare faces, of which an equal one may wait already."""
DECIDE_SECONDS = 0.05
"""Between two decisions: the machine is to have time for the jobs."""
RECONNECT_SECONDS = 0.2
"""Who follows the events asks again sooner than a browser, which waits three seconds."""


class Fleet:
    """The processes by their names. What each has said since its start is in a file of that name."""

    def __init__(self, settings: dict[str, Any], logs: Path) -> None:
        self.ports = {name: free_port() for name in SERVICES}
        self._settings = settings
        self._logs = logs
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, *names: str) -> None:
        """Start processes, and wait until they are ready."""
        for name in names:
            port = {"port": self.ports[name]} if name in SERVICES else {}
            with (self._logs / name).open("wb") as log:
                self._processes[name] = subprocess.Popen(
                    [sys.executable, "-m", "image_search_service", "serve" if port else "worker"],
                    stdout=log,
                    stderr=log,
                    env=environment(self._settings | port),
                )
        for name in names:
            self._wait_until_ready(name)

    def _wait_until_ready(self, name: str) -> None:
        port = self.ports.get(name)
        wait_until(lambda: self.has_ended(name) or (answers(port) if port else WAITS in self.said(name)))
        assert not self.has_ended(name), self.said(name)

    def has_ended(self, name: str) -> bool:
        return self._processes[name].poll() is not None

    def kill(self, name: str) -> None:
        """``kill -9``."""
        assert not self.has_ended(name), self.said(name)
        self._processes[name].kill()
        self._processes[name].wait()

    def stop(self, *names: str) -> None:
        """Ask processes to end, as service managers do; each ends well."""
        for name in names:
            self._processes[name].terminate()
        for name in names:
            assert self._processes[name].wait(LIMIT) == 0, self.said(name)

    def said(self, name: str) -> str:
        return (self._logs / name).read_text()

    def kill_all(self) -> None:
        for process in self._processes.values():
            process.kill()
            process.wait()


@dataclass(frozen=True, slots=True)
class Published:
    """The fleet, and the address of the proxy before its services."""

    fleet: Fleet
    address: str
    client: httpx.Client


@contextmanager
def published(nginx: str, settings: dict[str, Any], folder: Path) -> Iterator[Published]:
    """All processes run until the end of the block. settings: where the library and its stores are."""
    port = free_port()
    for name in ("logs", "nginx"):
        (folder / name).mkdir()
    behind = {"public_url": f"https://localhost:{port}{ROOT}", "forwarded_allow_ips": PROXY}
    fleet = Fleet(settings | behind, folder / "logs")
    try:
        fleet.start(*SERVICES, *WORKERS)
        with (
            nginx_before(nginx, list(fleet.ports.values()), port, folder / "nginx") as proxy,
            httpx.Client(
                base_url=proxy.address,
                headers=bearer_headers(settings["library"] / "token"),
                verify=proxy.trust,
                timeout=LIMIT,
                trust_env=False,
            ) as client,
        ):
            yield Published(fleet, proxy.address, client)
    finally:
        fleet.kill_all()


def ask(client: httpx.Client, path: str, body: Any = None) -> Any:
    """The JSON of a GET, or of a POST if there is a body; None if it was refused, or if the service that had
    the request was killed before it answered, so that nobody knows whether it was done."""
    try:
        answer = client.get(path) if body is None else client.post(path, json=body)
    except httpx.TransportError:
        return None
    if answer.status_code in (*AWAY, *REFUSED):
        return None
    assert answer.is_success, (path, answer.status_code, answer.text)
    return answer.json()


@dataclass(slots=True)
class Decider:
    """Decides at random until it is told to end. acknowledged: the numbers of decisions that were."""

    client: httpx.Client
    faces: Sequence[str]
    seed: float
    acknowledged: list[int] = field(default_factory=list)

    def run(self, ended: threading.Event) -> None:
        chance = random.Random(self.seed)  # noqa: S311 - for a test's choices
        while not ended.is_set():
            listed = ask(self.client, "/api/v1/persons")
            persons = [person["id"] for person in listed["items"]] if listed else []
            what, body = something_to_say(list(self.faces), self.acknowledged[:], persons, chance)
            made = ask(self.client, f"/api/v1/decisions/{what}", body or {})
            if made and made.get("decision_id"):
                self.acknowledged.append(made["decision_id"])
            ended.wait(DECIDE_SECONDS)


@dataclass(slots=True)
class Submitter:
    """Asks for jobs, some at a time, until it is told to end: folders to index, and between them what
    compares faces. acknowledged: the ids and kinds of jobs that a service took on. indexed: the folders."""

    client: httpx.Client
    folders: Sequence[Path]
    seed: float
    acknowledged: dict[str, str] = field(default_factory=dict)
    indexed: set[Path] = field(default_factory=set)

    def run(self, ended: threading.Event) -> None:
        chance = random.Random(self.seed)  # noqa: S311 - for a test's choices
        for number in count():
            while not ended.is_set() and self._active() >= MOST_ACTIVE:
                ended.wait(0.1)
            if ended.is_set():
                return
            folder = self.folders[number % len(self.folders)]
            job = ask(self.client, "/api/v1/photos/index", {"paths": [str(folder)]})
            if job:
                self.acknowledged[job["id"]] = job["kind"]
                self.indexed.add(folder)
            job = ask(self.client, f"/api/v1{chance.choice(COMPARING)}", {})
            if job:
                self.acknowledged[job["id"]] = job["kind"]

    def _active(self) -> int:
        states = [ask(self.client, f"/api/v1/jobs?state={state}&limit=1") for state in ("queued", "running")]
        return sum(page["total"] if page else MOST_ACTIVE for page in states)


@dataclass(slots=True)
class Follower:
    """Follows the stream of events as a page does: it asks again where it ends, and says what it heard last.

    opened: how often the stream was opened. decisions, jobs: what it told.
    """

    client: httpx.Client
    opened: int = 0
    decisions: list[int] = field(default_factory=list)
    jobs: dict[str, str] = field(default_factory=dict)
    again: list[str] = field(default_factory=list)
    """Jobs that were told to have ended, and to wait or run later."""
    _last: str = ""

    def run(self, ended: threading.Event) -> None:
        while not ended.is_set():
            try:
                with self.client.stream(
                    "GET", "/api/v1/events", headers={"Last-Event-ID": self._last}
                ) as stream:
                    if stream.status_code not in AWAY:
                        assert stream.is_success, stream.status_code
                        self.opened += 1
                        self._read(stream.iter_lines(), ended)
            except httpx.TransportError:
                pass
            ended.wait(RECONNECT_SECONDS)

    def _read(self, lines: Iterator[str], ended: threading.Event) -> None:
        event: dict[str, str] = {}
        for line in lines:
            if ended.is_set():
                return
            if line:
                name, _, value = line.partition(": ")
                event[name] = value
            else:
                self._hear(event)
                event = {}

    def _hear(self, event: dict[str, str]) -> None:
        data = json.loads(event.get("data", "{}"))
        if event.get("event") == "decision":
            self.decisions.append(data["id"])
        elif event.get("event") == "job":
            if self.jobs.get(data["id"]) in ("succeeded", "failed") and data["state"] in (
                "queued",
                "running",
            ):
                self.again.append(data["id"])
            self.jobs[data["id"]] = data["state"]
        self._last = event.get("id", self._last)
