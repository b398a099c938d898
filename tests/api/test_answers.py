"""Answers about many faces at once: one decision and one undo each, refused when something has changed."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from image_search_service.db.models import FaceInstance, FaceSuggestion
from image_search_service.services.face_clustering_service import FaceClusteringService
from image_search_service.services.people.lookup import PeopleService
from tests.support.served import Served, add_faces, add_person, directions
from tests.support.world import World


@pytest.fixture
def groups(api: Served) -> list[Any]:
    """Two clusters of four and of three faces, each in a photo of its own: as they are listed."""
    with api.library.database.write() as session:
        world = World(session)
        made = add_faces(api.library, world, directions(7))
        world.cluster(made[:4])
        world.cluster(made[4:])
    return list(api.get("/faces/clusters")["items"])


def decide(api: Served, what: str, body: Any, status: int = 200) -> Any:
    return api.post(f"/decisions/{what}", body, status=status)


def members(api: Served, group: Any) -> list[str]:
    return [face["id"] for face in api.get(f"/faces/clusters/{group['id']}")["faces"]["items"]]


def face(api: Served, face_id: str) -> Any:
    return api.get(f"/faces/{face_id}")


def said(api: Served) -> list[Any]:
    """Of each face by id who it is, where, and whether it is set aside; not the clusters' ids."""
    with api.library.database.read() as session:
        rows = session.execute(
            select(
                FaceInstance.id, FaceInstance.person_id, FaceInstance.group_id, FaceInstance.set_aside
            ).order_by(FaceInstance.id)
        )
        return [tuple(row) for row in rows]


def suggested(api: Served, face_ids: list[str], name: str) -> tuple[str, list[str]]:
    """A person for whom these faces wait, and the suggestions."""
    with api.library.database.write() as session:
        person = add_person(World(session), name)
        rows = [
            FaceSuggestion(
                face_instance_id=UUID(one),
                person_id=person.id,
                state="pending",
                confidence=0.5,
                source="centroid",
                evidence=[],
            )
            for one in face_ids
        ]
        session.add_all(rows)
        session.flush()
        return str(person.id), [str(row.id) for row in rows]


def test_several_groups_are_named_at_once(api: Served, groups: list[Any]) -> None:
    """All their faces are one person's, by name or by id; one undo takes it back to the groups."""
    before = said(api)
    body = {
        "cluster_ids": [group["id"] for group in groups],
        "versions": [group["version"] for group in groups],
    }
    made = decide(api, "name-clusters", {**body, "name": "Ada"})
    assert (made["faces"], made["created"], api.get("/faces/clusters")["total"]) == (7, True, 0)
    decide(api, f"{made['decision_id']}/undo", None)
    assert said(api) == before
    assert sorted(group["size"] for group in api.get("/faces/clusters")["items"]) == [3, 4]
    person = decide(api, "create-person", {"name": "Grace"})["person_id"]
    assert decide(api, "name-clusters", {**body, "person_id": person})["faces"] == 7


def test_faces_that_do_not_belong_go_into_a_group_of_their_own(api: Served, groups: list[Any]) -> None:
    """Several excepted faces are a group, never the person's, and all of it is one decision."""
    before = said(api)
    ids = members(api, groups[0])
    body = {"cluster_ids": [groups[0]["id"]], "name": "Ada", "except_face_ids": ids[2:]}
    made = decide(api, "name-clusters", body)
    assert [face(api, one)["person_name"] for one in ids] == ["Ada", "Ada", None, None]
    (own,) = [one for one in api.get("/faces/clusters")["items"] if one["id"] != groups[1]["id"]]
    assert sorted(members(api, own)) == sorted(ids[2:])
    with api.library.database.read() as session:
        rejected = session.scalars(
            select(FaceSuggestion.face_instance_id).where(FaceSuggestion.state == "rejected")
        )
        assert {str(one) for one in rejected} == set(ids[2:])
    decide(api, f"{made['decision_id']}/undo", None)
    assert said(api) == before


def test_one_face_that_does_not_belong_is_only_left_out(api: Served, groups: list[Any]) -> None:
    """A single excepted face gets no group that would keep it from being suggested for others."""
    ids = members(api, groups[0])
    decide(
        api, "name-clusters", {"cluster_ids": [groups[0]["id"]], "name": "Ada", "except_face_ids": ids[:1]}
    )
    with api.library.database.read() as session:
        left = session.get_one(FaceInstance, UUID(ids[0]))
        assert (left.person_id, left.group_id) == (None, None)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": None},
        {"person_id": str(uuid4())},
        {"except_face_ids": [str(uuid4())]},
        {"versions": ["1-a", "1-b"]},
    ],
)
def test_naming_that_says_too_little_or_too_much_is_refused(
    api: Served, groups: list[Any], wrong: dict[str, Any]
) -> None:
    """Neither or both of name and person, a strange face, too many versions: nothing is done."""
    before = said(api)
    decide(api, "name-clusters", {"cluster_ids": [groups[0]["id"]], "name": "Ada", **wrong}, status=422)
    assert said(api) == before


def test_a_stale_version_says_the_present_one(api: Served, groups: list[Any]) -> None:
    """Three more faces have come: the answer says so in numbers, and with the new version it is accepted."""
    body = {"cluster_ids": [groups[0]["id"]], "versions": ["2-0123456789abcdef"], "name": "Ada"}
    refused = decide(api, "name-clusters", body, status=409)
    assert refused["type"] == "urn:image-search:stale-version"
    assert (refused["current_version"], refused["current_size"]) == (groups[0]["version"], 4)
    again = decide(api, "name-clusters", {**body, "versions": [refused["current_version"]]})
    assert again["faces"] == 4


def test_groups_are_joined(api: Served, groups: list[Any]) -> None:
    """The largest takes the faces of the others and keeps them; one undo parts them again."""
    before = said(api)
    body = {
        "cluster_ids": [group["id"] for group in groups],
        "versions": [group["version"] for group in groups],
    }
    made = decide(api, "join-clusters", body)
    (joined,) = api.get("/faces/clusters")["items"]
    assert (made["cluster_id"], made["faces"], joined["id"], joined["size"]) == (
        joined["id"],
        7,
        joined["id"],
        7,
    )
    assert joined["id"] == groups[0]["id"]
    decide(api, f"{made['decision_id']}/undo", None)
    assert said(api) == before
    assert sorted(group["size"] for group in api.get("/faces/clusters")["items"]) == [3, 4]


def test_a_page_of_suggestions_is_answered_at_once(api: Served, groups: list[Any]) -> None:
    """Ticked ones are theirs, the others are not, in one decision; what was not mentioned still waits."""
    ids = members(api, groups[0])
    person, waiting = suggested(api, ids, "Ada")
    before = said(api)
    made = decide(api, "answer", {"person_id": person, "accept": waiting[:2], "reject": waiting[2:3]})
    assert [face(api, one)["person_name"] for one in ids] == ["Ada", "Ada", None, None]
    (group,) = api.get("/suggestions")["items"]
    assert [one["id"] for one in group["suggestions"]] == waiting[3:]
    again = decide(api, "answer", {"person_id": person, "accept": waiting[:1]}, status=409)
    assert "accepted already" in again["detail"]
    decide(api, f"{made['decision_id']}/undo", None)
    assert said(api) == before
    assert len(api.get("/suggestions")["items"][0]["suggestions"]) == 4


@pytest.mark.parametrize(
    ("accept", "reject"), [([], []), ([0], [0]), ([0], []), ([], [0])], ids=["none", "both", "wrong", "wrong"]
)
def test_an_answer_is_for_one_person_and_clear(
    api: Served, groups: list[Any], accept: list[int], reject: list[int]
) -> None:
    """Nothing, the same on both sides, or what waits for somebody else is refused."""
    _, waiting = suggested(api, members(api, groups[0]), "Ada")
    other, _ = suggested(api, [], "Grace")
    body = {
        "person_id": other,
        "accept": [waiting[one] for one in accept],
        "reject": [waiting[one] for one in reject],
    }
    decide(api, "answer", body, status=422)


def test_strangers_are_set_aside_and_come_back(api: Served, groups: list[Any]) -> None:
    """A group that is set aside is in no list and suggested for nobody, stays one, and comes back by undo."""
    before = said(api)
    ids = members(api, groups[0])
    suggested(api, ids, "Ada")
    body = {"cluster_ids": [groups[0]["id"]], "versions": [groups[0]["version"]]}
    made = decide(api, "set-aside", body)
    assert [group["id"] for group in api.get("/faces/clusters")["items"]] == [groups[1]["id"]]
    (aside,) = api.get("/faces/clusters", aside=True)["items"]
    assert (aside["id"], aside["size"]) == (groups[0]["id"], 4)
    assert api.get("/suggestions")["items"] == []
    assert face(api, ids[0])["set_aside"]
    assert api.get(f"/faces/{ids[0]}/explanation")["reasons"][0]["because"] == "set_aside"
    assert len(PeopleService(api.library.database).people(hidden=True).clusters) == 1
    decide(api, f"{made['decision_id']}/undo", None)
    assert said(api) == before
    assert api.get("/faces/clusters")["total"] == 2
    assert len(api.get("/suggestions")["items"][0]["suggestions"]) == 4


def test_one_face_of_a_group_is_set_aside(api: Served, groups: list[Any]) -> None:
    """It leaves the group, which is shown without it; taken back by hand, it is asked about again."""
    ids = members(api, groups[0])
    decide(api, "set-aside", {"face_ids": ids[:1]})
    assert api.get(f"/faces/clusters/{groups[0]['id']}")["cluster"]["size"] == 3
    assert face(api, ids[0])["cluster_id"] is None
    decide(api, "set-aside", {"face_ids": ids[:1], "aside": False})
    assert not face(api, ids[0])["set_aside"]


def test_naming_what_is_set_aside_ends_it(api: Served, groups: list[Any]) -> None:
    """Whoever is named is a stranger no more; and a named face that is set aside is nobody's."""
    ids = members(api, groups[0])
    decide(api, "set-aside", {"cluster_ids": [groups[0]["id"]]})
    decide(api, "name-clusters", {"cluster_ids": [groups[0]["id"]], "name": "Ada"})
    assert [(face(api, one)["person_name"], face(api, one)["set_aside"]) for one in ids] == [
        ("Ada", False)
    ] * 4
    decide(api, "set-aside", {"face_ids": ids[:1]})
    assert (face(api, ids[0])["person_name"], face(api, ids[0])["set_aside"]) == (None, True)


def test_s12_grouping_leaves_strangers_alone(api: Served, groups: list[Any]) -> None:
    """No grouping takes faces that were set aside out of their group, or puts others in."""
    decide(api, "set-aside", {"cluster_ids": [groups[0]["id"]]})
    FaceClusteringService(api.library.stores).group()
    (aside,) = api.get("/faces/clusters", aside=True)["items"]
    assert (aside["id"], aside["size"]) == (groups[0]["id"], 4)


def test_s12_somebody_without_a_face_is_deleted(api: Served, groups: list[Any]) -> None:
    """The name is free again; undone, they are there; whoever has a face stays."""
    person = decide(api, "create-person", {"name": "Ada"})["person_id"]
    made = decide(api, "delete-person", {"person_id": person})
    assert api.get("/persons")["total"] == 0
    decide(api, f"{made['decision_id']}/undo", None)
    assert [one["name"] for one in api.get("/persons")["items"]] == ["Ada"]
    decide(api, "name-clusters", {"cluster_ids": [groups[0]["id"]], "name": "Ada", "same": person})
    assert "has 4 faces" in decide(api, "delete-person", {"person_id": person}, status=409)["detail"]
    decide(api, "delete-person", {"person_id": str(uuid4())}, status=404)


def test_a_name_that_was_given_again_keeps_the_deleted_away(api: Served) -> None:
    """Undoing a deletion is refused while somebody else has the name."""
    person = decide(api, "create-person", {"name": "Ada"})["person_id"]
    made = decide(api, "delete-person", {"person_id": person})
    other = decide(api, "create-person", {"name": "Ada"})["person_id"]
    decide(api, f"{made['decision_id']}/undo", None, status=409)
    assert [one["id"] for one in api.get("/persons")["items"]] == [other]
