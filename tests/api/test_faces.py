"""Faces, the photos that they are in, and their pictures."""

from __future__ import annotations

from uuid import uuid4

import numpy as np

from image_search_service.core.types import Box
from image_search_service.media.derivatives import write_crop, write_thumbnail
from image_search_service.services.centroid_service import CentroidService
from tests.support.served import Served, add_faces, add_person, directions
from tests.support.world import World

NOBODY = "3f2a0c9e-5d0b-4a57-9d3b-8a8b2f1c6e01"


def test_one_face(api: Served) -> None:
    """A face tells where it is, how good it is, and whose it is."""
    with api.library.database.write() as session:
        world = World(session)
        ada = add_person(world, "Ada")
        face = world.face(world.photo("/photos/a.jpg"), box=Box(10, 20, 30, 40), person_id=ada.id)
        shown = {"id": str(face.id), "asset_id": str(face.asset_id)}
    found = api.get(f"/faces/{shown['id']}")
    assert found | shown == found
    assert found["box"] == {"x": 10, "y": 20, "width": 30, "height": 40}
    assert (found["person_name"], found["cluster_id"]) == ("Ada", None)
    assert (found["photo_width"], found["photo_height"]) == (100, 100)


def test_faces_of_a_photo_left_to_right(api: Served) -> None:
    """A photo comes with its file and all its faces in their order."""
    with api.library.database.write() as session:
        photo = World(session).photo(
            "/photos/é ü.jpg", [Box(10, 0, 9, 9), Box(50, 0, 9, 9), Box(80, 0, 9, 9)]
        )
    found = api.get(f"/assets/{photo.id}/faces")
    assert found["photo"]["path"] == "/photos/é ü.jpg"
    assert [face["box"]["x"] for face in found["faces"]] == [10, 50, 80]
    assert [face["position"] for face in found["faces"]] == [0, 1, 2]


def test_a_name_that_is_no_unicode_is_shown(api: Served) -> None:
    """A file whose name is not valid Unicode has its bytes shown as escapes."""
    with api.library.database.write() as session:
        photo = World(session).photo("/photos/\udcff.jpg")
    assert api.get(f"/assets/{photo.id}/faces")["photo"]["path"] == "/photos/\\xff.jpg"


def test_pictures(api: Served) -> None:
    """Thumbnails and crops are sent as JPEG, and may be kept: they never change."""
    with api.library.database.write() as session:
        world = World(session)
        face = world.face(world.photo("/photos/a.jpg"))
    pixels = np.zeros((100, 100, 3), dtype=np.uint8)
    write_thumbnail(pixels, api.library.paths.thumbnail(face.asset_id))
    write_crop(pixels, Box(40, 40, 20, 20), api.library.paths.crop(face.id))
    for url in (api.get(f"/faces/{face.id}")["crop_url"], f"/api/v1/assets/{face.asset_id}/thumbnail"):
        answer = api.client.get(url)
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "image/jpeg"
        assert answer.content[:3] == b"\xff\xd8\xff"
        assert "immutable" in answer.headers["cache-control"]


def test_what_there_is_not(api: Served) -> None:
    """Unknown photos, faces and pictures are not found, each in its words."""
    for path, said in [
        (f"/faces/{NOBODY}", "There is no face"),
        (f"/faces/{NOBODY}/crop", "There is no picture of the face"),
        (f"/assets/{NOBODY}/faces", "There is no photo"),
        (f"/assets/{NOBODY}/thumbnail", "There is no thumbnail"),
        (f"/assets/{NOBODY}/picture", "There is no photo"),
    ]:
        problem = api.get(path, status=404)
        assert problem["type"] == "urn:image-search:not-found"
        assert problem["detail"].startswith(said)


def test_what_is_no_id(api: Served) -> None:
    """A word where an id belongs is refused, and it is said where."""
    problem = api.get("/faces/nobody", status=422)
    assert problem["errors"][0]["location"] == "path.face_id"
    assert api.client.get(f"/api/v1/faces/{uuid4()}").headers["content-type"] == "application/problem+json"


def test_why_a_face_has_no_person(api: Served) -> None:
    """An unnamed face tells whom it resembles and what is lacking; a named one has nothing to explain."""
    look, other = directions(2)
    with api.library.database.write() as session:
        world = World(session)
        ada = add_person(world, "Ada")
        (named,) = add_faces(api.library, world, look[None], person_id=ada.id, assigned_by="human")
        like, unlike, blurred = add_faces(api.library, world, np.vstack([look, other, other]))
        blurred.recognizable = False
        ids = [face.id for face in (named, like, unlike, blurred)]
    CentroidService(api.library.stores).compute_centroids()
    found = [api.get(f"/faces/{face}/explanation") for face in ids]
    assert [[reason["because"] for reason in one["reasons"]] for one in found] == [
        [],
        ["not_asked"],
        ["below_threshold"],
        ["unrecognizable"],
    ]
    assert found[2]["reasons"][0]["person_id"] == str(ada.id)
