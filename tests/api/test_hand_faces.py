"""Faces by hand over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from PIL import Image

from image_search_service.services.indexing.by_hand import HandFaceService
from image_search_service.services.indexing.indexer import IndexService
from tests.support.served import Served


@pytest.fixture
def photo(api: Served, tmp_path: Path) -> UUID:
    """A photo of 200 × 100 pixels in which no face is found."""
    path = tmp_path / "photos" / "blank.jpg"
    path.parent.mkdir()
    Image.new("RGB", (200, 100), (90, 120, 90)).save(path)
    IndexService(api.library.stores).index([path.parent])
    return HandFaceService(api.library.stores, "test").photo_of_file(path)


def decide(api: Served, what: str, body: Any, status: int = 200) -> Any:
    return api.post(f"/decisions/{what}", body, status=status)


def in_photo(api: Served, photo: UUID) -> list[Any]:
    return [
        (face["id"], face["by_hand"], face["person_name"], list(face["box"].values()))
        for face in api.get(f"/assets/{photo}/faces")["faces"]
    ]


def test_a_face_is_drawn_moved_removed_and_undone(api: Served, photo: UUID) -> None:
    """It is in the photo, marked, with a picture; each step is a decision with its undo."""
    body = {"asset_id": str(photo), "box": [0.1, 0.2, 0.2, 0.4]}
    made = decide(api, "add-face", {**body, "name": "Ada"})
    assert (made["name"], made["landmarks_found"]) == ("Ada", False)
    assert in_photo(api, photo) == [(made["face_id"], True, "Ada", [20, 20, 40, 40])]
    crop = api.get(f"/faces/{made['face_id']}")["crop_url"]
    assert api.client.get(crop).status_code == 200
    assert made["face_id"] in decide(api, "add-face", body, status=409)["detail"]
    moved = decide(api, "move-face", {"face_id": made["face_id"], "box": [120, 20, 40, 40]})
    assert in_photo(api, photo) == [(moved["face_id"], True, "Ada", [120, 20, 40, 40])]
    decide(api, f"{moved['decision_id']}/undo", None)
    assert in_photo(api, photo) == [(made["face_id"], True, "Ada", [20, 20, 40, 40])]
    removed = decide(api, "remove-face", {"face_id": made["face_id"]})
    assert in_photo(api, photo) == []
    decide(api, f"{removed['decision_id']}/undo", None)
    assert len(in_photo(api, photo)) == 1
    kinds = [event["kind"] for event in api.get("/decisions")["items"]]
    assert kinds == ["undo", "remove_face", "undo", "move_face", "add_face"]


def test_whose_a_drawn_face_is(api: Served, photo: UUID) -> None:
    """A name that somebody has asks who is meant, before anything is made; a person's id means them."""
    ada = decide(api, "create-person", {"name": "Ada"})["person_id"]
    body = {"asset_id": str(photo), "box": [20, 20, 40, 40]}
    asked = decide(api, "add-face", {**body, "name": "Ada"}, status=409)
    assert [one["id"] for one in asked["candidates"]] == [ada]
    assert in_photo(api, photo) == []
    assert decide(api, "add-face", {**body, "person_id": ada})["person_id"] == ada
    decide(api, "add-face", {**body, "person_id": ada, "name": "Ada"}, status=422)


def test_what_cannot_be_drawn(api: Served, photo: UUID) -> None:
    """An unknown photo or face, a box that is none, and a photo whose file has gone are told apart."""
    box = [20, 20, 40, 40]
    decide(api, "add-face", {"asset_id": str(uuid4()), "box": box}, status=404)
    decide(api, "move-face", {"face_id": str(uuid4()), "box": box}, status=404)
    decide(api, "remove-face", {"face_id": str(uuid4())}, status=404)
    decide(api, "add-face", {"asset_id": str(photo), "box": [500, 20, 40, 40]}, status=422)
    decide(api, "add-face", {"asset_id": str(photo), "box": [20, 20, 40]}, status=422)
    path = Path(api.get(f"/assets/{photo}/faces")["photo"]["path"])
    path.unlink()
    assert "cannot be read" in decide(api, "add-face", {"asset_id": str(photo), "box": box}, 422)["detail"]
