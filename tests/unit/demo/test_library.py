from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pillow_heif
import pytest
from PIL import Image, ImageOps

from image_search_service.core.errors import InvalidInputError
from image_search_service.core.types import Pixels
from image_search_service.demo import library as demo
from image_search_service.demo.darkroom import NOTE
from image_search_service.demo.library import TRUTH, DemoSummary, make_demo_library
from image_search_service.demo.plan import plan_library
from image_search_service.recognition.engines.synthetic import SyntheticEngine

pillow_heif.register_heif_opener()
FACES = 30


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> DemoSummary:
    return make_demo_library(tmp_path_factory.mktemp("demo") / "photos", FACES, seed=4)


@pytest.fixture(scope="module")
def truth(made: DemoSummary) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((made.folder / TRUTH).read_text(encoding="utf-8"))
    return content


def upright(file: Path) -> Pixels:
    with Image.open(file) as image:
        return np.asarray(ImageOps.exif_transpose(image).convert("RGB"))


def digests(folder: Path) -> dict[str, str]:
    files = (file for file in folder.rglob("*") if file.is_file())
    return {str(f.relative_to(folder)): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}


def test_every_readable_face_is_found_where_the_truth_says(made: DemoSummary, truth: dict[str, Any]) -> None:
    """From the files as written: at least 98 % of the readable faces, nothing else, no unreadable one."""
    engine = SyntheticEngine()
    right = 0
    for path, faces in truth["photos"].items():
        found = engine.detect(upright(made.folder / path))
        drawn = sorted(face["box"] for face in faces if face["readable"])
        assert len(found) <= len(drawn), path
        for face in found:
            nearest = min(drawn, key=lambda box: abs(box[0] - face.box.x) + abs(box[1] - face.box.y))
            right += abs(nearest[0] - face.box.x) + abs(nearest[1] - face.box.y) < 0.1 * nearest[2]
    assert right >= 0.98 * FACES


def test_the_summary_counts_what_was_written(made: DemoSummary, truth: dict[str, Any]) -> None:
    """Pictures, faces, people and bad files agree with the truth and with the folder."""
    files = {
        str(file.relative_to(made.folder).as_posix()) for file in made.folder.rglob("*") if file.is_file()
    }
    assert files == {TRUTH, *truth["files"]}
    assert made.pictures == len(truth["photos"]) + len(truth["copies"])
    assert (
        made.faces == sum(face["readable"] for faces in truth["photos"].values() for face in faces) == FACES
    )
    assert made.people == len(truth["people"])
    assert made.bad_files == len(truth["bad_files"]) > 0
    assert made.copies == len(truth["copies"]) > 0


def test_it_says_that_its_faces_are_drawn(made: DemoSummary, truth: dict[str, Any]) -> None:
    """Both the truth file and the text beside the pictures say so plainly."""
    assert NOTE in truth["note"]
    assert NOTE in (made.folder / "READ ME.txt").read_text(encoding="utf-8")


def test_bad_files_are_bad_and_copies_are_equal(made: DemoSummary, truth: dict[str, Any]) -> None:
    """No bad file can be decoded whole; a copy has its original's bytes."""
    bomb = (Image.DecompressionBombError, Image.DecompressionBombWarning)  # by the limit that Pillow has now
    for path in truth["bad_files"]:
        with pytest.raises((OSError, SyntaxError, *bomb)), Image.open(made.folder / path) as image:
            image.load()
    for copy, original in truth["copies"].items():
        assert (made.folder / copy).read_bytes() == (made.folder / original).read_bytes()


def test_dates_go_into_exif_and_into_the_file_s_time(made: DemoSummary, truth: dict[str, Any]) -> None:
    """A dated JPEG's EXIF date has the year of its folder, and so has the file's time."""
    path = next(path for path in truth["photos"] if path.startswith("20") and path.lower().endswith("jpg"))
    with Image.open(made.folder / path) as image:
        taken = image.getexif().get_ifd(0x8769)[0x9003]
    assert taken[:4] == path[:4]
    assert abs((made.folder / path).stat().st_mtime / 31_556_952 + 1970 - int(path[:4])) < 1.01


@pytest.mark.depth
def test_the_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    """Two libraries of one seed are equal, drawn by one process or by two; another seed's is not."""
    one = make_demo_library(tmp_path / "one", 22, seed=9)
    two = make_demo_library(tmp_path / "two", 22, seed=9, workers=2)
    other = make_demo_library(tmp_path / "other", 22, seed=10)
    assert digests(one.folder) == digests(two.folder)
    assert digests(one.folder) != digests(other.folder)


@pytest.mark.depth
def test_a_library_is_made_anew_over_an_earlier_one(tmp_path: Path) -> None:
    """What the earlier one had is gone, what somebody else put there stays."""
    make_demo_library(tmp_path, 12, seed=1)
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    make_demo_library(tmp_path, 5, seed=2)
    assert (tmp_path / "mine.txt").read_text(encoding="utf-8") == "mine"
    (tmp_path / "mine.txt").unlink()
    fresh = make_demo_library(tmp_path.parent / f"{tmp_path.name} fresh", 5, seed=2)
    assert digests(tmp_path) == digests(fresh.folder)


def test_somebody_s_own_folder_is_refused(tmp_path: Path) -> None:
    """A folder with other things in it, or a file, is left alone and named in the error."""
    (tmp_path / "holiday.jpg").write_bytes(b"precious")
    with pytest.raises(InvalidInputError, match="not empty"):
        make_demo_library(tmp_path, 5)
    with pytest.raises(InvalidInputError, match="is a file"):
        make_demo_library(tmp_path / "holiday.jpg", 5)
    assert (tmp_path / "holiday.jpg").read_bytes() == b"precious"


def test_an_edited_truth_cannot_delete_outside_of_the_folder(tmp_path: Path) -> None:
    """A path that leads out of the library is an error, and its file stays."""
    victim = tmp_path / "victim.jpg"
    victim.write_bytes(b"precious")
    folder = tmp_path / "demo"
    folder.mkdir()
    (folder / TRUTH).write_text(json.dumps({"made_by": "image-search demo", "files": ["../victim.jpg"]}))
    with pytest.raises(InvalidInputError, match="outside"):
        make_demo_library(folder, 5)
    assert victim.exists()


def test_no_face_at_all_is_refused(tmp_path: Path) -> None:
    """Zero faces is an error that says what would be right."""
    with pytest.raises(InvalidInputError, match="at least one face"):
        make_demo_library(tmp_path, 0)


@pytest.mark.depth
def test_a_load_test_is_drawn_and_read(tmp_path: Path) -> None:
    """Beyond the album's limit every picture has ten faces, all found; progress counts to the end."""
    calls: list[tuple[int, int | None]] = []
    plan = plan_library(2_010, 1)
    for picture in plan.pictures[:6]:
        demo._draw_one((str(tmp_path), picture))
    engine = SyntheticEngine()
    assert [len(engine.detect(upright(file))) for file in tmp_path.rglob("*.jpg")] == [10] * 6
    make_demo_library(tmp_path / "small", 6, progress=lambda done, total: calls.append((done, total)))
    assert calls[-1][0] == calls[-1][1] == len(calls)


def test_a_kind_that_cannot_be_written_here_becomes_jpeg(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without an encoder for HEIC or AVIF the library has JPEG files instead, copies included."""
    monkeypatch.setattr(demo, "encodable", lambda kind: kind == "JPEG")
    plan = demo._possible_here(plan_library(600, 1))
    assert {picture.format for picture in plan.pictures} == {"JPEG"}
    assert all(Path(picture.path).suffix.lower() == ".jpg" for picture in plan.pictures)
    paths = {picture.path for picture in plan.pictures}
    assert all(original in paths for original in plan.copies.values())
