"""``image-search calibrate`` on real photos with a real recogniser."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from image_search_service.cli.app import app
from image_search_service.cli.output import Output
from image_search_service.core.config import Settings
from image_search_service.library.opening import open_library

PEOPLE = 470
"""With a photo each they make just over the 100,000 pairs that are needed."""


@pytest.fixture
def engine(models: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    monkeypatch.setenv("IMAGE_SEARCH_LIBRARY", str(tmp_path / "library"))
    files = {"--detector": "face_detection_yunet_2023mar.onnx", "--recognizer": "mobilefacenet.onnx"}
    return [
        "--engine",
        "onnx",
        *(part for option, name in files.items() for part in (option, str(models / name))),
    ]


def people(photos: Path, folder: Path, count: int) -> Path:
    """A folder of some people with a photo each."""
    for person in sorted((photos / "lfw").iterdir())[:count]:
        (folder / person.name).mkdir(parents=True)
        first = min(person.iterdir())
        (folder / person.name / first.name).write_bytes(first.read_bytes())
    return folder


def run(*words: str) -> tuple[int, Any, str]:
    result = CliRunner().invoke(app, [*words, "--json"])
    return result.exit_code, json.loads(result.stdout) if result.stdout else None, result.stderr


@pytest.mark.depth
def test_what_was_measured_is_used_by_the_library(photos: Path, engine: list[str], tmp_path: Path) -> None:
    """Thresholds near the engine's are stored and used from then on, and faces are to be grouped again."""
    folder = people(photos, tmp_path / "people", PEOPLE)
    code, found, _ = run("calibrate", str(folder), *engine)
    assert code == 0
    assert found["stored"] is True
    assert found["thresholds"]["same_person"] == pytest.approx(0.344, abs=0.04)
    assert found["recognizability"]["sign"] == "blank"
    out = Output(as_json=True)
    with open_library(Settings(library=tmp_path / "library"), out.note, out.progress) as opened:
        assert opened.stores.thresholds.same_person == found["thresholds"]["same_person"]
        calibration = opened.engine_binding.calibration()
        row = opened.engine_binding.require_row()
    assert calibration.is_measured
    assert calibration.records["thresholds"].command.startswith("image-search calibrate people")
    assert row.grouping_stale


def test_a_dry_run_stores_nothing_and_few_people_are_not_enough(
    photos: Path, engine: list[str], tmp_path: Path
) -> None:
    """With thirty people the command says how many pairs are needed, and makes no library."""
    folder = people(photos, tmp_path / "people", 30)
    code, _, said = run("calibrate", str(folder), "--dry-run", *engine)
    assert code == 2
    assert "100,000 are needed" in said
    assert not (tmp_path / "library").exists()
