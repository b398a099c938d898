"""Suggestions by person, their counts, and looking for more."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from image_search_service.core.errors import UnavailableError
from image_search_service.db.models import FaceSuggestion
from image_search_service.services.centroid_service import CentroidService
from image_search_service.services.jobs.service import PERSONS_IN_A_JOB
from image_search_service.services.suggestions.search import SuggestionService
from tests.support.served import Served, add_faces, add_person, alike, directions
from tests.support.world import World


def suggest(world: World, person_id: Any, confidence: float, state: str = "pending", **columns: Any) -> None:
    """A suggestion for a face of its own."""
    face = world.face(world.photo(f"/photos/{uuid4().hex}.jpg"))
    evidence = [{"face_instance_id": str(uuid4()), "similarity": confidence}]
    values = {"source": "prototype", "evidence": evidence} | columns
    world.session.add(
        FaceSuggestion(
            face_instance_id=face.id, person_id=person_id, state=state, confidence=confidence, **values
        )
    )


@pytest.fixture
def people(api: Served) -> dict[str, int]:
    """Persons with so many suggestions that wait; each has a rejected one as well."""
    sizes = {"Ada": 2, "Grace": 5, "Joan": 2, "Zoë": 0}
    with api.library.database.write() as session:
        world = World(session)
        for name, size in sizes.items():
            person = add_person(world, name)
            for number in range(size):
                suggest(world, person.id, 0.5 + number / 100)
            suggest(world, person.id, 0.9, "rejected", source="centroid")
    return sizes


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_by_person_those_with_most_first(api: Served, people: dict[str, int], limit: int) -> None:
    """Each person for whom suggestions wait is listed once over all pages, with the best of them."""
    pages = api.pages("/suggestions", limit=limit, per_person=2)
    groups = [item for page in pages for item in page["items"]]
    assert [(g["person_name"], g["pending"]) for g in groups] == [("Grace", 5), ("Ada", 2), ("Joan", 2)]
    assert [s["confidence"] for s in groups[0]["suggestions"]] == [0.54, 0.53]
    assert {page["total"] for page in pages} == {3}
    best = groups[0]["suggestions"][0]
    assert best["evidence"][0]["similarity"] == 0.54
    assert best["crop_url"] == f"/api/v1/faces/{best['face_instance_id']}/crop"


def test_stats(api: Served, people: dict[str, int]) -> None:
    """How many there are in each state, and what waits from each source."""
    assert api.get("/suggestions/stats") == {
        "by_state": {"pending": 9, "rejected": 4},
        "pending_by_source": {"prototype": 9},
        "persons_with_pending": 3,
    }


class Unsent:
    """A queue that keeps what is sent to it."""

    def __init__(self, api: Served, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sent: list[Any] = []
        monkeypatch.setattr(api.library.job_queue, "enqueue", self.sent.append)


@pytest.mark.parametrize(
    ("search_by", "kind"),
    [
        ("prototypes", "find_more_suggestions"),
        ("multi_prototype", "find_more_multi_prototype_suggestions"),
        ("centroid", "find_more_centroid_suggestions"),
    ],
)
def test_find_more_is_a_job_for_a_hundred_persons(
    api: Served, monkeypatch: pytest.MonkeyPatch, search_by: str, kind: str
) -> None:
    """Looking for everybody's faces makes few jobs, not one a person; asked for again, it makes none."""
    number = 2 * PERSONS_IN_A_JOB + 1
    with api.library.database.write() as session:
        world = World(session)
        ids = sorted(str(add_person(world, f"Person {n}").id) for n in range(number))
    queue = Unsent(api, monkeypatch)
    jobs = api.post(f"/suggestions/find-more/{search_by}", {"limit": 5})["jobs"]
    assert [job["kind"] for job in jobs] == [kind] * 3
    assert [person for job in jobs for person in job["parameters"]["person_ids"]] == ids
    assert {job["parameters"]["limit"] for job in jobs} == {5}
    assert [str(job_id) for job_id in queue.sent] == [job["id"] for job in jobs]
    again = api.post(f"/suggestions/find-more/{search_by}", {"limit": 5})["jobs"]
    assert [job["id"] for job in again] == [job["id"] for job in jobs]
    assert len(queue.sent) == 3


def test_find_more_for_some(api: Served, monkeypatch: pytest.MonkeyPatch, people: dict[str, int]) -> None:
    """Only the persons asked for are in the job; somebody unknown is not found, and nothing is begun."""
    queue = Unsent(api, monkeypatch)
    ada = next(person["id"] for person in api.get("/persons")["items"] if person["name"] == "Ada")
    (job,) = api.post("/suggestions/find-more/centroid", {"person_ids": [ada, ada]})["jobs"]
    assert job["parameters"]["person_ids"] == [ada]
    nobody = "3f2a0c9e-5d0b-4a57-9d3b-8a8b2f1c6e01"
    problem = api.post("/suggestions/find-more/centroid", {"person_ids": [ada, nobody]}, status=404)
    assert nobody in problem["detail"]
    assert ada not in problem["detail"]
    assert len(queue.sent) == 1


def test_a_queue_that_is_away_is_said(api: Served, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A job that cannot be sent is a 503 that may be tried again; it is kept."""

    def away(_job_id: object) -> None:
        raise UnavailableError("The queue does not answer.")

    monkeypatch.setattr(api.library.job_queue, "enqueue", away)
    answer = api.client.post("/api/v1/suggestions/expire", json={})
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    assert api.get("/jobs")["items"][0]["state"] == "queued"


@pytest.mark.parametrize(
    "body", [{"limit": 0}, {"person_ids": []}, {"person_ids": ["Ada"]}, {"min_confidence": 2}, {"no": 1}]
)
def test_wrong_requests_are_refused(api: Served, body: dict[str, Any]) -> None:
    """What makes no sense, or is not known, is refused before a job is made."""
    assert api.post("/suggestions/find-more/centroid", body, status=422)["errors"]
    assert api.get("/jobs")["total"] == 0


def test_reasons(api: Served) -> None:
    """A suggestion says what was asked for, who is second best by how much, and which faces it resembles."""
    ada_look, grace_look = directions(2, seed=5)
    with api.library.database.write() as session:
        world = World(session)
        for number, (name, look) in enumerate((("Ada", ada_look), ("Grace", grace_look))):
            person = add_person(world, name)
            theirs = alike(look, 6, spread=0.3, seed=number)
            add_faces(api.library, world, theirs, person_id=person.id, assigned_by="human")
            if name == "Ada":
                ada = person.id
        add_faces(api.library, world, alike(ada_look, 1, spread=0.6, seed=9))
    CentroidService(api.library.stores).compute_centroids()
    SuggestionService(api.library.stores).find_more_centroid(ada, min_confidence=0.3)
    ((found,),) = (group["suggestions"] for group in api.get("/suggestions")["items"])
    told = api.get(f"/suggestions/{found['id']}")
    assert told["suggestion"] == found
    assert (told["state"], told["person_name"], told["second_person_name"]) == ("pending", "Ada", "Grace")
    assert found["threshold"] == 0.3
    assert found["margin"] == pytest.approx(found["confidence"] - found["second_similarity"], abs=1e-4)
    assert len(told["resembles"]) == 5
    likeness = [one["similarity"] for one in told["resembles"]]
    assert likeness == sorted(likeness, reverse=True)
    assert told["needed"] == api.library.stores.thresholds.assign_to_centroid
    assert api.get(f"/suggestions/{uuid4()}", status=404)["status"] == 404


@pytest.mark.parametrize("answer", ["accept", "reject"])
def test_an_answer_is_followed_up_as_asked(
    api: Served, monkeypatch: pytest.MonkeyPatch, people: dict[str, int], answer: str
) -> None:
    """Accepting or rejecting starts looking for more if that was asked for, and only then."""
    queue = Unsent(api, monkeypatch)
    grace, ada, _ = api.get("/suggestions")["items"]
    first, second = (one["id"] for one in grace["suggestions"][:2])
    quiet = api.post(f"/decisions/{answer}", {"suggestion_ids": [first]}, status=200)
    assert (quiet["job_ids"], queue.sent) == ([], [])
    made = api.post(
        f"/decisions/{answer}",
        {"suggestion_ids": [second, ada["suggestions"][0]["id"]], "find_more": "centroid"},
        status=200,
    )
    assert made["job_ids"] == [str(job_id) for job_id in queue.sent]
    (job,) = (api.get(f"/jobs/{job_id}") for job_id in made["job_ids"])
    assert job["kind"] == "find_more_centroid_suggestions"
    assert job["parameters"]["person_ids"] == sorted([grace["person_id"], ada["person_id"]])


def test_an_answer_stands_without_the_queue(
    api: Served, monkeypatch: pytest.MonkeyPatch, people: dict[str, int]
) -> None:
    """When the queue does not answer, the decision is made all the same."""

    def away(_: Any) -> None:
        raise UnavailableError("The queue does not answer.")

    monkeypatch.setattr(api.library.job_queue, "enqueue", away)
    chosen = api.get("/suggestions")["items"][0]["suggestions"][0]["id"]
    made = api.post("/decisions/accept", {"suggestion_ids": [chosen], "find_more": "prototypes"}, status=200)
    assert made["decision_id"] is not None
    assert api.get(f"/suggestions/{chosen}")["state"] == "accepted"
