"""Jobs over HTTP: begun, listed, watched, cancelled."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from image_search_service.api import streams
from image_search_service.queue.runner import JobRunner
from image_search_service.services.jobs.ledger import JobLedger
from image_search_service.services.jobs.service import JobKind, JobService
from tests.support.served import Served, add_faces, alike, directions
from tests.support.waiting import wait_until
from tests.support.world import World


def test_grouping_as_a_job(working: Served) -> None:
    """Grouping is accepted as a job; when it has succeeded, its clusters are there, in SQL and in Qdrant."""
    people = directions(3)
    with working.library.database.write() as session:
        world = World(session)
        for number, person in enumerate(people):
            add_faces(working.library, world, alike(person, 6, seed=number))
    job = working.post("/faces/cluster", {"method": "agglomerative", "min_cluster_size": 3})
    assert (job["kind"], job["state"]) == ("cluster_faces", "queued")
    done = working.ended(job)
    assert done["state"] == "succeeded", done["error"]
    assert (done["counts"]["faces"], done["counts"]["clusters"]) == (18, 3)
    assert [item["size"] for item in working.get("/faces/clusters")["items"]] == [6, 6, 6]
    (page,) = working.library.faces.scroll_faces()
    assert len({payload.cluster_id for payload in page.payloads.values()}) == 3


def test_jobs_are_listed_newest_first(api: Served) -> None:
    """Jobs come in pages, the newest first, by state and kind if wanted."""
    service = JobService(api.library.database, api.library.job_queue.enqueue)
    made = [str(service.submit(JobKind.CLUSTER_FACES, {"n": n}).id) for n in range(5)]
    service.submit(JobKind.EXPIRE_OLD_SUGGESTIONS, {})
    service.cancel(service.submit(JobKind.CLUSTER_FACES, {"n": 5}).id)
    pages = api.pages("/jobs", limit=2, state="queued", kind="cluster_faces")
    assert [item["id"] for page in pages for item in page["items"]] == made[::-1]
    assert {page["total"] for page in pages} == {5}
    assert api.get("/jobs")["total"] == 7


def test_a_job_is_cancelled(api: Served) -> None:
    """A job that waits is cancelled at once; one that there is not is not found."""
    service = JobService(api.library.database, api.library.job_queue.enqueue)
    job = service.submit(JobKind.CLUSTER_FACES, {})
    assert api.post(f"/jobs/{job.id}/cancel", status=200)["state"] == "cancelled"
    api.post("/jobs/3f2a0c9e-5d0b-4a57-9d3b-8a8b2f1c6e01/cancel", status=404)


def test_a_job_that_has_ended_is_not_cancelled(working: Served) -> None:
    """Cancelling what has succeeded is a conflict."""
    job = working.ended(working.post("/faces/cluster", {}))
    problem = working.post(f"/jobs/{job['id']}/cancel", status=409)
    assert problem["type"] == "urn:image-search:conflict"


def test_a_job_that_waits_is_paused(api: Served) -> None:
    """It waits until it is to go on, which asking for the same once more says, too; it can be cancelled."""
    service = JobService(api.library.database, api.library.job_queue.enqueue)
    job = service.submit(JobKind.CLUSTER_FACES, {})
    assert api.post(f"/jobs/{job.id}/pause", status=200)["state"] == "paused"
    assert api.post(f"/jobs/{job.id}/pause", status=200)["state"] == "paused"
    assert service.submit(JobKind.CLUSTER_FACES, {}, resume=False).state == "paused"
    assert api.post(f"/jobs/{job.id}/resume", status=200)["state"] == "queued"
    api.post(f"/jobs/{job.id}/pause", status=200)
    again = service.submit(JobKind.CLUSTER_FACES, {})
    assert (again.id, again.state) == (job.id, "queued")
    api.post(f"/jobs/{job.id}/pause", status=200)
    assert api.post(f"/jobs/{job.id}/cancel", status=200)["state"] == "cancelled"
    for verb in ("pause", "resume"):
        assert api.post(f"/jobs/{job.id}/{verb}", status=409)["hint"]
        api.post(f"/jobs/3f2a0c9e-5d0b-4a57-9d3b-8a8b2f1c6e01/{verb}", status=404)


def test_a_job_that_runs_is_paused_over_a_restart(api: Served) -> None:
    """It stops at its next step, stays paused when workers start again, and goes on when it is asked to."""
    library = api.library
    service = JobService(library.database, library.job_queue.enqueue)
    job = service.submit(JobKind.DETECT_FACES, {"paths": []})
    steps: list[int] = []

    def index(_services: object, progress: Callable[[int, int | None], None], **_parameters: object) -> Any:
        def step() -> bool:
            steps.append(1)
            progress(1, 2)
            return False

        if not steps:
            service.pause(job.id)
            wait_until(step)
        return {}

    runner = JobRunner(JobLedger(library.database), {"detect_faces": index}, None, beat_seconds=0.01)
    assert runner.run(job.id) is None
    paused = service.get(job.id)
    assert (paused.state, paused.pause_requested, paused.attempts) == ("paused", False, 0)
    again = JobRunner(JobLedger(library.database), {"detect_faces": index}, None, alone=True)
    assert job.id not in again.recover()
    assert again.run(job.id) is None
    assert service.get(job.id).state == "paused"
    assert service.resume(job.id).state == "queued"
    again.run(job.id)
    assert (service.get(job.id).state, service.get(job.id).attempts) == ("succeeded", 1)


def test_a_job_whose_worker_died_while_pausing(api: Served) -> None:
    """It is paused, not taken over by the next worker."""
    library = api.library
    service, ledger = JobService(library.database, library.job_queue.enqueue), JobLedger(library.database)
    job = service.submit(JobKind.DETECT_FACES, {"paths": []})
    ledger.claim(job.id)
    assert service.pause(job.id).pause_requested
    ledger.recover(alone=True)
    assert service.get(job.id).state == "paused"


def test_a_job_is_watched(working: Served) -> None:
    """Its events begin with the job as it is and end with its end."""
    job = working.post("/faces/cluster", {})
    events = working.client.get(job["url"] + "/events")
    assert events.headers["content-type"].startswith("text/event-stream")
    seen = [json.loads(line[6:]) for line in events.text.splitlines() if line.startswith("data: ")]
    assert {item["id"] for item in seen} == {job["id"]}
    assert seen[-1]["state"] == "succeeded"
    assert events.text.splitlines()[0] == f"event: {seen[0]['state']}"


def test_too_many_watchers_ask_again(api: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """When enough streams are open, a further one says how the job is, when to ask again, and ends."""
    monkeypatch.setattr(streams, "_watchers", threading.BoundedSemaphore(1))
    assert streams._watchers.acquire()
    job = JobService(api.library.database, api.library.job_queue.enqueue).submit(JobKind.CLUSTER_FACES, {})
    lines = api.client.get(f"/api/v1/jobs/{job.id}/events").text.splitlines()
    assert lines[0] == "event: queued"
    assert "retry: 3000" in lines


def test_nothing_to_watch(api: Served) -> None:
    """Watching a job that there is not is a problem, not a stream."""
    api.get("/jobs/3f2a0c9e-5d0b-4a57-9d3b-8a8b2f1c6e01/events", status=404)


def test_a_job_of_another_version_is_listed_and_ends(working: Served) -> None:
    """A restored backup may have kinds that this version does not know: they are shown, and fail by name."""
    jobs = JobService(working.library.database, working.library.job_queue.enqueue)
    job = jobs.submit(cast("JobKind", SimpleNamespace(value="paint_faces")), {})
    ended = working.ended({"id": str(job.id)})
    assert (ended["kind"], ended["state"]) == ("paint_faces", "failed")
    assert "no jobs of the kind paint_faces" in ended["error"]
    assert "paint_faces" in {item["kind"] for item in working.get("/jobs")["items"]}
