"""``image-search doctor``: what a human and a program are told, and the exit code."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from image_search_service.cli.app import app
from image_search_service.cli.doctor import doctor_lines
from image_search_service.services.doctor.findings import DoctorProblem, DoctorReport, Kind
from tests.support.drawn_photos import copy_some


@pytest.fixture(scope="module")
def library(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("command")
    run(folder / "library", "index", str(copy_some(drawn, folder / "album", 12)), "--engine", "synthetic")
    return folder / "library"


def run(library: Path, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, [*arguments, "--library", str(library)])
    return result.exit_code, result.stdout


def report(library: Path, *arguments: str) -> tuple[int, Any]:
    code, out = run(library, "doctor", "--json", *arguments)
    return code, json.loads(out)


def test_doctor_tells_what_is_wrong_and_mends_it(library: Path) -> None:
    """0 when nothing is wrong, 1 when something is, 0 when it has been repaired."""
    code, shown = run(library, "doctor")
    assert code == 0
    assert re.search(r"\b(\d+) faces, \1 points", shown)
    assert "Nothing is wrong." in shown
    crop = next((library / "crops").rglob("*.jpg"))
    crop.unlink()
    code, shown = run(library, "doctor")
    assert code == 1
    assert "The small picture of these faces is not there or empty." in shown
    assert f"  {crop}" in shown
    assert "image-search doctor --repair" in shown
    code, document = report(library)
    assert (code, document["healthy"]) == (1, False)
    assert document["findings"] == [
        {
            "kind": "missing_crop",
            "what": "The small picture of these faces is not there or empty.",
            "repair": "--repair makes it again from the photo",
            "found": 1,
            "repaired": 0,
            "examples": [str(crop)],
            "not_repaired_because": [],
        }
    ]
    assert document["waiting"] == {"payloads": 0, "points": 0, "files": 0}
    code, shown = run(library, "doctor", "--repair")
    assert (code, "Everything that was wrong is repaired." in shown) == (0, True)
    assert report(library)[1]["findings"] == []


def test_doctor_says_why_something_is_left(library: Path) -> None:
    """What cannot be repaired keeps the exit code at 1 and comes with its reason."""
    album = library.parent / "album"
    next((library / "crops").rglob("*.jpg")).unlink()
    away = album.rename(album.with_name("away"))
    code, shown = run(library, "doctor", "--repair")
    assert code == 1
    assert "1 left" in shown
    assert "not repaired: photo " in shown
    away.rename(album)
    assert report(library, "--repair")[0] == 0


@pytest.mark.parametrize(
    ("kinds", "repair", "verdict"),
    [
        ((), False, "Nothing is wrong."),
        ((Kind.UNLIKE_THE_OTHERS,), True, "Nothing is wrong; only you can say"),
        ((Kind.STALE_CENTROID,), False, "Nothing is wrong: centroids are computed again"),
        ((Kind.STALE_CENTROID,), True, "Everything that was wrong is repaired."),
        ((Kind.STALE_CENTROID, Kind.MISSING_CROP), False, "To mend it: image-search doctor --repair."),
        ((Kind.MISSING_CROP,), True, "Some of it cannot be repaired"),
    ],
)
def test_the_last_line_says_whether_all_is_well(kinds: Iterable[Kind], repair: bool, verdict: str) -> None:
    """What waits to be computed, and what only a human can say, is nothing wrong."""
    found = DoctorReport()
    found.add(DoctorProblem(kind, "one") for kind in kinds)
    if repair and Kind.STALE_CENTROID in kinds:
        found.repair(Kind.STALE_CENTROID, 1)
    *_, last = doctor_lines(found, repair=repair)
    assert str(last).startswith(verdict)


def test_doctor_of_nothing(tmp_path: Path) -> None:
    """A library that is empty is an error with what to do."""
    code, document = report(tmp_path / "library")
    assert (code, document["error"]["type"]) == (1, "NotFoundError")
