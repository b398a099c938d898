"""Two people of one name, and undoing into a name that somebody else was given (S6, S12)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.served import Served, add_faces, directions
from tests.support.world import World


@pytest.fixture
def groups(api: Served) -> list[str]:
    """Three groups of two faces."""
    with api.library.database.write() as session:
        world = World(session)
        made = add_faces(api.library, world, directions(6))
        return [str(world.cluster(made[start : start + 2]).id) for start in (0, 2, 4)]


def decide(api: Served, what: str, body: Any, status: int = 200) -> Any:
    return api.post(f"/decisions/{what}", body, status=status)


def named(api: Served) -> list[tuple[str, str | None, int]]:
    return [(one["name"], one["note"], one["faces"]) for one in api.get("/persons/names")["names"]]


def test_s12_a_question_before_joining(api: Served, groups: list[str]) -> None:
    """Naming a group like somebody asks whether they are meant, with all who have the name, their notes and
    faces; the answer is that person or another one (photoprism#2397)."""
    ada = decide(api, "name-cluster", {"cluster_id": groups[0], "name": "Ada"})["person_id"]
    for what, body in (
        ("name-cluster", {"cluster_id": groups[1]}),
        ("name-clusters", {"cluster_ids": [groups[1]]}),
    ):
        asked = decide(api, what, {**body, "name": " ada "}, status=409)
        assert asked["type"] == "urn:image-search:name-taken"
        assert [(one["id"], one["faces"]) for one in asked["candidates"]] == [(ada, 2)]
        assert asked["candidates"][0]["cover_url"]
    other = decide(api, "name-cluster", {"cluster_id": groups[1], "name": "Ada", "another": True})
    assert other["created"]
    decide(api, "set-note", {"person_id": other["person_id"], "note": " cousin,  from Bath "})
    asked = decide(api, "name-cluster", {"cluster_id": groups[2], "name": "Ada"}, status=409)
    assert {(one["id"], one.get("note")) for one in asked["candidates"]} == {
        (ada, None),
        (other["person_id"], "cousin, from Bath"),
    }
    decide(api, "name-cluster", {"cluster_id": groups[2], "name": "Ada", "same": ada})
    assert sorted(named(api), key=str) == [("Ada", "cousin, from Bath", 2), ("Ada", None, 4)]


def test_s12_who_is_meant_is_one_of_them(api: Served, groups: list[str]) -> None:
    """An id of somebody of another name, or both answers at once, are refused."""
    berta = decide(api, "create-person", {"name": "Berta"})["person_id"]
    decide(api, "create-person", {"name": "Ada"})
    wrong = {"cluster_id": groups[0], "name": "Ada", "same": berta}
    assert "not called Ada" in decide(api, "name-cluster", wrong, status=422)["detail"]
    decide(api, "name-cluster", {**wrong, "another": True}, status=422)


def test_s12_pages_of_people_of_one_name(api: Served) -> None:
    """A list that is read page by page has each of five people of one name once."""
    ids = [decide(api, "create-person", {"name": "Ada", "another": True})["person_id"] for _ in range(5)]
    for order in ("name", "faces"):
        pages = api.pages("/persons", limit=2, order=order)
        assert sorted(one["id"] for page in pages for one in page["items"]) == sorted(ids)


def test_s12_a_note_is_a_decision(api: Served) -> None:
    """It can be undone."""
    ada = decide(api, "create-person", {"name": "Ada"})["person_id"]
    made = decide(api, "set-note", {"person_id": ada, "note": "cousin"})
    assert api.get(f"/persons/{ada}")["note"] == "cousin"
    decide(api, f"{made['decision_id']}/undo", None)
    assert api.get(f"/persons/{ada}")["note"] is None


def test_s6_undoing_a_merge_into_a_name_that_is_taken_since(api: Served, groups: list[str]) -> None:
    """Merge Anna into Berta, name a group Anna, undo the merge: it is said which Anna is in the way and what
    to do, and either way of doing it works (photoprism#3414)."""
    anna = decide(api, "name-cluster", {"cluster_id": groups[0], "name": "Anna"})["person_id"]
    berta = decide(api, "name-cluster", {"cluster_id": groups[1], "name": "Berta"})["person_id"]
    merge = decide(api, "merge-persons", {"person_ids": [anna], "into": berta})["decision_id"]
    new = decide(api, "name-cluster", {"cluster_id": groups[2], "name": "Anna"})["person_id"]
    refused = decide(api, f"{merge}/undo", None, status=409)
    assert "UNIQUE" not in refused["detail"]
    assert f"Anna already ({new[:8]}, 2 faces)" in refused["detail"]
    assert f"image-search rename {new[:8]}" in refused["hint"]
    assert f"image-search undo {merge} --another" in refused["hint"]
    renamed = decide(api, "rename-person", {"person_id": new, "name": "Anna Maria"})["decision_id"]
    undone = decide(api, f"{merge}/undo", None)["decision_id"]
    assert [name for name, _, _ in named(api)] == ["Anna", "Anna Maria", "Berta"]
    decide(api, f"{undone}/undo", None)
    decide(api, f"{renamed}/undo", None)
    decide(api, f"{merge}/undo?another=true", None)
    assert sorted(name for name, _, _ in named(api)) == ["Anna", "Anna", "Berta"]


@pytest.mark.parametrize("what", ["rename", "delete"])
def test_s6_undoing_anything_into_a_name_that_is_taken_since(api: Served, what: str) -> None:
    """The same for a renaming and a deletion."""
    anna = decide(api, "create-person", {"name": "Anna"})["person_id"]
    body = {"person_id": anna, "name": "Berta"} if what == "rename" else {"person_id": anna}
    made = decide(api, f"{what}-person", body)["decision_id"]
    new = decide(api, "create-person", {"name": "anna"})["person_id"]
    assert new[:8] in decide(api, f"{made}/undo", None, status=409)["detail"]
    assert [one["id"] for one in decide(api, f"{made}/undo", None, status=409)["candidates"]] == [new]
    decide(api, f"{made}/undo?another=true", None)
    assert len(named(api)) == 2


def test_s6_two_who_had_the_name_before(api: Served) -> None:
    """Where two people had one name before a decision, undoing it asks nothing."""
    decide(api, "create-person", {"name": "Ada"})
    other = decide(api, "create-person", {"name": "Ada", "another": True})["person_id"]
    made = decide(api, "rename-person", {"person_id": other, "name": "Grace"})["decision_id"]
    decide(api, f"{made}/undo", None)
    assert [name for name, _, _ in named(api)] == ["Ada", "Ada"]


def test_s6_two_of_one_name_come_back_as_they_went(api: Served) -> None:
    """Undoing an undo asks nothing where both had the name before, though both have been away since."""
    first = decide(api, "create-person", {"name": "Ada"})["decision_id"]
    second = decide(api, "create-person", {"name": "Ada", "another": True})["decision_id"]
    second_undone = decide(api, f"{second}/undo", None)["decision_id"]
    first_undone = decide(api, f"{first}/undo", None)["decision_id"]
    for undone in (first_undone, second_undone):
        decide(api, f"{undone}/undo", None)
    assert [name for name, _, _ in named(api)] == ["Ada", "Ada"]
