"""The programs in ``examples/``, run as their users run them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from image_search_service.cli.app import app
from tests.support.service_processes import free_port, serving

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(*command: str) -> str:
    """What a Python program prints."""
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def image_search(library: Path, *arguments: str) -> Any:
    """What a command on a library prints as JSON."""
    done = CliRunner().invoke(app, [*arguments, "--library", str(library), "--json"])
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def library(drawn: Path, tmp_path: Path) -> Path:
    """A library of drawn people."""
    image_search(tmp_path / "library", "index", str(drawn), "--engine", "synthetic")
    return tmp_path / "library"


def test_embeddings_of_a_collection_of_ones_own() -> None:
    """All of the made-up collection's embeddings arrive as one array, and none is missing."""
    shown = run(str(EXAMPLES / "fetch_embeddings.py"))
    assert "10,000 of 10,000 embeddings" in shown
    assert "(10000, 512) float32" in shown


@pytest.mark.depth
def test_people_are_named_by_a_script_and_found_by_another_service(library: Path) -> None:
    """A group is named, the name is a decision, and the person's photos are listed over HTTP."""
    script = str(EXAMPLES / "name_people.py")
    group, faces = run(script, str(library)).split()[:2]
    assert f"{faces} faces are now Ada Lovelace" in run(script, str(library), f"{group}=Ada Lovelace")
    decided = image_search(library, "history")["decisions"]
    assert [one["actor"] for one in decided] == ["examples/name_people.py"]

    port = free_port()
    photos = image_search(library, "photos", "--person", "Ada Lovelace")["photos"]
    with serving({"library": library, "port": port, "require_token": True}):
        search = str(EXAMPLES / "search_from_another_service.py")
        found = run(search, f"http://127.0.0.1:{port}", str(library / "token"), "Ada Lovelace")
    assert found.splitlines()[0] == f"{len(photos)} photos show Ada Lovelace:"
    assert all(str(photo["path"]) in found for photo in photos)
