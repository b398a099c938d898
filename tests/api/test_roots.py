"""The library's folders over HTTP: kept, with excludes, indexed when none is named."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from image_search_service.core.access_token import KEY_HEADER, command_headers
from tests.support.pictures import three_photos
from tests.support.served import Served, served


@pytest.fixture
def album(tmp_path: Path) -> Path:
    return three_photos(tmp_path / "photos", ("one/a", "one/raw/b", "two/c"))


@pytest.fixture
def api(tmp_path: Path, album: Path) -> Iterator[Served]:
    with served(tmp_path / "library", photo_roots=str(album)) as opened:
        yield opened


def index(api: Served, *paths: Path) -> Any:
    job = api.ended(api.post("/photos/index", {"paths": [str(path) for path in paths]}))
    assert job["state"] == "succeeded", job["error"]
    return job["result"]["report"]


def test_folders_are_kept_and_indexed_together(api: Served, album: Path) -> None:
    """Without a path all folders are read, also one that was only added; a removed one keeps its photos."""
    assert api.post("/photos/index", {}, status=422)["hint"]
    index(api, album / "one")
    added = api.post("/roots", {"path": str(album / "two")}, status=200)
    assert (added["indexed_at"], added["photos"]) == (None, 0)
    assert index(api)["photos_seen"] == 3
    roots = api.get("/roots")["roots"]
    assert [(Path(root["path"]).name, root["photos"]) for root in roots] == [("one", 2), ("two", 1)]
    assert all(root["indexed_at"] for root in roots)
    removed = api.post("/roots/remove", {"path": str(album / "two")}, status=200)["roots"]
    assert len(removed) == 1
    assert (index(api)["photos_seen"], api.get("/assets")["total"]) == (2, 3)
    api.post("/roots/remove", {"path": str(album / "two")}, status=404)


def test_what_is_left_out_later_is_listed_and_can_be_forgotten(api: Served, album: Path) -> None:
    """It is not taken for deleted: it stays until it is forgotten, and comes back when it is not left out."""
    index(api, album)
    root = {"path": str(album)}
    assert api.post("/roots", root | {"excludes": ["raw/"]}, status=200)["excludes"] == ["raw/"]
    done = index(api)
    assert (done["files_excluded"], done["photos_missing"], done["photos_excluded"]) == (1, 0, 1)
    assert done["photos_missing_in_all"] == 0
    assert [(root["photos"], root["excluded"]) for root in api.get("/roots")["roots"]] == [(2, 1)]
    assert api.get("/photos/absent")["forgettable"] == 0
    kept = api.post("/decisions/forget-photos", {}, status=200)
    assert (kept["photos"], kept["excluded"], api.get("/assets")["total"]) == (0, 1, 3)
    gone = api.post("/decisions/forget-photos", {"excluded": True}, status=200)
    assert (gone["photos"], api.get("/assets")["total"]) == (1, 2)
    assert api.post("/roots", root | {"excludes": []}, status=200)["excludes"] == []
    done = index(api)
    assert (done["files_excluded"], done["photos_new"], api.get("/assets")["total"]) == (0, 0, 3)


def test_a_deleted_photo_is_not_one_left_out(api: Served, album: Path) -> None:
    """What was deleted before or after it was left out is deleted once excludes leave it out no more."""
    index(api, album)
    (album / "one" / "raw" / ".nomedia").touch()
    assert index(api)["files_excluded"] == 1
    (album / "one" / "raw" / "b.png").unlink()
    (album / "one" / "raw" / ".nomedia").unlink()
    done = index(api)
    assert (done["files_excluded"], done["photos_missing_in_all"]) == (0, 1)


def test_only_allowed_folders_are_added(api: Served, album: Path) -> None:
    """A page names folders below the allowed ones; a command that has the library's key names any."""
    other = album.parent / "other"
    other.mkdir()
    assert api.post("/roots", {"path": str(other)}, status=422)["hint"]
    assert api.post("/roots", {"path": str(album), "excludes": ["!"]}, status=422)["hint"]
    assert api.post("/roots", {"path": str(album / "nothing")}, status=422)["hint"]
    headers = command_headers(api.library.paths)
    answer = api.client.post("/api/v1/roots", json={"path": str(other)}, headers=headers)
    assert answer.status_code == 200
    wrong = api.client.post("/api/v1/roots", json={"path": "/etc"}, headers={KEY_HEADER: "x" * 43})
    assert wrong.status_code == 422
