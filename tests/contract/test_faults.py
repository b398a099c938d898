"""Faults of Qdrant: every job and route says so, changes nothing, and succeeds when it is run again."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from pathlib import Path

import pytest

from image_search_service.core.errors import (
    ImageSearchError,
    KeyRefusedError,
    UnavailableError,
    VectorStoreError,
)
from image_search_service.core.types import JsonObject
from image_search_service.queue.face_jobs import JOBS
from image_search_service.services.job_service import JobKind
from tests.support.faulty import Faulty, Template, copied, make_template
from tests.support.qdrant_server import Fault, QdrantServer

Parameters = Callable[[Template], JsonObject]


def grouping(_: Template) -> JsonObject:
    return {"method": "hdbscan", "min_cluster_size": 2}


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
    JobKind.FIND_MORE_SUGGESTIONS: searching,
    JobKind.FIND_MORE_MULTI_PROTOTYPE_SUGGESTIONS: searching,
    JobKind.FIND_MORE_CENTROID_SUGGESTIONS: searching,
    JobKind.EXPIRE_OLD_SUGGESTIONS: lambda _: {"older_than_days": 1},
}
"""What each kind of job is run with; a new kind needs its line."""

WITHOUT_QDRANT = {JobKind.EXPIRE_OLD_SUGGESTIONS}
ASKING = [kind for kind in JobKind if kind not in WITHOUT_QDRANT]
READING = [kind for kind in ASKING if kind is not JobKind.DETECT_FACES]
"""Those that read before they write. A write whose answer is cut off has been done, and is done again."""

WORK = ("retrieve", "search", "scroll", "upsert", "delete", "update_payload")
"""Requests that do something; the others look whether a collection is there."""

Break = Callable[[QdrantServer], None]
FAULTS: dict[str, tuple[Break, type[ImageSearchError]]] = {
    "gone": (lambda server: server.fail(Fault.UNAVAILABLE), UnavailableError),
    "stopped": (QdrantServer.stop, UnavailableError),
    "slow": (lambda server: server.fail(Fault.HANGS), UnavailableError),
    "cut off": (lambda server: server.fail(Fault.DROPS), UnavailableError),
    "garbage": (lambda server: server.fail(Fault.GARBAGE), VectorStoreError),
    "key refused": (QdrantServer.refuse_key, KeyRefusedError),
}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    return make_template(tmp_path_factory.mktemp("faults"))


def unharmed(template: Template, folder: Path, kind: JobKind) -> list[list[str]]:
    """What a library holds after a job that met no fault, and after two."""
    with copied(template, folder) as faulty:
        before = faulty.content()
        faulty.run(kind, JOB_PARAMETERS[kind](template))
        once = faulty.content()
        assert once != before, "the job had nothing to do"
        faulty.run(kind, JOB_PARAMETERS[kind](template))
        return [once, faulty.content()]


def test_every_kind_of_job_is_here() -> None:
    """A new kind of job fails this test until the table has it."""
    assert set(JOB_PARAMETERS) == set(JobKind) == set(JOBS)


@pytest.mark.parametrize(
    ("name", "grpc"),
    [*((name, True) for name in FAULTS if name != "cut off"), ("cut off", False), ("garbage", False)],
)
def test_each_job_says_what_is_wrong_and_changes_nothing(
    template: Template, tmp_path: Path, name: str, grpc: bool
) -> None:
    """Whatever the server does from the first request on, the job ends with an error of ours that names
    Qdrant, and no row and no point has changed."""
    spoil, expected = FAULTS[name]
    with copied(template, tmp_path / "library", grpc=grpc) as faulty:
        before = faulty.everything()
        spoil(faulty.server)
        for kind in READING if name == "cut off" else ASKING:
            with pytest.raises(expected, match="Qdrant") as raised:
                faulty.run(kind, JOB_PARAMETERS[kind](template))
            assert type(raised.value) is expected, kind
        assert faulty.everything() == before


def test_a_job_that_does_not_need_qdrant_does_not_notice(template: Template, tmp_path: Path) -> None:
    """Without Qdrant, withdrawing old suggestions works."""
    with copied(template, tmp_path / "library") as faulty:
        faulty.server.fail(Fault.UNAVAILABLE)
        for kind in WITHOUT_QDRANT:
            faulty.run(kind, JOB_PARAMETERS[kind](template))


@pytest.mark.parametrize(
    ("kind", "fault", "grpc"),
    [
        *((kind, Fault.UNAVAILABLE, True) for kind in ASKING),
        (JobKind.COMPUTE_CENTROIDS, Fault.DROPS, False),
        (JobKind.DETECT_FACES, Fault.DROPS, False),
    ],
)
def test_gone_in_the_middle(
    template: Template, tmp_path: Path, kind: JobKind, fault: Fault, grpc: bool
) -> None:
    """Wherever the server goes away in the middle of a job, nothing is half done, and the job run again ends
    like one that met no fault, or like a second one if only a last step was left."""
    right = unharmed(template, tmp_path / "unharmed", kind)
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


def assert_whole(faulty: Faulty) -> None:
    """What people named is theirs, everybody's centroid has its point, each cluster has its faces."""
    people, clusters, centroids = faulty.named(), faulty.cluster_sizes(), faulty.centroid_ids()
    assert faulty.template.named.items() <= people.items()
    assert all(size == members for size, members in clusters)
    assert len(centroids) == len(faulty.template.people)
    assert not faulty.library.centroids.get_centroids_by_point_ids(centroids).missing
