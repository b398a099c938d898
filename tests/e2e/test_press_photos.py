"""On real photos, as a new user goes about it: name three people, let the service find more of them."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
from fastapi.testclient import TestClient

from image_search_service.core.config import Settings
from image_search_service.library.opening import open_library
from image_search_service.main import create_app
from image_search_service.services.decisions.naming import Namesake
from image_search_service.services.decisions.service import ReviewService
from image_search_service.services.jobs.service import JobKind, JobService
from tests.support.served import BASE_URL, Served, no_bar

pytestmark = pytest.mark.depth
"""A thousand photos. ``test_evening.py`` has fewer."""

SUBJECTS, STRANGERS = 12, 400
"""People with most photos, half of which come on the first evening; strangers, one photo each."""
LEAST_RIGHT, LEAST_FOUND = 0.85, 0.85
"""Of what is suggested, and of the photos that came later. Seen: 0.97 to 1, and 0.97 to 1."""


@pytest.fixture(scope="module")
def albums(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two folders of photos, a folder a person: what is there first, and what comes later."""
    people = sorted(
        (folder for folder in (photos / "lfw").iterdir() if folder.is_dir()),
        key=lambda folder: (-len(list(folder.iterdir())), folder.name),
    )
    first, later = (tmp_path_factory.mktemp(name) for name in ("first", "later"))
    for folder in people[:SUBJECTS]:
        for number, file in enumerate(sorted(folder.iterdir())):
            _copy(file, later if number % 2 else first)
    for folder in people[-STRANGERS:]:
        _copy(sorted(folder.iterdir())[0], first)
    return first, later


def _copy(file: Path, album: Path) -> None:
    (album / file.parent.name).mkdir(exist_ok=True)
    shutil.copy(file, album / file.parent.name)


@pytest.fixture(scope="module")
def api(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    settings = Settings(
        library=tmp_path_factory.mktemp("library"),
        engine="onnx",
        detector=models / "face_detection_yunet_2023mar.onnx",
        recognizer=models / "mobilefacenet.onnx",
        offline=True,
        require_token=False,
    )
    with (
        open_library(settings, lambda _: None, no_bar) as library,
        TestClient(create_app(library), base_url=BASE_URL) as client,
    ):
        yield Served(library, client)


def index(api: Served, album: Path) -> None:
    job = JobService(api.library.database, api.library.job_queue.enqueue).submit(
        JobKind.DETECT_FACES, {"paths": [str(album)]}
    )
    assert api.ended({"id": str(job.id)})["state"] == "succeeded"


def name_largest(api: Served, number: int) -> dict[str, str]:
    """Name the largest clusters after the folder that most of their photos are in: person's id and name."""
    named: dict[str, str] = {}
    for cluster in api.get("/faces/clusters", limit=number)["items"]:
        faces = api.get(f"/faces/clusters/{cluster['id']}", limit=200)["faces"]["items"]
        name, _ = Counter(shown_in(api, face["asset_id"]) for face in faces).most_common(1)[0]
        who = Namesake.SAME if name in named.values() else Namesake.ASK
        done = ReviewService(api.library.database, "test").name_cluster(cluster["id"], name, who=who)
        named[str(done.person_id)] = name
    api.library.payload_sender.send()
    return named


def shown_in(api: Served, asset_id: str) -> str:
    """The name of the folder that a photo is in."""
    path: str = api.get(f"/assets/{asset_id}/faces")["photo"]["path"]
    return PurePosixPath(path).parent.name


def right_and_wrong(api: Served, group: Any, name: str) -> tuple[int, int]:
    faces = [api.get(f"/faces/{one['face_instance_id']}") for one in group["suggestions"]]
    right = [shown_in(api, face["asset_id"]) == name for face in faces]
    return sum(right), len(right) - sum(right)


def test_three_people_are_named_and_found_again(
    api: Served, albums: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """Of photos that come later nearly all of the three are suggested, and nearly all that is, is right."""
    first, later = albums
    index(api, first)
    named = name_largest(api, 3)
    index(api, later)
    for way in ("prototypes", "multi_prototype", "centroid"):
        jobs = api.post(f"/suggestions/find-more/{way}", {"person_ids": list(named), "limit": 200})["jobs"]
        assert [api.ended(job)["state"] for job in jobs] == ["succeeded"]
    groups = api.get("/suggestions", per_person=100)["items"]
    with capsys.disabled():
        print("\nnamed on the first evening, suggested from the photos that came later:")
        for group in groups:
            name = named[group["person_id"]]
            right, wrong = right_and_wrong(api, group, name)
            there = len(list((later / name).iterdir()))
            print(f"{name:28} {right:3} of {right + wrong:3} are right; {there} photos came later")
            assert right / (right + wrong) >= LEAST_RIGHT
            assert right / there >= LEAST_FOUND
    assert len(groups) == 3
