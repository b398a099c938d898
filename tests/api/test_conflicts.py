"""What cannot all be true, over HTTP."""

from __future__ import annotations

import pytest

from image_search_service.core.errors import UnavailableError
from tests.support.served import Served, add_faces, add_person, alike, directions
from tests.support.world import World


def test_conflicts_are_listed(api: Served) -> None:
    """Somebody twice in a photo, and two who look the same, with the people and faces that it is about."""
    (look,) = directions(1, seed=5)
    with api.library.database.write() as session:
        world = World(session)
        for number, name in enumerate(("Ada", "Grace")):
            person = add_person(world, name)
            faces = add_faces(
                api.library, world, alike(look, 5, spread=0.1, seed=number), person_id=person.id,
                assigned_by="human",
            )  # fmt: skip
            if name == "Ada":
                faces[1].asset_id, faces[1].position = faces[0].asset_id, 1
                twice = [str(faces[0].id), str(faces[1].id)]
    found = api.get("/conflicts")["items"]
    assert [one["kind"] for one in found] == ["twice_in_a_photo", "look_the_same"]
    assert found[0]["face_ids"] == twice
    assert sorted(person["person_name"] for person in found[1]["persons"]) == ["Ada", "Grace"]
    api.post(
        "/decisions/mark-different",
        {"person_ids": [person["person_id"] for person in found[1]["persons"]]},
        status=200,
    )
    assert [one["kind"] for one in api.get("/conflicts")["items"]] == ["twice_in_a_photo"]
    assert api.get("/conflicts", status=422, limit=0)["status"] == 422


def test_without_qdrant(api: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is concluded from a store that does not answer."""
    with api.library.database.write() as session:
        world = World(session)
        ada = add_person(world, "Ada")
        add_faces(api.library, world, directions(3, seed=2), person_id=ada.id, assigned_by="human")

    def away(*_: object) -> None:
        raise UnavailableError("Qdrant does not answer.")

    monkeypatch.setattr(api.library.faces, "get_embeddings_by_point_ids", away)
    assert api.get("/conflicts", status=503)["type"].endswith("unavailable")
