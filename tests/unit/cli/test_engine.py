"""``image-search engine`` as a user meets it, with the real engines on real photos."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from image_search_service.cli.app import app

Run = Callable[..., tuple[int, Any, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command on the test's library: exit code, its document, standard error."""
    monkeypatch.setenv("IMAGE_SEARCH_MODELS", str(tmp_path / "models"))
    monkeypatch.setenv("IMAGE_SEARCH_OFFLINE", "1")
    monkeypatch.delenv("IMAGE_SEARCH_MODEL_SOURCE", raising=False)  # of whoever runs the tests

    def invoke(*arguments: str) -> tuple[int, Any, str]:
        result = CliRunner().invoke(app, [*arguments, "--library", str(tmp_path / "library"), "--json"])
        return result.exit_code, json.loads(result.stdout), result.stderr

    return invoke


@pytest.mark.depth
def test_a_library_moves_from_dlib_to_the_default_engine(
    run: Run, tmp_path: Path, photos: Path, default_models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who was named with dlib keeps every face when the default engine can be had at last."""
    album = tmp_path / "album"
    album.mkdir()
    for person in ("Ann_Veneman", "Al_Sharpton"):
        for photo in sorted((photos / "lfw" / person).iterdir())[:4]:
            shutil.copy(photo, album / photo.name)
    code, document, notes = run("index", str(album))
    assert (code, document["engine"]) == (0, "dlib")
    assert "image-search engine opencv" in notes
    _, document, _ = run("people")
    cluster = document["clusters"][0]["id"]
    _, named, _ = run("name", cluster, "Somebody")
    monkeypatch.setenv("IMAGE_SEARCH_MODELS", str(default_models))
    code, moved, _ = run("engine", "opencv")
    assert code == 0
    assert (moved["former"], moved["engine"], moved["lost"]) == ("dlib", "opencv", [])
    _, document, _ = run("people")
    assert [(each["name"], each["faces"]) for each in document["people"]] == [("Somebody", named["faces"])]
    assert run("engine")[1] == {"engine": "opencv", "moving_to": None}
    assert run("doctor")[0] == 0
    code, document, _ = run("engine", "opencv")
    assert (code, document) == (0, {"engine": "opencv", "moved": False, "given_up": None})


def test_an_empty_library_has_nothing_to_move(run: Run) -> None:
    """It says to index photos first, and shows that there is no engine yet."""
    assert run("engine")[1] == {"engine": None, "moving_to": None}
    code, document, _ = run("engine", "opencv")
    assert code == 1
    assert "index" in document["error"]["hint"]
