"""Whom a face may show, and looking for more faces of a person, from the request to the suggestion."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from image_search_service.core.errors import UnavailableError
from image_search_service.core.types import FloatArray
from image_search_service.db.models import FaceSuggestion
from image_search_service.services.centroid_service import CentroidService
from image_search_service.services.people.persons import PersonCatalogue
from image_search_service.services.suggestions.search import SuggestionService
from tests.support.round_trips import round_trips
from tests.support.served import Served, add_faces, add_person, alike, directions
from tests.support.world import World

NAMES = ("Ada", "Grace", "Joan")


def add(api: Served, embeddings: FloatArray, name: str | None = None) -> tuple[UUID | None, list[UUID]]:
    """Faces, of a person of this name if one is given; the person's id and the faces'."""
    with api.library.database.write() as session:
        world = World(session)
        person = None if name is None else add_person(world, name).id
        faces = add_faces(api.library, world, embeddings, person_id=person)
        return person, [face.id for face in faces]


@pytest.fixture
def people(working: Served) -> dict[str, UUID]:
    """Three persons with six faces each, and their centroids."""
    made = {}
    for number, (name, direction) in enumerate(zip(NAMES, directions(3), strict=True)):
        person, _ = add(working, alike(direction, 6, seed=number), name)
        assert person is not None
        made[name] = person
    CentroidService(working.library.stores).compute_centroids()
    return made


def test_whom_a_face_shows(working: Served, people: dict[str, UUID]) -> None:
    """The person whose centroid it resembles comes first, with the similarity and the lead on the next."""
    _, (face,) = add(working, alike(directions(3)[1], 1, seed=9))
    found = working.get(f"/faces/{face}/suggestions")
    assert found["face_id"] == str(face)
    best = found["suggestions"][0]
    assert (best["person_name"], best["person_id"]) == ("Grace", str(people["Grace"]))
    assert best["similarity"] > 0.5


def test_a_face_like_nobody(working: Served, people: dict[str, UUID]) -> None:
    """A stranger's face has no suggestions."""
    _, (face,) = add(working, directions(1, seed=99))
    assert working.get(f"/faces/{face}/suggestions")["suggestions"] == []


def test_not_whom_it_was_rejected_for(working: Served, people: dict[str, UUID]) -> None:
    """A person for whom the face was rejected is not suggested again."""
    _, (face,) = add(working, alike(directions(3)[1], 1, seed=9))
    with working.library.database.write() as session:
        session.add(
            FaceSuggestion(
                face_instance_id=face, person_id=people["Grace"], state="rejected", confidence=0.6,
                source="centroid", evidence=[],
            )
        )  # fmt: skip
    found = working.get(f"/faces/{face}/suggestions")["suggestions"]
    assert "Grace" not in [one["person_name"] for one in found]


def test_a_face_whose_embedding_is_gone(working: Served, people: dict[str, UUID]) -> None:
    """It is no face that resembles nobody: the answer says what is lost, and what mends it."""
    _, (face,) = add(working, alike(directions(3)[1], 1, seed=9))
    working.library.faces.delete_faces([face])
    problem = working.get(f"/faces/{face}/suggestions", status=503)
    assert problem["type"] == "urn:image-search:lost-embeddings"


def test_qdrant_is_away(working: Served, people: dict[str, UUID], monkeypatch: pytest.MonkeyPatch) -> None:
    """An outage is said, not taken for a face that resembles nobody; a job waits to be tried again."""
    _, (face,) = add(working, alike(directions(3)[1], 1, seed=9))

    def away(*_: Any, **__: Any) -> None:
        raise UnavailableError("Qdrant does not answer.")

    with monkeypatch.context() as outage:
        outage.setattr(working.library.faces, "get_embeddings_by_point_ids", away)
        problem = working.get(f"/faces/{face}/suggestions", status=503)
        assert problem["type"] == "urn:image-search:unavailable"
        (job,) = working.post("/suggestions/find-more/prototypes", {})["jobs"]
        waiting = working.seen(job, lambda found: found["error"] is not None)
    assert (waiting["state"], waiting["attempts"]) == ("queued", 1)
    assert waiting["error"] == "Qdrant does not answer. Tried again in 5 s."
    assert working.get("/suggestions/stats")["by_state"] == {}
    assert working.get(f"/faces/{face}/suggestions")["suggestions"]


def test_a_face_that_there_is_not(working: Served) -> None:
    """It is not found."""
    working.get("/faces/3f2a0c9e-5d0b-4a57-9d3b-8a8b2f1c6e01/suggestions", status=404)


@pytest.mark.parametrize("search_by", ["prototypes", "multi_prototype", "centroid"])
def test_find_more(working: Served, people: dict[str, UUID], search_by: str) -> None:
    """A job suggests the faces that resemble each person, once; they are listed with what they resemble."""
    _, more = add(working, alike(directions(3)[0], 3, seed=7))
    add(working, directions(4, seed=50))
    (job,) = working.post(f"/suggestions/find-more/{search_by}", {})["jobs"]
    done = working.ended(job)
    assert done["state"] == "succeeded", done["error"]
    assert (done["counts"]["persons"], done["counts"]["created"]) == (3, 3)
    (group,) = working.get("/suggestions")["items"]
    assert (group["person_name"], group["pending"]) == ("Ada", 3)
    assert {one["face_instance_id"] for one in group["suggestions"]} == {str(face) for face in more}
    assert all(one["evidence"] for one in group["suggestions"])
    (again,) = working.post(f"/suggestions/find-more/{search_by}", {})["jobs"]
    assert working.ended(again)["counts"]["created"] == 0
    assert working.get("/suggestions/stats")["by_state"] == {"pending": 3}


@pytest.mark.parametrize("search_by", ["prototypes", "multi_prototype", "centroid"])
def test_a_job_for_many_persons_costs_no_round_trip_each(working: Served, search_by: str) -> None:
    """Three persons cost as many requests to Qdrant and statements as thirty: they go together."""

    def cost() -> dict[str, Any]:
        with round_trips(working.library.database.engine) as trips:
            ids = PersonCatalogue(working.library.database).ids(None)
            service = SuggestionService(working.library.stores)
            {
                "prototypes": service.find_more,
                "multi_prototype": service.find_more_multi_prototype,
                "centroid": service.find_more_centroid,
            }[search_by](ids, min_confidence=0.9)
        return {"qdrant": dict(trips.qdrant)}

    for number, direction in enumerate(directions(3)):
        add(working, alike(direction, 6, seed=number), f"Person {number}")
    cost()
    few = cost()
    for number, direction in enumerate(directions(9, seed=5)):
        add(working, alike(direction, 6, seed=50 + number), f"Person {10 + number}")
    cost()
    assert cost() == few


def test_old_suggestions_expire(working: Served, people: dict[str, UUID]) -> None:
    """What waits for longer than asked for is withdrawn by a job; what is younger waits on."""
    add(working, alike(directions(3)[0], 3, seed=7))
    working.ended(working.post("/suggestions/find-more/centroid", {})["jobs"][0])
    done = working.ended(working.post("/suggestions/expire", {"older_than_days": 1}))
    assert done["counts"] == {"expired": 0}
    assert working.get("/suggestions/stats")["by_state"] == {"pending": 3}
