"""What cannot all be true, over HTTP."""

from __future__ import annotations

import pytest

from image_search_service.core.errors import UnavailableError
from tests.support.served import Served, add_faces, add_person, alike, directions
from tests.support.world import World


def test_conflicts_are_listed(working: Served) -> None:
    """Somebody twice in a photo, and two who look the same, with the people and faces that it is about."""
    (look,) = directions(1, seed=5)
    with working.library.database.write() as session:
        world = World(session)
        for number, name in enumerate(("Ada", "Grace")):
            person = add_person(world, name)
            faces = add_faces(
                working.library, world, alike(look, 5, spread=0.1, seed=number), person_id=person.id,
                assigned_by="human",
            )  # fmt: skip
            if name == "Ada":
                faces[1].asset_id, faces[1].position = faces[0].asset_id, 1
                twice = [str(faces[0].id), str(faces[1].id)]
    answer = working.get("/conflicts")
    assert (answer["unchecked"], [one["kind"] for one in answer["items"]]) == (2, ["twice_in_a_photo"])
    working.ended(working.post("/conflicts/find"))
    assert working.get("/conflicts")["unchecked"] == 0
    found = working.get("/conflicts")["items"]
    assert [one["kind"] for one in found] == ["twice_in_a_photo", "look_the_same"]
    assert found[0]["face_ids"] == twice
    assert sorted(person["person_name"] for person in found[1]["persons"]) == ["Ada", "Grace"]
    working.post(
        "/decisions/mark-different",
        {"person_ids": [person["person_id"] for person in found[1]["persons"]]},
        status=200,
    )
    assert [one["kind"] for one in working.get("/conflicts")["items"]] == ["twice_in_a_photo"]
    assert working.get("/conflicts", status=422, limit=0)["status"] == 422


def test_pages_of_one_kind(api: Served) -> None:
    """A page of one kind leads to the next, and a cursor to another kind is refused."""
    with api.library.database.write() as session:
        world = World(session)
        for number in range(3):
            person = add_person(world, f"Ada {number}")
            faces = add_faces(api.library, world, directions(2, seed=number), person_id=person.id)
            faces[1].asset_id, faces[1].position = faces[0].asset_id, 1
    first = api.get("/conflicts", kind="twice_in_a_photo", limit=2)
    second = api.get("/conflicts", kind="twice_in_a_photo", limit=2, cursor=first["next_cursor"])
    names = [one["persons"][0]["person_name"] for one in [*first["items"], *second["items"]]]
    assert names == ["Ada 0", "Ada 1", "Ada 2"]
    assert second["next_cursor"] is None
    assert api.get("/conflicts", kind="look_the_same", cursor=first["next_cursor"], status=422)
    assert api.get("/conflicts", cursor=first["next_cursor"], status=422)


def test_without_qdrant(api: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """What rows say is listed while Qdrant is away, and how many persons are still to be compared."""
    with api.library.database.write() as session:
        world = World(session)
        ada = add_person(world, "Ada")
        faces = add_faces(api.library, world, directions(3, seed=2), person_id=ada.id, assigned_by="human")
        faces[1].asset_id, faces[1].position = faces[0].asset_id, 1

    def away(*_: object) -> None:
        raise UnavailableError("Qdrant does not answer.")

    monkeypatch.setattr(api.library.faces, "get_embeddings_by_point_ids", away)
    answer = api.get("/conflicts")
    assert (answer["unchecked"], len(answer["items"])) == (1, 1)
