"""The list of decisions: the faces that each shows, and what it is filtered by."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete

from image_search_service.core.decisions import MOST_PERSONS
from image_search_service.db.models import FaceInstance
from tests.support.round_trips import round_trips
from tests.support.served import Served, add_faces, directions
from tests.support.world import World


@pytest.fixture
def faces(api: Served) -> list[str]:
    """Twelve faces in photos of their own."""
    with api.library.database.write() as session:
        return [str(face.id) for face in add_faces(api.library, World(session), directions(12))]


def decide(api: Served, kind: str, body: Any, actor: str = "api") -> Any:
    answer = api.client.post(f"/api/v1/decisions/{kind}", json=body, headers={"X-Actor": actor})
    assert answer.status_code == 200, answer.text
    return answer.json()


def listed(api: Served, **query: Any) -> list[int]:
    page = api.get("/decisions", **query)
    assert page["total"] == len(page["items"])
    return [decision["id"] for decision in page["items"]]


def test_a_decision_shows_its_first_faces(api: Served, faces: list[str]) -> None:
    """Six of its faces with their crops, a cover's face, and none that is gone."""
    ada = decide(api, "split", {"face_ids": faces[:8], "name": "Ada"})["person_id"]
    decide(api, "set-cover-face", {"person_id": ada, "face_id": faces[7]})
    decide(api, "rename-person", {"person_id": ada, "name": "Ada Lovelace"})
    renamed, cover, split = api.get("/decisions")["items"]
    shown = [face["id"] for face in split["first_faces"]]
    assert (len(set(shown)), set(shown) <= set(faces[:8])) == (6, True)
    assert split["first_faces"][0]["crop_url"] == f"/api/v1/faces/{shown[0]}/crop"
    assert [face["id"] for face in cover["first_faces"]] == [faces[7]]
    assert renamed["first_faces"] == []
    other = decide(api, "not-a-face", {"face_ids": faces[8:10]})["decision_id"]
    with api.library.database.write() as session:
        session.execute(delete(FaceInstance).where(FaceInstance.qdrant_point_id == UUID(faces[8])))
    detail = api.get(f"/decisions/{other}")["decision"]
    assert [face["id"] for face in detail["first_faces"]] == [faces[9]]


def test_decisions_about_a_person(api: Served, faces: list[str]) -> None:
    """A person's history has whatever gave them faces or took faces away, whoever else it was about."""
    ada = decide(api, "create-person", {"name": "Ada"})
    given = decide(api, "assign", {"face_ids": faces[:2], "person_id": ada["person_id"]})
    decide(api, "split", {"face_ids": faces[2:4], "name": "Grace"})
    taken = decide(api, "split", {"face_ids": faces[:1], "name": "Emmy"})
    undone = decide(api, f"{taken['decision_id']}/undo", {})
    assert listed(api, subject_id=ada["person_id"]) == [
        decision["decision_id"] for decision in (undone, taken, given, ada)
    ]
    assert listed(api, subject_id=faces[2]) == [taken["decision_id"] - 1]


def test_a_decision_about_more_persons_than_it_names(api: Served, faces: list[str]) -> None:
    """A decision about many persons is in the history of each of them."""
    people = [decide(api, "create-person", {"name": f"Ada {at}"})["person_id"] for at in range(12)]
    for face, person in zip(faces, people, strict=True):
        decide(api, "assign", {"face_ids": [face], "person_id": person})
    freed = decide(api, "unassign", {"face_ids": faces})["decision_id"]
    named = api.get(f"/decisions/{freed}")["decision"]["persons"]
    assert len(named) == MOST_PERSONS
    assert all(listed(api, subject_id=person)[0] == freed for person in people)


def test_decisions_of_somebody(api: Served, faces: list[str]) -> None:
    """Whoever decided is listed with how much, and the list can be theirs alone."""
    first = decide(api, "split", {"face_ids": faces[:1], "name": "Ada"}, "Zo%C3%AB")
    second = decide(api, "split", {"face_ids": faces[1:2], "name": "Grace"}, "ben")
    third = decide(api, "assign", {"face_ids": faces[2:3], "person_id": first["person_id"]}, "ben")
    assert api.get("/decisions/actors")["actors"] == [
        {"actor": "ben", "decisions": 2},
        {"actor": "Zoë", "decisions": 1},
    ]
    assert listed(api, actor="ben") == [third["decision_id"], second["decision_id"]]
    assert listed(api, actor="ben", subject_id=first["person_id"]) == [third["decision_id"]]
    assert listed(api, actor="nobody") == []


def test_a_page_costs_the_same_for_any_number_of_decisions(api: Served, faces: list[str]) -> None:
    """Faces and persons of all decisions of a page come in as many statements as those of one."""
    costs = []
    for some in (faces[:2], faces[2:]):
        for face in some:
            decide(api, "split", {"face_ids": [face], "name": f"Somebody {face}"})
        with round_trips(api.library.database.engine) as counted:
            api.get("/decisions")
        costs.append((counted.statements, counted.requests))
    assert costs[0] == costs[1]
