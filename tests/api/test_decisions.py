"""Deciding over HTTP: recorded, listed, undone, refused when it is stale."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from image_search_service.db.models import AssetPath, FaceInstance, FaceSuggestion
from image_search_service.db.session import Session
from image_search_service.services.decisions.replay import RebuildService
from image_search_service.services.indexing.edits import carry_over
from image_search_service.services.indexing.same_faces import ChangedFile, FoundFaces
from tests.support.round_trips import round_trips
from tests.support.served import Served, add_faces, add_person, directions
from tests.support.world import World


@pytest.fixture
def faces(api: Served) -> list[str]:
    """Six faces in photos of their own, the first three in a cluster."""
    with api.library.database.write() as session:
        world = World(session)
        made = add_faces(api.library, world, directions(6))
        world.cluster(made[:3])
        return [str(face.id) for face in made]


def decide(api: Served, what: str, body: Any, status: int = 200) -> Any:
    return api.post(f"/decisions/{what}", body, status=status)


def suggest(session: Session, faces: list[str], person_id: str) -> list[str]:
    """Let faces wait for a decision on a person."""
    made = [
        FaceSuggestion(
            face_instance_id=UUID(face),
            person_id=UUID(person_id),
            state="pending",
            confidence=0.5,
            source="centroid",
            evidence=[],
        )
        for face in faces
    ]
    session.add_all(made)
    session.flush()
    return [str(one.id) for one in made]


def owner(api: Served, face: str) -> str | None:
    name: str | None = api.get(f"/faces/{face}")["person_name"]
    return name


def test_naming_a_cluster_and_taking_it_back(api: Served, faces: list[str]) -> None:
    """A named cluster is a person's; undone, it is the same cluster again; undone again, the person's."""
    (cluster,) = api.get("/faces/clusters")["items"]
    named = decide(api, "name-cluster", {"cluster_id": cluster["id"], "name": "Ada"})
    assert (named["faces"], named["created"], owner(api, faces[0])) == (3, True, "Ada")
    assert api.get("/faces/clusters")["total"] == 0
    undone = decide(api, f"{named['decision_id']}/undo", None)
    assert api.get("/faces/clusters")["items"] == [cluster]
    assert api.get("/persons")["total"] == 0
    decide(api, f"{undone['decision_id']}/undo", None)
    assert [owner(api, face) for face in faces] == ["Ada"] * 3 + [None] * 3
    events = api.get("/decisions")["items"]
    assert [(event["kind"], event["undoes"]) for event in events] == [
        ("undo", undone["decision_id"]),
        ("undo", named["decision_id"]),
        ("name_cluster", None),
    ]


def test_a_merge_is_undone_after_other_decisions(api: Served, faces: list[str]) -> None:
    """Two persons are merged, something else is decided, the merge is taken back: all is as it was said."""
    ada = decide(api, "split", {"face_ids": faces[:2], "name": "Ada"})["person_id"]
    grace = decide(api, "split", {"face_ids": faces[2:4], "name": "Grace"})["person_id"]
    merged = decide(api, "merge-persons", {"person_ids": [grace], "into": ada})
    assert [owner(api, face) for face in faces[:4]] == ["Ada"] * 4
    decide(api, "split", {"face_ids": faces[4:5], "name": "Emmy"})
    decide(api, f"{merged['decision_id']}/undo", None)
    assert [owner(api, face) for face in faces] == ["Ada", "Ada", "Grace", "Grace", "Emmy", None]
    assert {person["name"] for person in api.get("/persons")["items"]} == {"Ada", "Grace", "Emmy"}


def test_a_later_decision_is_named(api: Served, faces: list[str]) -> None:
    """What a later decision contradicts is not undone, and the answer names that one."""
    first = decide(api, "split", {"face_ids": faces[:1], "name": "Ada"})
    second = decide(api, "split", {"face_ids": faces[:1], "name": "Grace"})
    problem = decide(api, f"{first['decision_id']}/undo", None, status=409)
    assert f"decision {second['decision_id']}" in problem["detail"]
    assert owner(api, faces[0]) == "Grace"


def test_somebody_who_has_been_given_faces_since_stays(api: Served, faces: list[str]) -> None:
    """The decision that made a person is not undone while a later one has given them a face; then it is."""
    first = decide(api, "split", {"face_ids": faces[:1], "name": "Ada"})
    second = decide(api, "assign", {"face_ids": faces[1:2], "person_id": first["person_id"]})
    problem = decide(api, f"{first['decision_id']}/undo", None, status=409)
    assert f"decision {second['decision_id']}" in problem["detail"]
    decide(api, f"{second['decision_id']}/undo", None)
    decide(api, f"{first['decision_id']}/undo", None)
    assert api.get("/persons")["total"] == 0


def test_what_has_changed_meanwhile_is_refused(api: Served, faces: list[str]) -> None:
    """Of two who decide on what they both have seen, the second is told what has changed."""
    seen = decide(api, "split", {"face_ids": faces[3:4], "name": "Mary"})["decision_id"]
    first = decide(api, "split", {"face_ids": faces[:2], "name": "Ada", "based_on_decision": seen})
    body = {"face_ids": faces[1:3], "name": "Grace", "based_on_decision": seen}
    problem = decide(api, "split", body, status=409)
    assert f"decision {first['decision_id']}" in problem["detail"]
    assert [owner(api, face) for face in faces[:3]] == ["Ada", "Ada", None]


def test_suggestions_are_answered(api: Served, faces: list[str]) -> None:
    """An accepted face is theirs, a rejected one is never suggested again; each is decided once."""
    with api.library.database.write() as session:
        person = add_person(World(session), "Ada")
        person_id = str(person.id)
        ids = suggest(session, faces[:3], person_id)
    decide(api, "accept", {"suggestion_ids": ids[:1]})
    rejected = decide(api, "reject", {"person_id": person_id})
    assert [owner(api, face) for face in faces[:3]] == ["Ada", None, None]
    assert api.get("/suggestions/stats")["by_state"] == {"accepted": 1, "rejected": 2}
    decide(api, "accept", {"suggestion_ids": ids[1:2]}, status=409)
    decide(api, f"{rejected['decision_id']}/undo", None)
    assert api.get("/suggestions/stats")["by_state"] == {"accepted": 1, "pending": 2}


def test_qdrant_is_told(api: Served, faces: list[str]) -> None:
    """What is decided has reached Qdrant when the answer comes, if it answers."""
    decide(api, "split", {"face_ids": faces, "name": "Ada"})
    (page,) = api.library.faces.scroll_faces()
    assert {str(payload.person_id) for payload in page.payloads.values()} == {
        person["id"] for person in api.get("/persons")["items"]
    }


def test_a_cluster_that_a_job_has_changed_is_not_decided_on(api: Served, faces: list[str]) -> None:
    """Whoever has seen a cluster with other faces is told so, and nothing is decided on what nobody saw."""
    (cluster,) = api.get("/faces/clusters")["items"]
    assert api.get(f"/faces/clusters/{cluster['id']}")["cluster"] == cluster
    with api.library.database.write() as session:
        face = session.get_one(FaceInstance, UUID(faces[3]))
        face.cluster_id = UUID(cluster["id"])  # as a grouping would
    seen = cluster["version"]
    for what, body in (
        ("name-cluster", {"cluster_id": cluster["id"], "name": "Ada", "version": seen}),
        ("group", {"face_ids": faces[4:], "cluster_id": cluster["id"], "version": seen}),
    ):
        problem = decide(api, what, body, status=409)
        assert "4 now, 3 then" in problem["detail"]
    ada = decide(api, "create-person", {"name": "Ada"})["person_id"]
    body = {"cluster_ids": [cluster["id"]], "person_ids": [ada], "versions": [seen]}
    assert decide(api, "mark-different", body, status=409)["status"] == 409
    assert api.get("/decisions")["total"] == 1
    (cluster,) = api.get("/faces/clusters")["items"]
    body = {"cluster_id": cluster["id"], "name": "Ada", "same": ada, "version": cluster["version"]}
    assert decide(api, "name-cluster", body)["faces"] == 4


def test_what_was_found_meanwhile_is_not_accepted_unseen(api: Served, faces: list[str]) -> None:
    """All that waits for a person is answered only if it is what was seen."""
    with api.library.database.write() as session:
        person = add_person(World(session), "Ada")
        person_id = str(person.id)
        suggest(session, faces[:2], person_id)
    (group,) = api.get("/suggestions")["items"]
    with api.library.database.write() as session:
        suggest(session, faces[2:3], person_id)
    body = {"person_id": person_id, "version": group["version"]}
    for what in ("accept", "reject"):
        assert "3 now, 2 then" in decide(api, what, body, status=409)["detail"]
    (group,) = api.get("/suggestions")["items"]
    assert decide(api, "accept", body | {"version": group["version"]})["faces"] == 3
    assert decide(api, "accept", {"suggestion_ids": faces[:1], "version": "1-a"}, status=422)["status"] == 422


def test_faces_are_put_together(api: Served, faces: list[str]) -> None:
    """Faces taken out of a cluster are a new one, another face is put to them, and undoing takes all back."""
    (cluster,) = api.get("/faces/clusters")["items"]
    made = decide(api, "group", {"face_ids": faces[:2]})
    assert made["faces"] == 2
    sizes = {one["id"]: one["size"] for one in api.get("/faces/clusters")["items"]}
    assert sizes == {made["cluster_id"]: 2, cluster["id"]: 1}
    more = decide(api, "group", {"face_ids": faces[4:5], "cluster_id": made["cluster_id"]})
    assert (more["cluster_id"], more["faces"]) == (made["cluster_id"], 3)
    decide(api, f"{more['decision_id']}/undo", None)
    decide(api, f"{made['decision_id']}/undo", None)
    assert api.get("/faces/clusters")["items"] == [cluster]
    decide(api, "group", {"face_ids": faces[:1], "cluster_id": str(uuid4())}, status=404)


def test_who_decides(api: Served, faces: list[str]) -> None:
    """A request may say who decides; a decision tells who, about whom, and of how many faces."""
    body = {"face_ids": faces[:2], "name": "Ada"}
    answer = api.client.post("/api/v1/decisions/split", json=body, headers={"X-Actor": "Zo%C3%AB"})
    assert answer.status_code == 200
    decide(api, "split", {"face_ids": faces[1:2], "name": "Grace"})
    last, first = api.get("/decisions")["items"]
    assert (first["actor"], last["actor"]) == ("Zoë", "api")
    assert ([one["name"] for one in first["persons"]], first["faces"]) == (["Ada"], 2)
    assert ({one["name"] for one in last["persons"]}, last["faces"]) == ({"Ada", "Grace"}, 1)
    for wrong in ("%00", "x" * 129):
        answer = api.client.post("/api/v1/decisions/split", json=body, headers={"X-Actor": wrong})
        assert answer.status_code == 422


def test_a_decision_tells_what_was_before(api: Served, faces: list[str]) -> None:
    """One decision is shown with each fact that it changed, old and new, in pages."""
    ada = decide(api, "split", {"face_ids": faces[:3], "name": "Ada"})["person_id"]
    made = decide(api, "unassign", {"face_ids": faces[:3]})
    path = f"/decisions/{made['decision_id']}"
    shown = api.get(path, limit=4)
    assert shown["decision"]["kind"] == "unassign"
    found = shown["changes"]["items"]
    rest = api.get(path, limit=4, cursor=shown["changes"]["next_cursor"])["changes"]
    assert (len(found), shown["changes"]["total"], rest["next_cursor"]) == (4, 6, None)
    found += rest["items"]
    taken = [one for one in found if one["fact"] == "face_person"]
    assert {one["subject_id"] for one in taken} == set(faces[:3])
    assert {(one["old"]["person"], one["new"]["person"]) for one in taken} == {(ada, None)}
    rejected = [one for one in found if one["fact"] == "rejected"]
    assert {(one["other_id"], one["old"], one["new"]) for one in rejected} == {(ada, False, True)}
    api.get("/decisions/99", status=404)


@pytest.mark.parametrize(
    ("what", "body", "status"),
    [
        ("split", {"face_ids": [str(uuid4())], "name": "Ada"}, 404),
        ("split", {"face_ids": [], "name": "Ada"}, 422),
        ("split", {"face_ids": [str(uuid4())], "name": " \u200b "}, 422),
        ("assign", {"face_ids": [str(uuid4())], "person_id": str(uuid4())}, 404),
        ("accept", {"suggestion_ids": [str(uuid4())]}, 404),
        ("accept", {}, 422),
        ("99/undo", None, 404),
    ],
)
def test_what_cannot_be_decided_is_refused(api: Served, what: str, body: Any, status: int) -> None:
    """Who or what there is not, and what means nothing, is refused, and nothing is recorded."""
    assert decide(api, what, body, status=status)["status"] == status
    assert api.get("/decisions")["total"] == 0


def test_a_decision_costs_the_same_for_any_number_of_faces(api: Served) -> None:
    """Four hundred faces are decided on with as many requests and statements as ten."""
    costs = {}
    for number in (10, 400):
        with api.library.database.write() as session:
            made = add_faces(api.library, World(session), directions(number, seed=number))
        body = {"face_ids": [str(face.id) for face in made], "name": f"Ada {number}"}
        with round_trips(api.library.database.engine) as trips:
            decide(api, "split", body)
        costs[number] = (trips.statements, trips.requests)
    assert costs[10] == costs[400]


def test_other_decisions_cost_no_more_for_many_faces(api: Served) -> None:
    """Assigning, merging, undoing, accepting, grouping and taking away: as dear for 200 faces as for 10."""
    merged = 0
    costs: dict[int, list[tuple[str, int, int]]] = {}
    for number in (10, 200):
        with api.library.database.write() as session:
            world = World(session)
            made = add_faces(api.library, world, directions(2 * number, seed=number))
            mine, waiting = ([str(face.id) for face in part] for part in (made[:number], made[number:]))
        first, second = (
            decide(api, "create-person", {"name": f"{name} {number}"})["person_id"] for name in ("Ada", "Eve")
        )
        with api.library.database.write() as session:
            suggest(session, waiting, first)
        done: list[tuple[str, int, int]] = []
        for what, body in (
            ("assign", {"face_ids": mine, "person_id": first}),
            ("accept", {"person_id": first}),
            ("merge-persons", {"person_ids": [first], "into": second}),
            ("undo", None),
            ("group", {"face_ids": mine}),
            ("unassign", {"face_ids": mine}),
            ("not-a-face", {"face_ids": mine}),
        ):
            route = f"{merged}/undo" if what == "undo" else what
            with round_trips(api.library.database.engine) as trips:
                merged = decide(api, route, body)["decision_id"]
            done.append((what, trips.statements, trips.requests))
        costs[number] = done
    assert costs[10] == costs[200]


def test_groups_that_are_different(api: Served, faces: list[str]) -> None:
    """Two clusters, or a cluster and a person, are said to be different; anything else is refused."""
    with api.library.database.write() as session:
        found = [session.get_one(FaceInstance, UUID(face)) for face in faces[3:5]]
        other = str(World(session).cluster(found).id)
    (first,) = {group["id"] for group in api.get("/faces/clusters")["items"]} - {other}
    made = decide(api, "mark-different", {"cluster_ids": [first, other]})
    assert made["changes"] == 5
    ada = decide(api, "name-cluster", {"cluster_id": first, "name": "Ada"})["person_id"]
    again = {"cluster_id": other, "name": "Ada", "same": ada}
    refused = decide(api, "name-cluster", again, status=409)
    assert f"decision {made['decision_id']} " in refused["detail"]
    assert decide(api, "mark-different", {"cluster_ids": [other], "person_ids": [ada]})["changes"] == 2
    for body in (
        {"cluster_ids": [other]},
        {"cluster_ids": [first, other], "person_ids": [ada]},
        {"cluster_ids": [first, other], "different": False},
        {},
    ):
        assert decide(api, "mark-different", body, status=422)["status"] == 422


@pytest.mark.parametrize(
    ("first", "then"),
    [("reject", "assign"), ("assign", "reject"), ("not-a-face", "assign"), ("assign", "not-a-face")],
)
def test_what_was_undone_is_not_made_again_against_a_later_word(
    api: Served, faces: list[str], first: str, then: str
) -> None:
    """Undone, contradicted, and then made again by undoing the undo: refused with the later decision."""
    ada = decide(api, "create-person", {"name": "Ada"})["person_id"]
    other = [str(group["id"]) for group in api.get("/faces/clusters")["items"]]
    bodies = {
        "assign": ("assign", {"face_ids": faces[:3], "person_id": ada}),
        "reject": ("mark-different", {"cluster_ids": other, "person_ids": [ada]}),
        "not-a-face": ("not-a-face", {"face_ids": faces[:1]}),
    }
    made = decide(api, *bodies[first])["decision_id"]
    undone = decide(api, f"{made}/undo", None)["decision_id"]
    later = decide(api, *bodies[then])["decision_id"]
    refused = decide(api, f"{undone}/undo", None, status=409)
    assert f"decision {later} " in refused["detail"]
    assert RebuildService(api.library.database).check().wrong == 0


def test_f9_a_rejected_face_in_a_group_that_gets_the_name(api: Served, faces: list[str]) -> None:
    """F9: it was taken from Tony, is in a group with others now, and stays away when that is named Tony; so
    it is said. A group of nothing but such faces is not named."""
    tony = decide(api, "split", {"face_ids": [faces[0], faces[3]], "name": "Tony"})["person_id"]
    decide(api, "unassign", {"face_ids": [faces[0]]})
    cluster = decide(api, "group", {"face_ids": faces[:3]})["cluster_id"]
    named = decide(api, "name-cluster", {"cluster_id": cluster, "name": "Tony", "same": tony})
    assert (named["faces"], named["faces_kept_away"]) == (2, 1)
    assert [owner(api, face) for face in faces[:4]] == [None, "Tony", "Tony", "Tony"]
    decide(api, "group", {"face_ids": [faces[0]]})
    alone = api.get("/faces/clusters", min_cluster_size=1)["items"]
    for body in (
        {"cluster_ids": [alone[0]["id"]], "person_id": tony},
        {"cluster_ids": [alone[0]["id"]], "name": "Tony"},
    ):
        decide(api, "name-clusters", body, 409)
    other = decide(api, "group", {"face_ids": [faces[0], faces[4]]})["cluster_id"]
    named = decide(api, "name-clusters", {"cluster_ids": [other], "person_id": tony})
    assert (named["faces"], named["faces_kept_away"], owner(api, faces[0])) == (1, 1, None)


def test_f10_a_cover_that_is_given_to_somebody_else(api: Served, faces: list[str]) -> None:
    """F10: Anna is shown by a face of hers; when the other is hers again, by that."""
    anna = decide(api, "split", {"face_ids": faces[:2], "name": "Anna"})["person_id"]
    decide(api, "set-cover-face", {"person_id": anna, "face_id": faces[0]})
    given = decide(api, "split", {"face_ids": [faces[0]], "name": "Berta"})
    shown = api.get(f"/persons/{anna}")
    assert (shown["cover_face_id"], faces[1] in shown["cover_url"]) == (None, True)
    decide(api, f"{given['decision_id']}/undo", {})
    assert api.get(f"/persons/{anna}")["cover_face_id"] == faces[0]


def test_a_lost_face_is_answered(api: Served, faces: list[str]) -> None:
    """It is listed with the faces that it may be; an answer names one of them, or says that it is none."""
    person = decide(api, "split", {"face_ids": [faces[0]], "name": "Ada"})["person_id"]
    with api.library.database.write() as session:
        former = session.get_one(FaceInstance, UUID(faces[0])).asset_id
        path = session.scalars(select(AssetPath).where(AssetPath.asset_id == former)).one()
        path.path = Path("/photos/changed.jpg")
        path.asset_id = session.get_one(FaceInstance, UUID(faces[1])).asset_id
        session.flush()
        carry_over(session, [ChangedFile(path.path, former, path.asset_id)], FoundFaces([]))
    (lost,) = [item for item in api.get("/conflicts")["items"] if item["kind"] == "lost_face"]
    assert (lost["face_ids"], lost["candidate_face_ids"]) == ([faces[0]], [faces[1]])
    assert (lost["persons"], lost["path"]) == (
        [{"person_id": person, "person_name": "Ada"}],
        "/photos/changed.jpg",
    )
    gone = decide(api, "lost-face", {"lost_face_id": faces[0]})
    decide(api, "lost-face", {"lost_face_id": faces[0]}, 404)
    decide(api, f"{gone['decision_id']}/undo", {})
    decide(api, "lost-face", {"lost_face_id": faces[0], "face_id": faces[1]})
    assert owner(api, faces[1]) == "Ada"
    assert [item for item in api.get("/conflicts")["items"] if item["kind"] == "lost_face"] == []
    assert RebuildService(api.library.database).check().wrong == 0
