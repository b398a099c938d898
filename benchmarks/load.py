"""How the service does while many use it at once: answers, errors and memory over minutes.

    python -m benchmarks.load [--faces 100000] [--library FOLDER] [--minutes 10] [--clients 32]

A made-up library (``image-search bench library``) is served by ``image-search serve``, a process of its own.
So many clients each ask for one thing after the other, without a pause: what pages show (half of it), small
pictures (four in ten) and decisions (one in ten: faces are assigned, and every second time that is undone).
The clients are threads of this process; on a machine with few cores they take part of the service's.

Printed are, for each kind, answers a second, median, 95th and 99th percentile and longest, what was refused
(4xx, such as a decision on what somebody else has changed meanwhile) and what failed (5xx, or no answer);
the same for the slowest routes; then for each tenth of the time the service's memory and the same figures
over all kinds, so that growth shows.
``--library FOLDER`` keeps the library, or uses one that was kept. Ends with 1 if anything failed.
"""

from __future__ import annotations

import argparse
import http.client
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple
from uuid import UUID

import numpy as np
import psutil
from sqlalchemy import select

from benchmarks.load_figures import Answer, Memory, show
from benchmarks.pages import path_of, sampled
from image_search_service.core.config import Settings
from image_search_service.db.models import FaceInstance, ImageAsset
from image_search_service.library.opening import Library, open_library
from image_search_service.media.derivatives import CROP_SIDE, thumbnail, write_atomically
from image_search_service.services.evaluation.made_library import MadeLibraryService
from image_search_service.services.evaluation.made_rows import MadeSizes
from image_search_service.web.pages import PAGES
from tests.support.served import no_bar
from tests.support.service_processes import answers, environment, free_port
from tests.support.waiting import wait_until

PAGE, PICTURE, DECISION = "pages", "pictures", "decisions"
MIX: Final = {PAGE: 5, PICTURE: 4, DECISION: 1}
PICTURED, DECIDED = 1_000, 2_000
"""So many photos and faces have a small picture; on so many faces is decided."""
TIMEOUT_SECONDS = 60.0


class Asked(NamedTuple):
    """A path, and the route that it is of."""

    route: str
    path: str


class Ids(NamedTuple):
    """What requests are about."""

    pages: list[Asked]
    pictures: list[Asked]
    faces: list[UUID]
    persons: list[UUID]


@dataclass(slots=True)
class Client:
    """One who uses the service, by a connection of their own. until: when to stop, by ``time.monotonic``."""

    port: int
    ids: Ids
    chance: random.Random
    began: float
    until: float
    answers: list[Answer] = field(default_factory=list)
    _last_decision: int | None = None
    _connection: http.client.HTTPConnection | None = None

    def work(self) -> list[Answer]:
        kinds, weights = zip(*MIX.items(), strict=True)
        while time.monotonic() < self.until:
            (kind,) = self.chance.choices(kinds, weights)
            if kind == DECISION:
                self._decide()
            else:
                asked = self.chance.choice(self.ids.pages if kind == PAGE else self.ids.pictures)
                self._ask(kind, asked.route, "GET", asked.path)
        return self.answers

    def _decide(self) -> None:
        """Assign a few faces to somebody, or take back what was assigned before."""
        if self._last_decision is not None:
            self._ask(DECISION, "undo", "POST", f"/api/v1/decisions/{self._last_decision}/undo", {})
            self._last_decision = None
            return
        faces = self.chance.sample(self.ids.faces, self.chance.randint(1, 5))
        body = {
            "face_ids": [str(face) for face in faces],
            "person_id": str(self.chance.choice(self.ids.persons)),
        }
        made = self._ask(DECISION, "assign", "POST", "/api/v1/decisions/assign", body)
        if made is not None:
            self._last_decision = json.loads(made)["decision_id"]

    def _ask(self, kind: str, route: str, method: str, path: str, body: Any = None) -> bytes | None:
        """The answer's content; None unless the request succeeded."""
        started = time.monotonic()
        status, content = self._answer(method, path, body)
        took = (time.monotonic() - started) * 1e3
        answer = Answer(kind, route, started - self.began, took, status)
        self.answers.append(answer)
        return None if answer.failed or answer.refused else content

    def _answer(self, method: str, path: str, body: Any) -> tuple[int | None, bytes]:
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_SECONDS)
        content = None if body is None else json.dumps(body)
        try:
            self._connection.request(method, path, content, {"Content-Type": "application/json"})
            answer = self._connection.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            self._connection = None
            return None, b""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--faces", type=int, default=100_000)
    parser.add_argument("--library", type=Path, help="where it is made, and kept")
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--minutes", type=float, default=10.0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="image-search-bench-") as folder:
        root = given.library or Path(folder) / "library"
        ids = prepared(root, given.faces)
        with served(root, Path(folder) / "log") as (service, port):
            used, memory = use(service, port, ids, given.clients, given.minutes * 60)
            show(used, memory, given.minutes * 60, given.clients, list(MIX))
            failed = sum(answer.failed for answer in used)
            if failed:
                print((Path(folder) / "log").read_text(encoding="utf-8")[-3_000:], file=sys.stderr)
    sys.exit(1 if failed else 0)


def prepared(root: Path, faces: int) -> Ids:
    """The library is made unless it is there, and some of its faces and photos get pictures."""
    is_new = not root.exists()
    with open_library(Settings(library=root, offline=True), lambda _: None, no_bar) as library:
        if is_new:
            MadeLibraryService(library.stores, library.collections).make(MadeSizes.for_faces(faces))
        paths = sampled(library)
        shown, photos = with_pictures(library)
    asked = [Asked(route, path_of(route, each)) for route, samples in paths.items() for each in samples]
    frames = [Asked("pages' frames", page.path) for page in PAGES if "{" not in page.path]
    pictures = [Asked("crop", f"/api/v1/faces/{face}/crop") for face in shown[:PICTURED]]
    pictures += [Asked("thumbnail", f"/api/v1/assets/{photo}/thumbnail") for photo in photos]
    return Ids(asked + frames, pictures, shown, [UUID(each) for each in paths["/persons/{id}"]])


def with_pictures(library: Library) -> tuple[list[UUID], list[UUID]]:
    """Faces and photos, to which small pictures are given: made-up photos have none."""
    with library.database.read() as session:
        faces = list(session.scalars(select(FaceInstance.id).order_by(FaceInstance.id).limit(DECIDED)))
        of = ImageAsset.failure.is_(None)
        photos = list(
            session.scalars(select(ImageAsset.id).where(of).order_by(ImageAsset.id).limit(PICTURED))
        )
    noise = np.random.default_rng(0).integers(0, 255, (24, 32, 3), dtype=np.uint8)
    small = thumbnail(noise.repeat(10, axis=0).repeat(10, axis=1))
    face = thumbnail(noise[:24, :24].repeat(CROP_SIDE // 24, axis=0).repeat(CROP_SIDE // 24, axis=1))
    for number, photo in enumerate(photos):
        write_atomically(library.paths.thumbnail(photo), small)
        if number < len(faces):
            write_atomically(library.paths.crop(faces[number]), face)
    return faces, photos


@contextmanager
def served(root: Path, log: Path) -> Iterator[tuple[psutil.Process, int]]:
    """``image-search serve`` on that library, ready; its process and port."""
    port = free_port()
    settings = {"library": root, "port": port, "offline": True, "require_token": False}
    with log.open("wb") as out:
        service = subprocess.Popen(
            [sys.executable, "-m", "image_search_service", "serve"],
            stdout=out, stderr=out, env=environment(settings),
        )  # fmt: skip
        try:
            wait_until(lambda: service.poll() is not None or answers(port))
            yield psutil.Process(service.pid), port
        finally:
            service.terminate()
            service.wait()


def use(
    service: psutil.Process, port: int, ids: Ids, clients: int, seconds: float
) -> tuple[list[Answer], list[Memory]]:
    """All clients at work for so long; every answer, and the service's memory each second."""
    began = time.monotonic()
    ended, memory = threading.Event(), []

    def watch() -> None:
        while service.is_running() and not ended.wait(1.0):
            memory.append(Memory(time.monotonic() - began, service.memory_info().rss / 2**20))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        with ThreadPoolExecutor(clients) as pool:
            working = [
                pool.submit(Client(port, ids, random.Random(number), began, began + seconds).work)  # noqa: S311
                for number in range(clients)
            ]
            return [answer for each in working for answer in each.result()], memory
    finally:
        ended.set()
        watcher.join()


if __name__ == "__main__":
    main()
