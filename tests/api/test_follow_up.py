"""A decision and the search that follows it: one transaction, whatever becomes of the queue."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from image_search_service.core.errors import UnavailableError
from image_search_service.services.decisions.service import ReviewService
from image_search_service.services.jobs.service import SubmittedJobs
from image_search_service.services.suggestions import follow_up
from tests.support.round_trips import round_trips
from tests.support.served import Served, add_faces, directions
from tests.support.world import World

STATEMENTS = 18
"""Of naming a group as somebody new: the transaction's begin, 18 of the decision, 2 of the search."""


def group_of(api: Served, faces: int) -> str:
    with api.library.database.write() as session:
        world = World(session)
        made = add_faces(api.library, world, directions(faces))
        return str(world.cluster(made).id)


def name(api: Served, cluster: str, status: int = 200) -> Any:
    return api.post(
        "/decisions/name-clusters", {"cluster_ids": [cluster], "name": f"Ada {cluster}"}, status=status
    )


def waiting(api: Served) -> list[Any]:
    return list(api.get("/jobs", state="queued")["items"])


@pytest.mark.parametrize("faces", [2, 40, 400])
def test_naming_a_group_is_few_statements(api: Served, monkeypatch: pytest.MonkeyPatch, faces: int) -> None:
    """Naming a group as somebody new, with the search that follows, is 18 statements for any number of
    faces."""
    monkeypatch.setattr(type(api.library.payload_sender), "send_if_it_answers", lambda _: None)
    name(api, group_of(api, 3))  # what is opened on first use is open
    cluster = group_of(api, faces)
    with round_trips(api.library.database.engine) as trips:
        made = name(api, cluster)
    assert (made["faces"], len(made["job_ids"])) == (faces, 1)
    assert (trips.statements, trips.requests) == (STATEMENTS, 0), trips.sql


def test_a_decision_is_not_without_its_search(api: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the search cannot be written, the decision is not made either."""
    cluster = group_of(api, 3)

    def fails(*_: object, **__: object) -> SubmittedJobs:
        raise UnavailableError("The database does not answer.")

    with monkeypatch.context() as patch:
        patch.setattr(follow_up, "insert_jobs", fails)
        name(api, cluster, status=503)
    assert (api.get("/decisions")["total"], waiting(api)) == (0, [])
    made = name(api, cluster)
    assert [UUID(job["id"]) for job in waiting(api)] == [UUID(one) for one in made["job_ids"]]


def test_a_queue_that_is_away_costs_no_decision(api: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the queue does not answer, the decision is made, and its search waits to be sent."""

    def away(_: UUID) -> None:
        raise UnavailableError("Redis does not answer.")

    monkeypatch.setattr(api.library.job_queue, "enqueue", away)
    made = name(api, group_of(api, 3))
    assert (made["faces"], [job["id"] for job in waiting(api)]) == (3, made["job_ids"])


def test_a_refused_decision_leaves_no_search(api: Served) -> None:
    """A decision that is refused submits nothing."""
    cluster = group_of(api, 3)
    name(api, cluster)
    before = len(waiting(api))
    name(api, cluster, status=404)
    assert len(waiting(api)) == before


def test_every_decision_of_the_service_is_followed(api: Served) -> None:
    """What is to follow decisions follows the naming of one group, too."""
    followed: list[int | None] = []
    review = ReviewService(api.library.database, "ada").then(lambda _, made: followed.append(made.id))
    made = review.name_cluster(group_of(api, 3), "Ada")
    assert followed == [made.decision]
