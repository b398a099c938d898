"""What is done every night."""

from __future__ import annotations

import uuid
from pathlib import Path

from image_search_service.core.config import Settings
from image_search_service.core.records.jobs import JobFilter
from image_search_service.library.opening import open_library
from image_search_service.library.workers import job_workers
from image_search_service.services.jobs.service import JobService
from image_search_service.vector.collections import FacePayload, FacePoint
from tests.support.served import directions, no_bar, served


def test_the_library_is_examined_every_night(tmp_path: Path) -> None:
    """A job compares the stores, changes nothing, and its row says what it found."""
    with served(tmp_path) as api:
        stray = uuid.uuid4()
        api.library.faces.upsert_faces([FacePoint(stray, directions(1)[0], FacePayload(stray, stray))])
        api.library.job_queue.nightly()
        (job,) = api.get("/jobs", kind="doctor")["items"]
        ended = api.ended(job)
        assert ended["state"] == "succeeded"
        assert [(each["kind"], each["found"]) for each in ended["counts"]["findings"]] == [
            ("point_without_face", 1)
        ]
        assert api.library.faces.count() == 1


def test_an_empty_library_is_left_alone(tmp_path: Path) -> None:
    """Without an engine there is nothing to examine."""
    with open_library(Settings(library=tmp_path, offline=True), lambda _: None, no_bar) as library:
        job_workers(library)
        library.job_queue.nightly()
        assert JobService(library.database, library.job_queue.enqueue).page(JobFilter(), 10).total == 0
