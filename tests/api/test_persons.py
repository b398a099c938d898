"""Persons and their photos."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from image_search_service.core.types import Box
from image_search_service.db.queries.people import faces as face_queries
from tests.support.served import Served, add_person
from tests.support.world import World

FIRST = datetime(2019, 5, 1, 12)  # noqa: DTZ001 - as cameras write it


def test_persons_with_most_faces_first(api: Served) -> None:
    """Everybody is listed once over all pages: by number of faces, then by name; those without any, too."""
    sizes = {"Ada": 2, "Grace": 5, "Joan": 2, "Zoë": 0, "Mary": 3}
    with api.library.database.write() as session:
        world = World(session)
        for name, size in sizes.items():
            person = add_person(world, name)
            for number in range(size):
                world.face(world.photo(f"/photos/{name}{number}.jpg"), person_id=person.id)
    pages = api.pages("/persons", limit=2)
    people = [item for page in pages for item in page["items"]]
    assert [(p["name"], p["faces"], p["photos"]) for p in people] == [
        ("Grace", 5, 5), ("Mary", 3, 3), ("Ada", 2, 2), ("Joan", 2, 2), ("Zoë", 0, 0),
    ]  # fmt: skip
    assert {page["total"] for page in pages} == {5}
    assert api.get(f"/persons/{people[0]['id']}") == people[0]


def test_what_was_said_of_a_person(api: Served) -> None:
    """A person tells when they were born and which face is shown; one who is hidden is listed apart."""
    with api.library.database.write() as session:
        face = World(session).photo("/1.jpg", [Box(10, 10, 20, 20)])
        face_id = str(face_queries.faces_of_asset(session, face.id)[0].id)
    ada = api.post("/decisions/split", {"face_ids": [face_id], "name": "Ada"}, status=200)["person_id"]
    api.post("/decisions/set-birth-date", {"person_id": ada, "birth_date": "1815-12-10"}, status=200)
    api.post("/decisions/set-cover-face", {"person_id": ada, "face_id": face_id}, status=200)
    api.post("/decisions/hide-person", {"person_id": ada, "hidden": True}, status=200)
    (person,) = api.get("/persons", hidden=True)["items"]
    assert (person["birth_date"], person["cover_face_id"], person["hidden"]) == ("1815-12-10", face_id, True)
    assert person["cover_url"].startswith("/")
    assert face_id in person["cover_url"]
    assert api.get("/persons") == {"items": [], "next_cursor": None, "total": 0}


@pytest.mark.parametrize("limit", [1, 2, 5, 50])
def test_photos_of_a_person(api: Served, limit: int) -> None:
    """The photos that show a person, each once, the oldest first, those without a date last."""
    with api.library.database.write() as session:
        world = World(session)
        ada, other = add_person(world, "Ada"), add_person(world, "Grace")
        for day in (3, 1, 2, None, 2, None):
            taken = None if day is None else FIRST + timedelta(days=day)
            photo = world.photo(f"/photos/{world.run}-{day}-{id(taken)}.jpg", taken_at=taken)
            for position, person in enumerate((ada, other, ada)):
                world.face(photo, position, Box(10 * position, 0, 9, 9), person_id=person.id)
        replaced = world.photo("/photos/old.jpg", replaced=True)
        world.face(replaced, person_id=ada.id)
        world.face(world.photo("/photos/other.jpg"), person_id=other.id)
        ada_id = ada.id
    pages = api.pages(f"/persons/{ada_id}/photos", limit=limit)
    photos = [item for page in pages for item in page["items"]]
    days = [None if p["taken_at"] is None else datetime.fromisoformat(p["taken_at"]) for p in photos]
    assert days == [FIRST + timedelta(days=day) for day in (1, 2, 2, 3)] + [None, None]
    assert len({photo["asset_id"] for photo in photos}) == 6
    assert all(len(photo["face_ids"]) == 2 for photo in photos)
    assert {page["total"] for page in pages} == {6}


def test_nobody(api: Served) -> None:
    """A person that there is not is not found; a library without persons lists none."""
    nobody = "3f2a0c9e-5d0b-4a57-9d3b-8a8b2f1c6e01"
    for path in (f"/persons/{nobody}", f"/persons/{nobody}/photos"):
        assert api.get(path, status=404)["detail"] == f"There is no person {nobody}."
    assert api.get("/persons") == {"items": [], "next_cursor": None, "total": 0}
