"""Photos over HTTP: chosen, indexed, listed, looked at in every size."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from PIL import Image

from image_search_service.core.types import Box
from image_search_service.db.models import ImageAsset
from image_search_service.services.indexing.roots import RootService
from image_search_service.services.photos import pictures
from tests.support.served import Served, served
from tests.support.world import World

NOBODY = "3f2a0c9e-5d0b-4a57-9d3b-8a8b2f1c6e01"
ROTATED = 6
"""EXIF's orientation of a photo that has to be turned a quarter to be upright."""


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """Three photos, one of them damaged and one lying on its side, in two folders; and what is no photo."""
    folder = tmp_path / "photos"
    (folder / "2019").mkdir(parents=True)
    (folder / ".hidden").mkdir()
    exif = Image.Exif()
    exif[0x0112] = ROTATED
    Image.new("RGB", (2_000, 1_000), (200, 30, 30)).save(folder / "2019" / "side.jpg", exif=exif)
    Image.new("RGB", (300, 200), (30, 30, 200)).save(folder / "small.png")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff no photo")
    (folder / "notes.txt").write_text("none")
    return folder


@pytest.fixture
def api(tmp_path: Path, album: Path) -> Iterator[Served]:
    """An API that may index below the album, and runs its jobs."""
    with served(tmp_path / "library", photo_roots=str(album)) as opened:
        yield opened


def test_folders_are_chosen_from(api: Served, album: Path) -> None:
    """The allowed folders are listed, and those below them; nothing outside is shown."""
    roots = api.get("/folders")
    assert (roots["path"], roots["allowed_roots"]) == (None, [str(album)])
    assert [(folder["path"], folder["photos_hint"]) for folder in roots["folders"]] == [(str(album), 2)]
    found = folders(api, album)
    assert [(folder["name"], folder["photos_hint"]) for folder in found["folders"]] == [("2019", 1)]
    assert found["parent"] is None
    assert folders(api, album / "2019")["parent"] == str(album)
    (album / "out").symlink_to(album.parent)
    for path in (album.parent, album / "..", album / "out", album / "nothing", Path("relative")):
        problem = api.client.get("/api/v1/folders", params={"path": str(path)})
        assert (problem.status_code, "IMAGE_SEARCH_PHOTO_ROOTS" in problem.json()["hint"]) == (404, True)
    assert api.client.get("/api/v1/folders", params={"path": "\0"}).status_code == 422


def folders(api: Served, path: Path) -> Any:
    return api.client.get("/api/v1/folders", params={"path": str(path)}).json()


def test_only_allowed_folders_are_indexed(api: Served, album: Path) -> None:
    """What lies outside, or is not there, is refused before a job begins."""
    for path in (str(album.parent), str(album / "nothing"), "photos", "/etc"):
        assert (
            api.post("/photos/index", {"paths": [path]}, status=422)["type"]
            == "urn:image-search:invalid-input"
        )
    assert api.get("/jobs")["total"] == 0


def test_p7_folders_of_the_library_are_indexed_wherever_they_are(api: Served, tmp_path: Path) -> None:
    """P7: photos that are added to a folder of the library are indexed by the service, though it lies outside
    of the folders that a page may name; its neighbours are not."""
    command = tmp_path / "by command"
    (command / "new").mkdir(parents=True)
    (tmp_path / "link").symlink_to(command)
    Image.new("RGB", (300, 200), (30, 200, 30)).save(command / "new" / "added.jpg")
    RootService(api.library.database).save(tmp_path / "link")
    for path in (command, tmp_path, tmp_path / "link" / ".." / "by command", f"{tmp_path}/link/\0"):
        api.post("/photos/index", {"paths": [str(path)]}, status=422)
    for path in (tmp_path / "link" / "new", tmp_path / "link"):
        done = api.ended(api.post("/photos/index", {"paths": [str(path)]}))
        assert (done["state"], done["result"]["photos_seen"]) == ("succeeded", 1), done["error"]
    assert [photo["path"] for photo in api.get("/assets")["items"]] == [str(tmp_path / "link/new/added.jpg")]
    saved = api.post("/roots", {"path": str(tmp_path / "link"), "excludes": ["new/"]}, status=200)
    assert saved["excludes"] == ["new/"]


def test_photos_are_indexed_from_a_page(api: Served, album: Path) -> None:
    """Indexing is a job that says what it has found; what cannot be read is listed with its reason."""
    assert api.get("/library")["has_photos"] is False
    job = api.post("/photos/index", {"paths": [str(album)]})
    assert job["kind"] == "detect_faces"
    done = api.ended(job)
    assert (done["state"], done["progress"]["done"]) == ("succeeded", 3), done["error"]
    assert (done["result"]["photos_seen"], done["result"]["photos_new"]) == (3, 2)
    assert done["result"]["photos_failed"] == 1
    (failed,) = api.get("/photos/failed")["items"]
    assert (failed["path"], bool(failed["reason"])) == (str(album / "broken.jpg"), True)
    library = api.get("/library")
    assert (library["photos"], library["photos_failed"], library["roots"]) == (2, 1, [str(album)])
    assert library["engine"] == "synthetic"
    listed = api.get("/assets", order="date")
    assert {Path(photo["path"]).name for photo in listed["items"]} == {"side.jpg", "small.png"}
    assert [folder["photos"] for folder in api.get("/assets/folders")["folders"]] == [1, 1]
    assert api.get("/assets", folder=str(album / "2019"))["total"] == 1


def test_pictures_are_made_once_and_upright(
    api: Served, album: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A picture of each size is upright, as large as asked for or as the photo is, and made only once."""
    api.ended(api.post("/photos/index", {"paths": [str(album)]}))
    photos = {Path(one["path"]).name: one for one in api.get("/assets")["items"]}
    sides = {str(side): side for side in pictures.PICTURE_SIDES}
    for text, side in sides.items():
        large = picture(api, photos["side.jpg"]["picture_url"], text)
        assert large.size == (min(side, 2_000) // 2, min(side, 2_000))
        assert picture(api, photos["small.png"]["picture_url"], text).size == (300, 200)
    decoded: list[Path] = []
    monkeypatch.setattr(pictures, "decode_photo", lambda path, **_: decoded.append(path))
    assert picture(api, photos["side.jpg"]["picture_url"], "1600").size == (800, 1_600)
    assert decoded == []
    assert api.client.get(photos["side.jpg"]["picture_url"], params={"side": "999"}).status_code == 422


def picture(api: Served, url: str, side: str) -> Image.Image:
    answer = api.client.get(url, params={"side": side})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg"), answer.text
    assert "immutable" in answer.headers["cache-control"]
    return Image.open(io.BytesIO(answer.content))


def test_a_drive_that_is_away(api: Served, album: Path) -> None:
    """Without the photo's file there is no new picture, and those that were made stay."""
    api.ended(api.post("/photos/index", {"paths": [str(album)]}))
    (photo,) = [one for one in api.get("/assets")["items"] if one["path"].endswith("side.jpg")]
    picture(api, photo["picture_url"], "640")
    (album / "2019" / "side.jpg").unlink()
    problem = api.client.get(photo["picture_url"], params={"side": "1024"})
    assert (problem.status_code, "drive" in problem.json()["hint"]) == (404, True)
    picture(api, photo["picture_url"], "640")
    picture(api, photo["picture_url"], "320")


def test_too_many_pictures_at_once(api: Served, album: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When as many wait as may, a further one is told to ask again."""
    api.ended(api.post("/photos/index", {"paths": [str(album)]}))
    photo = api.get("/assets")["items"][0]
    for _ in range(pictures.WAITING):
        assert api.library.pictures._waiting.acquire(blocking=False)
    answer = api.client.get(photo["picture_url"], params={"side": "1600"})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


def test_a_large_crop(api: Served, album: Path) -> None:
    """A face can be had larger than indexing makes it, from the photo itself."""
    api.ended(api.post("/photos/index", {"paths": [str(album)]}))
    (photo,) = [one for one in api.get("/assets")["items"] if one["path"].endswith("side.jpg")]
    with api.library.database.write() as session:
        asset = session.get_one(ImageAsset, UUID(photo["asset_id"]))
        face = World(session).face(asset, 50, Box(300, 300, 400, 400))
        url = f"/api/v1/faces/{face.id}/crop"
    crop = picture(api, url, "512")
    assert crop.size == (512, 512)
    red, green, blue = np.asarray(crop.convert("RGB"))[256, 256].tolist()
    assert red > 150 > max(green, blue)


def test_p5_a_file_that_cannot_be_looked_at(api: Served, album: Path) -> None:
    """A photo whose file became a circle of links, and paths too long to exist, are answered with reasons."""
    api.ended(api.post("/photos/index", {"paths": [str(album)]}))
    photos = {Path(one["path"]).name: one for one in api.get("/assets")["items"]}
    (album / "small.png").unlink()
    (album / "small.png").symlink_to("small.png")
    problem = api.client.get(photos["small.png"]["picture_url"], params={"side": "640"})
    assert (problem.status_code, "symbolic links" in problem.json()["detail"]) == (422, True)
    (album / "round").symlink_to("round")
    for path in (album / ("x" * 300), album / "round"):
        assert api.client.get("/api/v1/folders", params={"path": str(path)}).status_code in (404, 422)
        assert api.post("/photos/index", {"paths": [str(path)]}, status=422)["detail"]
