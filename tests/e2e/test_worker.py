"""A service and two workers as processes, on PostgreSQL, Redis and a Qdrant server."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from image_search_service.core.access_token import bearer_headers
from image_search_service.core.config import Settings
from image_search_service.library.opening import open_library
from image_search_service.services.decisions.service import ReviewService
from image_search_service.services.jobs.service import JobKind, JobService
from tests.e2e.compose import settings_of
from tests.support.served import bind, no_bar
from tests.support.service_processes import ask, ended, environment, running, serving
from tests.support.waiting import LIMIT, wait_until

REDIS_DATABASE = 11
"""Not the one that other tests put their queues into."""


@pytest.mark.depth
def test_workers_do_the_services_jobs(server_settings: dict[str, Any], drawn: Path) -> None:
    """Photos are indexed, grouped and searched by workers; when one is killed the other goes on."""
    settings = server_settings
    with open_library(Settings(**settings), lambda _: None, no_bar) as library, ExitStack() as stack:
        bind(library)
        jobs, port = JobService(library.database, library.job_queue.enqueue), settings["port"]
        stack.enter_context(serving(settings))
        workers = [stack.enter_context(running("worker", settings)) for _ in range(2)]

        def done(kind: JobKind, parameters: dict[str, Any]) -> Any:
            job = jobs.submit(kind, parameters)
            return ended(port, {"url": f"/api/v1/jobs/{job.id}"})

        index = done(JobKind.DETECT_FACES, {"paths": [str(drawn)]})
        assert index["state"] == "succeeded", index
        assert index["counts"]["faces_new"] == 60
        (cluster, *_) = ask(port, "/api/v1/faces/clusters")["items"]
        person = ReviewService(library.database, "test").name_cluster(cluster["id"], "Ada").person_id
        workers[0].send_signal(signal.SIGKILL)
        workers[0].wait()
        (job,) = ask(port, "/api/v1/suggestions/find-more/prototypes", {"person_ids": [str(person)]})["jobs"]
        assert ended(port, job)["state"] == "succeeded"
        dual = ended(port, ask(port, "/api/v1/faces/cluster/dual", {}))
        assert (dual["state"], dual["counts"]["assigned"]["persons"]) == ("succeeded", 1)
        assert ask(port, f"/api/v1/persons/{person}")["faces"] >= cluster["size"]
        workers[1].terminate()
        _, said = workers[1].communicate(timeout=LIMIT)
        assert (workers[1].returncode, "Traceback" in said) == (0, False), said


@pytest.mark.depth
def test_the_processes_of_the_compose_file(server_settings: dict[str, Any], tmp_path: Path) -> None:
    """The service and three workers, told what their containers are told: ready, as the health check says; a
    job is done; their logs are JSON; SIGTERM ends each of them well."""
    settings = server_settings | {"library": tmp_path / "shared"}
    elsewhere = settings | {"host": "127.0.0.1", "require_token": True}
    elsewhere["qdrant_api_key"] = "of-the-stand-in-which-asks-for-none"
    with open_library(Settings(**settings), lambda _: None, no_bar) as library, ExitStack() as stack:
        bind(library)
        service = settings_of("service", elsewhere, tmp_path)
        processes = [stack.enter_context(serving(service))]
        processes += [
            stack.enter_context(running("worker", settings_of("worker", elsewhere, tmp_path)))
            for _ in range(3)
        ]
        headers = bearer_headers(tmp_path / "shared" / "token")

        def check() -> subprocess.CompletedProcess[str]:
            command = [sys.executable, "-m", "image_search_service", "address", "--check"]
            told = environment(service)
            return subprocess.run(command, env=told, capture_output=True, text=True, check=False)

        healthy = wait_until(check, lambda done: done.returncode == 0)
        assert healthy.stdout.startswith("http://127.0.0.1:8000/?token=")
        job = ask(settings["port"], "/api/v1/doctor", {"repair": False}, headers)
        assert ended(settings["port"], job, headers)["state"] == "succeeded"
        for process in reversed(processes):
            process.send_signal(signal.SIGTERM)
            _, said = process.communicate(timeout=LIMIT)
            assert process.returncode == 0, said
            assert [json.loads(line)["level"] for line in said.splitlines()]
