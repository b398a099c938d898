"""Faults of Qdrant: every job and route says so, changes nothing, and succeeds when it is run again."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import count
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from image_search_service.api.errors import PROBLEM_JSON
from image_search_service.core.errors import (
    DataIntegrityError,
    ImageSearchError,
    KeyRefusedError,
    UnavailableError,
    VectorStoreError,
)
from image_search_service.core.types import JsonObject
from image_search_service.main import create_app
from image_search_service.queue.face_jobs import JOBS
from image_search_service.queue.runner import JobRunner
from image_search_service.services.centroid_service import CentroidService
from image_search_service.services.jobs.ledger import JobLedger
from image_search_service.services.jobs.service import JobKind, JobService, JobState
from tests.contract.faulty import PATIENCE, Faulty, Template, copied, make_template
from tests.support.qdrant_server import Fault, QdrantServer
from tests.support.served import BASE_URL

DEPTH = pytest.mark.depth
Parameters = Callable[[Template], JsonObject]


def grouping(_: Template) -> JsonObject:
    return {"method": "agglomerative", "min_cluster_size": 2}


def people(template: Template) -> JsonObject:
    return {"person_ids": [str(one) for one in template.people]}


def searching(template: Template) -> JsonObject:
    return people(template) | {"limit": 50, "min_confidence": 0.3}


JOB_PARAMETERS: dict[JobKind, Parameters] = {
    JobKind.ASSIGN_FACES: lambda _: {},
    JobKind.CLUSTER_DUAL: grouping,
    JobKind.CLUSTER_FACES: grouping,
    JobKind.COMPUTE_CENTROIDS: lambda template: people(template) | {"force": False},
    JobKind.DETECT_FACES: lambda template: {"paths": [str(template.photos)]},
    JobKind.DOCTOR: lambda _: {"repair": True},
    JobKind.ERASE_PHOTOS: lambda _: {"paths": []},
    JobKind.FIND_CONFLICTS: lambda _: {"everybody": True},
    JobKind.FIND_MORE_SUGGESTIONS: searching,
    JobKind.FIND_MORE_MULTI_PROTOTYPE_SUGGESTIONS: searching,
    JobKind.FIND_MORE_CENTROID_SUGGESTIONS: searching,
    JobKind.EXPIRE_OLD_SUGGESTIONS: lambda _: {"older_than_days": 1},
    JobKind.PROPOSE_GROUPING: grouping,
    JobKind.READ_METADATA: lambda _: {},
    JobKind.WRITE_BACKUP: lambda _: {"pictures": True},
    JobKind.WRITE_METADATA: lambda _: {"dry_run": True},
}
"""What each kind of job is run with; a new kind needs its line."""

WITHOUT_QDRANT = {
    JobKind.ERASE_PHOTOS,  # while nothing is forgotten; test_forgetting.py has an outage while something is
    JobKind.EXPIRE_OLD_SUGGESTIONS,
    JobKind.READ_METADATA,
    JobKind.WRITE_METADATA,
}
ASKING = [kind for kind in JobKind if kind not in WITHOUT_QDRANT]
CHANGING = [kind for kind in ASKING if kind is not JobKind.WRITE_BACKUP]
"""Those after which the library holds something else."""
READING = [kind for kind in ASKING if kind is not JobKind.DETECT_FACES]
"""Those that read before they write."""
READS_FAIL = {"cut off", "half an answer"}
"""Faults of answers: a write whose answer does not arrive has been done, and is done again."""

WORK = ("retrieve", "search", "scroll", "upsert", "delete", "update_payload")
"""Requests that do something; the others look whether a collection is there."""

Break = Callable[[QdrantServer], None]
FAULTS: dict[str, tuple[Break, type[ImageSearchError]]] = {
    "gone": (lambda server: server.fail(Fault.UNAVAILABLE), UnavailableError),
    "stopped": (QdrantServer.stop, UnavailableError),
    "slow": (lambda server: server.fail(Fault.HANGS), UnavailableError),
    "cut off": (lambda server: server.fail(Fault.DROPS), UnavailableError),
    "half an answer": (lambda server: server.fail(Fault.HALF), UnavailableError),
    "garbage": (lambda server: server.fail(Fault.GARBAGE), VectorStoreError),
    "key refused": (lambda server: setattr(server.gate, "api_key", "another"), KeyRefusedError),
}


def patience(fault: str) -> int:
    """Seconds that a request may take: one where no answer ever comes, else so many that a busy machine
    cannot be taken for a server that hangs."""
    return 1 if fault == "slow" else PATIENCE


@pytest.fixture(scope="module")
def template(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Template:
    return make_template(drawn, tmp_path_factory.mktemp("faults"))


Outcomes = Callable[[JobKind, bool], list[list[str]]]


@pytest.fixture(scope="module")
def unharmed(template: Template, tmp_path_factory: pytest.TempPathFactory) -> Outcomes:
    """What a library holds after a job that met no fault, and after two; each computed once: over
    gRPC and over REST, between which the last digit differs, and with it who stands for a pair."""

    @cache
    def outcomes(kind: JobKind, grpc: bool) -> list[list[str]]:
        with copied(template, tmp_path_factory.mktemp("unharmed") / "library", grpc=grpc) as faulty:
            before = faulty.content()
            faulty.run(kind, JOB_PARAMETERS[kind](template))
            once = faulty.content()
            assert once != before, "the job had nothing to do"
            faulty.run(kind, JOB_PARAMETERS[kind](template))
            return [once, faulty.content()]

    return outcomes


def test_every_kind_of_job_is_here() -> None:
    """A new kind of job fails this test until the table has it."""
    assert set(JOB_PARAMETERS) == set(JobKind) == set(JOBS)


@pytest.mark.parametrize(
    ("name", "grpc"),
    [
        ("gone", True),
        ("cut off", False),
        pytest.param("garbage", False, marks=DEPTH),
        *(pytest.param(name, True, marks=DEPTH) for name in FAULTS if name not in {"gone", "cut off"}),
    ],
)
def test_each_job_says_what_is_wrong_and_changes_nothing(
    template: Template, tmp_path: Path, name: str, grpc: bool
) -> None:
    """Whatever the server does from the first request on, the job ends with an error of ours that names
    Qdrant, and no row and no point has changed."""
    spoil, expected = FAULTS[name]
    with copied(template, tmp_path / "library", grpc=grpc, patience=patience(name)) as faulty:
        before = faulty.everything()
        spoil(faulty.server)
        for kind in READING if name in READS_FAIL else ASKING:
            with pytest.raises(expected, match="Qdrant") as raised:
                faulty.run(kind, JOB_PARAMETERS[kind](template))
            assert type(raised.value) is expected, kind
        assert faulty.everything() == before


def test_a_job_that_does_not_need_qdrant_does_not_notice(template: Template, tmp_path: Path) -> None:
    """Without Qdrant, withdrawing old suggestions and reading and writing metadata work."""
    with copied(template, tmp_path / "library") as faulty:
        faulty.server.fail(Fault.UNAVAILABLE)
        for kind in WITHOUT_QDRANT:
            faulty.run(kind, JOB_PARAMETERS[kind](template))


@pytest.mark.parametrize(
    ("kind", "fault"),
    [
        (JobKind.COMPUTE_CENTROIDS, Fault.UNAVAILABLE),
        *(
            pytest.param(kind, Fault.UNAVAILABLE, marks=DEPTH)
            for kind in CHANGING
            if kind is not JobKind.COMPUTE_CENTROIDS
        ),
        pytest.param(JobKind.COMPUTE_CENTROIDS, Fault.DROPS, marks=DEPTH),
        pytest.param(JobKind.DETECT_FACES, Fault.DROPS, marks=DEPTH),
    ],
)
def test_gone_in_the_middle(
    template: Template, unharmed: Outcomes, tmp_path: Path, kind: JobKind, fault: Fault
) -> None:
    """Wherever the server goes away in the middle of a job, nothing is half done, and the job run again ends
    like one that met no fault, or like a second one if only a last step was left."""
    grpc = fault is not Fault.DROPS  # which only REST has
    right = unharmed(kind, grpc)
    for passed in count():
        with copied(template, tmp_path / str(passed), grpc=grpc) as faulty:
            faulty.server.fail(fault, *WORK, after=passed)
            try:
                faulty.run(kind, JOB_PARAMETERS[kind](template))
            except UnavailableError:
                faulty.server.heal()
                assert_whole(faulty)
            else:
                break
            faulty.run(kind, JOB_PARAMETERS[kind](template))
            assert faulty.content() in right, f"gone after {passed} requests"
    assert passed > 0


ROUTES = ("/api/v1/faces/{face}/suggestions", "/api/v1/centroids/{person}")
"""Those that ask Qdrant; ``tests/api/test_round_trips.py`` says that there is no other."""


@pytest.mark.parametrize(
    ("name", "grpc"),
    [
        ("gone", True),
        ("cut off", False),
        pytest.param("garbage", False, marks=DEPTH),
        *(pytest.param(name, True, marks=DEPTH) for name in FAULTS if name not in READS_FAIL | {"gone"}),
    ],
)
def test_each_route_says_what_is_wrong(template: Template, tmp_path: Path, name: str, grpc: bool) -> None:
    """A route that needs Qdrant answers with a problem that names it, never with nothing or not found;
    healed, it answers as before."""
    spoil, expected = FAULTS[name]
    with (
        copied(template, tmp_path / "library", grpc=grpc, patience=patience(name)) as faulty,
        client_of(faulty) as client,
    ):
        paths = [path.format(face=template.face, person=template.people[0]) for path in (*ROUTES, "/ready")]
        before = [client.get(path).json() for path in paths]
        stored = faulty.everything()
        spoil(faulty.server)
        *answers, ready = [client.get(path) for path in paths]
        for answer in answers:
            assert answer.status_code == (500 if expected is VectorStoreError else 503), answer.text
            assert answer.headers["content-type"] == PROBLEM_JSON
            assert "Qdrant" in answer.json()["detail"]
        assert (ready.status_code, ready.json()["ready"]) == (503, False)
        assert faulty.everything() == stored
        if name != "stopped":
            faulty.server.heal()
            assert [client.get(path).json() for path in paths] == before


def test_a_centroid_that_is_lost_is_not_passed_over(template: Template, tmp_path: Path) -> None:
    """Where SQL knows a centroid that Qdrant does not have, jobs that compare with all of them refuse, and
    the route does not say that there is none; computed again, all is well."""
    with copied(template, tmp_path / "library") as faulty, client_of(faulty) as client:
        ada, grace = template.people
        CentroidService(faulty.library.stores).compute_centroids()
        lost = CentroidService(faulty.library.stores).active_centroid(grace)
        assert lost is not None
        faulty.library.centroids.delete_centroids([lost.id])
        before = faulty.everything()
        for kind in (JobKind.ASSIGN_FACES, JobKind.CLUSTER_DUAL, JobKind.FIND_MORE_CENTROID_SUGGESTIONS):
            with pytest.raises(DataIntegrityError, match="Of 2 centroids Qdrant did not give 1"):
                faulty.run(kind, JOB_PARAMETERS[kind](template))
        assert faulty.everything() == before
        assert client.get(f"/api/v1/centroids/{ada}").status_code == 200
        assert client.get(f"/api/v1/centroids/{grace}").status_code == 500
        faulty.run(JobKind.DOCTOR, {"repair": True})
        assert client.get(f"/api/v1/centroids/{grace}").status_code == 200
        assert faulty.run(JobKind.ASSIGN_FACES, {})["assigned"]


def test_a_worker_tries_again_until_the_server_is_back(template: Template, tmp_path: Path) -> None:
    """The row of a job says what did not answer while it waits for another try, and then that it succeeded;
    a server that talks nonsense ends the job, and the next one succeeds."""
    with copied(template, tmp_path / "library") as faulty:
        library = faulty.library
        runner = JobRunner(JobLedger(library.database), JOBS, library.stores, pauses=(0.0,))
        for spoil, state in (
            (FAULTS["gone"][0], JobState.QUEUED),
            (FAULTS["key refused"][0], JobState.QUEUED),
            (FAULTS["garbage"][0], JobState.FAILED),
        ):
            service = JobService(library.database, library.job_queue.enqueue)
            parameters = JOB_PARAMETERS[JobKind.CLUSTER_FACES](template)
            job = service.submit(JobKind.CLUSTER_FACES, parameters)
            spoil(faulty.server)
            runner.run(job.id)
            waiting = service.get(job.id)
            assert waiting.state == state
            assert "Qdrant" in (waiting.error or "")
            faulty.server.heal()
            if state is JobState.FAILED:
                job = service.submit(JobKind.CLUSTER_FACES, parameters)
            runner.run(job.id)
            ended = service.get(job.id)
            assert (ended.state, ended.error) == (JobState.SUCCEEDED, None)
            assert ended.counts["clusters"] > 0


def client_of(faulty: Faulty) -> TestClient:
    app = create_app(faulty.library, run_jobs=False)
    return TestClient(app, base_url=BASE_URL, raise_server_exceptions=False)


def assert_whole(faulty: Faulty) -> None:
    """What people named is theirs, everybody's centroid has its point, each cluster has its faces."""
    people, clusters, centroids = faulty.named(), faulty.cluster_sizes(), faulty.centroid_ids()
    assert faulty.template.named.items() <= people.items()
    assert all(size == members for size, members in clusters)
    assert len(centroids) == len(faulty.template.people)
    assert not faulty.library.centroids.get_centroids_by_point_ids(centroids).missing
