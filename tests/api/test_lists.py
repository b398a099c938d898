"""Lists that pages read: names, faces of a person, those beside them, whom a group resembles."""

from __future__ import annotations

from datetime import date, datetime

from image_search_service.api.schemas.persons import PersonNames
from image_search_service.db.models import FaceSuggestion
from image_search_service.services.centroid_service import CentroidService
from tests.support.round_trips import round_trips
from tests.support.served import Served, add_faces, add_person, alike, directions
from tests.support.world import World

BORN = date(2000, 1, 1)


def test_names_are_not_sent_twice(api: Served) -> None:
    """All names come with an ETag; as long as nothing of them has changed, it is answered by 304."""
    with api.library.database.write() as session:
        world = World(session)
        ada = add_person(world, "Ada")
        face = world.face(world.photo("/1.jpg"), person_id=ada.id)
        hidden = add_person(world, "Zoë")
        hidden.hidden = True
        face_id, ada_id = face.id, ada.id
    answer = api.client.get("/api/v1/persons/names")
    names = answer.json()["names"]
    assert PersonNames.model_validate(answer.json()).model_dump(mode="json") == answer.json()
    assert [(one["name"], one["faces"], one["hidden"]) for one in names] == [
        ("Ada", 1, False),
        ("Zoë", 0, True),
    ]
    assert str(face_id) in names[0]["cover_url"]
    assert names[1]["cover_url"] is None
    same = {"If-None-Match": answer.headers["etag"]}
    again = api.client.get("/api/v1/persons/names", headers=same)
    assert (again.status_code, again.content) == (304, b"")
    api.post("/decisions/rename-person", {"person_id": str(ada_id), "name": "Ada Lovelace"}, status=200)
    assert api.client.get("/api/v1/persons/names", headers=same).status_code == 200


def test_odd_faces_first(api: Served) -> None:
    """A face unlike the others of its person comes first, by one search among
    any number, once their centroid is there."""
    look, stranger = directions(2)
    with api.library.database.write() as session:
        world = World(session)
        ada = add_person(world, "Ada")
        ada.birth_date = BORN
        own = add_faces(api.library, world, alike(look, 40, spread=0.3), person_id=ada.id)
        (odd,) = add_faces(api.library, world, stranger[None], person_id=ada.id)
        own[0].taken_at = datetime(2001, 7, 1)  # noqa: DTZ001 - as cameras write it
        ada_id, odd_id, dated_id = ada.id, str(odd.id), str(own[0].id)
    first = api.get(f"/persons/{ada_id}/faces", order="odd")["items"]
    with round_trips(api.library.database.engine) as trips:
        assert api.get(f"/persons/{ada_id}/faces", order="odd")["items"] == first
    assert trips.qdrant == {"count": 1, "search": 1}
    found = api.get(f"/persons/{ada_id}/faces", order="odd", limit=200)
    items = found["items"]
    assert found["total"] == len(items) == 41
    assert items[0]["id"] == odd_id
    assert items == first
    alikeness = [item["similarity"] for item in items]
    assert alikeness == sorted(alikeness)
    assert {item["age"] for item in items if item["id"] == dated_id} == {1.5}
    tail = api.get(f"/persons/{ada_id}/faces", order="odd", offset=40)
    assert [item["id"] for item in tail["items"]] == [item["id"] for item in items[40:]]


def test_faces_by_date_need_no_qdrant(api: Served) -> None:
    """A person's faces by date are read from SQL alone, with ages."""
    with api.library.database.write() as session:
        world = World(session)
        ada = add_person(world, "Ada")
        ada.birth_date = BORN
        for year in (2003, 2001, 2002):
            world.face(world.photo(f"/{year}.jpg", taken_at=datetime(year, 1, 1)), person_id=ada.id)  # noqa: DTZ001
        ada_id = ada.id
    with round_trips(api.library.database.engine) as trips:
        items = api.get(f"/persons/{ada_id}/faces")["items"]
    assert trips.requests == 0
    assert [round(item["age"]) for item in items] == [1, 2, 3]
    assert [item["path"] for item in items] == ["/2001.jpg", "/2002.jpg", "/2003.jpg"]


def test_whom_a_group_resembles(api: Served) -> None:
    """The nearest persons of a group, in words too; not those who cannot be it."""
    looks = directions(3, seed=3)
    with api.library.database.write() as session:
        world = World(session)
        people = [add_person(world, name) for name in ("Ada", "Grace", "Joan")]
        for person, look in zip(people, looks, strict=True):
            add_faces(
                api.library, world, alike(look, 6, spread=0.2), person_id=person.id, assigned_by="human"
            )
        group = add_faces(api.library, world, alike(looks[0] + 0.3 * looks[1], 4, spread=0.2, seed=9))
        cluster = world.cluster(group)
        ids, cluster_id, face_id = [str(person.id) for person in people], cluster.id, str(group[0].id)
    CentroidService(api.library.stores).compute_centroids()
    with round_trips(api.library.database.engine) as trips:
        found = api.get(f"/faces/clusters/{cluster_id}/persons", limit=2)["persons"]
    assert trips.requests == 3
    assert [one["person_id"] for one in found] == ids[:2]
    assert [one["likeness"] for one in found] == ["very", "hardly"]
    assert all(one["cover_url"] for one in found)
    assert found[0]["similarity"] > found[1]["similarity"]
    api.post("/decisions/assign", {"face_ids": [face_id], "person_id": ids[0]}, status=200)
    api.post("/decisions/unassign", {"face_ids": [face_id]}, status=200)
    api.post("/decisions/group", {"face_ids": [face_id], "cluster_id": str(cluster_id)}, status=200)
    again = api.get(f"/faces/clusters/{cluster_id}/persons")["persons"]
    assert [one["person_id"] for one in again] == ids[1:]


def test_suggestions_of_a_person(api: Served) -> None:
    """What waits for a person, by margin, with the photo of each face and the version of all of it."""
    with api.library.database.write() as session:
        world = World(session)
        ada = add_person(world, "Ada")
        for number, margin in enumerate([0.1, None, 0.3, 0.2]):
            face = world.face(world.photo(f"/{number}.jpg"))
            session.add(
                FaceSuggestion(
                    face_instance_id=face.id, person_id=ada.id, state="pending", confidence=0.9 - number / 10,
                    source="centroid", evidence=[], margin=margin,
                )
            )  # fmt: skip
        ada_id = ada.id
    found = api.get(f"/persons/{ada_id}/suggestions")
    assert [item["margin"] for item in found["items"]] == [0.3, 0.2, 0.1, None]
    assert found["total"] == 4
    assert found["version"] == api.get("/suggestions")["items"][0]["version"]
    assert all(item["face_id"] == item["face_instance_id"] and item["likeness"] for item in found["items"])
    tail = api.get(f"/persons/{ada_id}/suggestions", offset=3)
    assert [item["id"] for item in tail["items"]] == [found["items"][3]["id"]]
