"""What a user is told of engines: which can run, and whose numbers are measured."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from image_search_service.cli.app import app
from tests.support.models import save_recognizer

ESTIMATED = "The thresholds of the engine onnx are estimated"
Run = Callable[..., Any]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command on the test's library, without models and without downloads."""
    monkeypatch.setenv("IMAGE_SEARCH_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("IMAGE_SEARCH_OFFLINE", "1")

    def invoke(*arguments: str) -> Any:
        done = CliRunner().invoke(app, [*arguments, "--library", str(tmp_path / "library")])
        assert done.exit_code == 0, done.output
        return done

    return invoke


def thresholds(listed: Any) -> dict[str, str]:
    return {engine["name"]: engine["thresholds"] for engine in json.loads(listed.stdout)["engines"]}


def test_the_list_says_whose_thresholds_are_measured(run: Run, tmp_path: Path) -> None:
    """Engines that were measured are told from those with estimated numbers, in the table and as JSON."""
    own = save_recognizer(tmp_path / "own.onnx")
    said = thresholds(run("models", "list", "--recognizer", str(own), "--json"))
    assert said["opencv"] == said["dlib"] == said["synthetic"] == "measured"
    assert said["onnx"] == said["insightface"] == "estimated"
    lines = run("models", "list", "--recognizer", str(own)).stdout.splitlines()
    assert lines[0].split() == ["Engine", "Ready", "Numbers", "Thresholds"]
    column = lines[0].index("Thresholds")
    shown = {line.split()[0]: line[column:].split()[0] for line in lines[1 : len(said) + 1]}
    assert shown == said


def test_the_recogniser_that_was_measured_is_known_by_its_file(run: Run, models: Path) -> None:
    """The engine onnx is measured with MobileFaceNet and YuNet, and with no other file."""
    files = ("--detector", str(models / "face_detection_yunet_2023mar.onnx"))
    listed = run("models", "list", *files, "--recognizer", str(models / "mobilefacenet.onnx"), "--json")
    assert thresholds(listed)["onnx"] == "measured"


def test_indexing_says_once_that_thresholds_are_estimated(
    run: Run, tmp_path: Path, photos: Path, models: Path
) -> None:
    """The note comes when the library takes the engine, with the command that measures; never again."""
    album = tmp_path / "album"
    album.mkdir()
    first, second = sorted((photos / "lfw" / "Ann_Veneman").iterdir())[:2]
    shutil.copy(first, album)
    own = save_recognizer(tmp_path / "own.onnx")
    detector = models / "face_detection_yunet_2023mar.onnx"
    files = ("--engine", "onnx", "--detector", str(detector), "--recognizer", str(own))
    said = run("index", str(album), *files).stderr
    assert said.count(ESTIMATED) == 1
    assert "image-search calibrate FOLDER" in said
    shutil.copy(second, album)
    assert ESTIMATED not in run("index", str(album)).stderr
    assert ESTIMATED not in run("people").stderr


def test_indexing_with_measured_thresholds_says_nothing_of_them(run: Run, tmp_path: Path) -> None:
    """With an engine that was measured there is no such note."""
    run("demo", str(tmp_path / "album"), "--faces", "4")
    assert "are estimated" not in run("index", str(tmp_path / "album"), "--engine", "synthetic").stderr
