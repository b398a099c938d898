"""Two services behind one proxy and three workers on one set of stores: each is killed in turn."""

from __future__ import annotations

import os
import random
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from image_search_service.core.config import Settings
from image_search_service.db.models import AssetPath, JobRow
from image_search_service.library.opening import Library, open_library
from image_search_service.services.decisions.history import HistoryService
from image_search_service.services.decisions.replay import RebuildService
from image_search_service.services.doctor.service import DoctorService
from image_search_service.services.jobs.ledger import JobLedger
from tests.e2e.nginx import MISSING, nginx
from tests.e2e.several_processes import (
    SERVICES,
    WORKERS,
    Decider,
    Follower,
    Published,
    Submitter,
    ask,
    published,
)
from tests.support.damage import all_faces, found
from tests.support.served import bind, no_bar
from tests.support.waiting import wait_until

pytestmark = pytest.mark.depth

ROUNDS = int(os.environ.get("IMAGE_SEARCH_TEST_KILL_ROUNDS", "1"))
"""How often everything is started, killed in turn and looked through: each time otherwise."""
IN_ADVANCE = 4
"""Folders whose faces are there before anything is decided."""
IN_A_FOLDER = 2
"""Photos that a job indexes: few, so that there are many jobs."""
REDIS_DATABASE = 12
"""Not the one that other tests put their queues into."""
DECIDERS = 2
DECISIONS = 3
"""So many decisions are acknowledged before each kill, and so many after it, before the process is back."""


@pytest.fixture
def folders(drawn: Path, tmp_path: Path) -> list[Path]:
    """Folders of a few photos each, no photo in two."""
    photos = sorted(drawn.rglob("*.jpg"))
    made = [tmp_path / "photos" / f"{number}" for number in range(len(photos) // IN_A_FOLDER)]
    for number, folder in enumerate(made):
        folder.mkdir(parents=True)
        for photo in photos[number * IN_A_FOLDER : (number + 1) * IN_A_FOLDER]:
            shutil.copy(photo, folder)
    return made


@pytest.mark.parametrize("number", range(ROUNDS))
def test_each_is_killed_in_turn(
    number: int, server_settings: dict[str, Any], folders: list[Path], tmp_path: Path
) -> None:
    """Decisions and jobs go on while each process is killed in turn; what was acknowledged is there in the
    end; no job is lost, and none done twice; the stream of events goes on at the other service, and tells
    everything."""
    program = nginx()
    if program is None:
        pytest.skip(MISSING)
    chance = random.Random(number)  # noqa: S311 - for a test's choices
    settings = server_settings | {"photo_roots": str(tmp_path / "photos")}
    with open_library(Settings(**settings), lambda _: None, no_bar) as library:
        bind(library)
        with published(program, settings, tmp_path) as site:
            submitter, follower = Submitter(site.client, folders, chance.random()), Follower(site.client)
            index(site, library, folders[:IN_ADVANCE])
            faces = [str(face.id) for face in all_faces(library)]
            deciders = [Decider(site.client, faces, chance.random()) for _ in range(DECIDERS)]

            def acknowledged() -> set[int]:
                return {made for decider in deciders for made in decider.acknowledged}

            with running(follower.run):
                wait_until(lambda: follower.opened)
                with running(submitter.run, *(decider.run for decider in deciders)) as check:
                    for name in chance.sample([*SERVICES, *WORKERS], k=5):
                        kill_in_the_midst(site, name, Progress(library, acknowledged, check), chance)
                finish_jobs(site, library)
                check_decisions(library, acknowledged(), follower)
                check_jobs(library, submitter.acknowledged, follower)
            check_photos(site, library, sorted(submitter.indexed))
            check_stores(site, library)


def index(site: Published, library: Library, folders: list[Path]) -> Any:
    """Index photos; the report."""
    job = ask(site.client, "/api/v1/photos/index", {"paths": [str(folder) for folder in folders]})
    wait_until(lambda: active_jobs(library) == 0)
    ended = ask(site.client, job["url"])
    assert ended["state"] == "succeeded", ended
    return ended["result"]["report"]


@contextmanager
def running(*functions: Callable[[threading.Event], None]) -> Iterator[Callable[[], None]]:
    """The functions run, each in a thread, until the block ends, and are told so by the event. What is
    yielded raises what one of them has failed with."""
    ended = threading.Event()
    with ThreadPoolExecutor(len(functions)) as pool:
        futures = [pool.submit(function, ended) for function in functions]

        def check() -> None:
            for future in [future for future in futures if future.done()]:
                future.result()

        try:
            yield check
        finally:
            ended.set()
    check()


@dataclass(frozen=True, slots=True)
class Progress:
    """How much has been done. check: raises what somebody who does it has failed with."""

    library: Library
    acknowledged: Callable[[], set[int]]
    check: Callable[[], None]

    def decided(self) -> int:
        self.check()
        return len(self.acknowledged())

    def jobs_ended(self) -> int:
        with self.library.database.read() as session:
            return session.scalar(select(func.count(JobRow.finished_at))) or 0


def kill_in_the_midst(site: Published, name: str, progress: Progress, chance: random.Random) -> None:
    """Kill a process while all goes on, see that it goes on without it, and start it again."""
    before = progress.decided()
    wait_until(lambda: progress.decided() >= before + DECISIONS)
    time.sleep(chance.uniform(0, 0.3))
    site.fleet.kill(name)
    decided, ended = progress.decided(), progress.jobs_ended()
    wait_until(lambda: progress.decided() >= decided + DECISIONS and progress.jobs_ended() > ended)
    site.fleet.start(name)


def active_jobs(library: Library) -> int:
    with library.database.read() as session:
        waiting = select(func.count(JobRow.id)).where(JobRow.state.in_(("queued", "running")))
        return session.scalar(waiting) or 0


def finish_jobs(site: Published, library: Library) -> None:
    """All workers end, so that no clock has to say that those which were killed are dead; others go on."""
    site.fleet.stop(*WORKERS)
    JobLedger(library.database).recover(alone=True)
    site.fleet.start(*WORKERS)
    wait_until(lambda: active_jobs(library) == 0)


def check_decisions(library: Library, acknowledged: set[int], follower: Follower) -> None:
    """All are there, the tables follow from them, and the stream has told each."""
    history = HistoryService(library.database).page(limit=10_000)
    made = {event.decision.id for event in history}
    assert acknowledged <= made
    assert RebuildService(library.database).check().wrong == 0
    wait_until(lambda: made <= set(follower.decisions))
    assert follower.opened > 1


def check_jobs(library: Library, acknowledged: dict[str, str], follower: Follower) -> None:
    """All have succeeded, and no more attempts were begun than a kill has ended."""
    with library.database.read() as session:
        rows = session.scalars(select(JobRow)).all()
    ended = {str(job.id): (job.state, job.error) for job in rows}
    assert acknowledged.keys() <= ended.keys()
    assert {job: how for job, how in ended.items() if how != ("succeeded", None)} == {}
    assert sum(job.attempts for job in rows) <= len(rows) + len(WORKERS)
    wait_until(lambda: {follower.jobs.get(job) for job in acknowledged} == {"succeeded"})
    assert follower.again == []


def check_photos(site: Published, library: Library, folders: list[Path]) -> None:
    """Indexing all folders once more finds nothing that is not there yet."""
    report = index(site, library, folders)
    assert (report["photos_new"], report["faces_new"]) == (0, 0)
    with library.database.read() as session:
        paths = {Path(path) for path in session.scalars(select(AssetPath.path))}
    assert {photo for folder in folders for photo in folder.iterdir()} <= paths


def check_stores(site: Published, library: Library) -> None:
    """Database, Qdrant and pictures agree, once centroids are of the faces that people have now."""
    ask(site.client, "/api/v1/centroids", {})
    wait_until(lambda: active_jobs(library) == 0)
    library.payload_sender.send()
    report = DoctorService(library.stores, alone=False).examine()
    assert report.is_healthy, found(report)
