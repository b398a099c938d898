"""Photos that are not on the disk any more, over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.pictures import three_photos
from tests.support.served import Served, served


@pytest.fixture
def album(tmp_path: Path) -> Path:
    return three_photos(tmp_path / "photos", ("one/a", "one/b", "two/c"))


@pytest.fixture
def api(tmp_path: Path, album: Path) -> Iterator[Served]:
    """An API that has indexed the album."""
    with served(tmp_path / "library", photo_roots=str(album)) as opened:
        opened.ended(opened.post("/photos/index", {"paths": [str(album / "one"), str(album / "two")]}))
        yield opened


def test_p3_deleted_photos_are_forgotten_and_erased(api: Served, album: Path) -> None:
    """What was deleted is counted, forgotten, brought back by undo, and erased by a job."""
    (album / "one" / "a.png").unlink()
    api.ended(api.post("/photos/index", {"paths": [str(album / "one")]}))
    assert api.get("/photos/absent") == {"folders": [], "forgettable": 1, "away": 0}
    assert api.get("/assets")["total"] == 3
    done = api.post("/decisions/forget-photos", {}, status=200)
    assert (done["photos"], api.get("/assets")["total"]) == (1, 2)
    api.post(f"/decisions/{done['decision_id']}/undo", {}, status=200)
    assert api.get("/assets")["total"] == 3
    api.post("/decisions/forget-photos", {"paths": [str(album / "one")]}, status=200)
    job = api.ended(api.post("/photos/erase", {}))
    assert (job["state"], job["result"]["photos"]) == ("succeeded", 1)
    assert api.get("/library")["photos"] == 2


def test_p2_a_root_that_has_gone(api: Served, album: Path) -> None:
    """It can be indexed although it is not there, and said to be gone for good."""
    (album / "one").rename(album.parent / "elsewhere")
    job = api.ended(api.post("/photos/index", {"paths": [str(album / "one")]}))
    assert (job["state"], job["result"]["photos_missing"]) == ("succeeded", 2)
    (folder,) = api.get("/photos/absent")["folders"]
    assert (folder["path"], folder["state"], folder["photos"]) == (str(album / "one"), "away", 2)
    assert api.post("/decisions/forget-photos", {}, status=200)["away"] == 2
    assert api.post("/photos/gone", {"path": str(album / "one")}, status=200)["state"] == "gone"
    assert api.post("/decisions/forget-photos", {}, status=200)["photos"] == 2
    assert api.post("/photos/away", {"path": str(album / "two")}, status=422)["hint"]
    assert api.post("/photos/away", {"path": "/nowhere\0"}, status=404)["hint"]
