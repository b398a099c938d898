"""The programs in ``examples/``, run as their users run them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.service_processes import free_port, serving

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(*command: str) -> str:
    """What a Python program prints."""
    done = subprocess.run([sys.executable, *command], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def image_search(*arguments: str) -> str:
    return run("-m", "image_search_service", *arguments)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of drawn people."""
    folder = tmp_path_factory.mktemp("examples")
    image_search("demo", str(folder / "photos"), "--faces", "60")
    image_search(
        "index", str(folder / "photos"), "--engine", "synthetic", "--library", str(folder / "library")
    )
    return folder / "library"


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
    decided = json.loads(image_search("history", "--library", str(library), "--json"))["decisions"]
    assert [one["actor"] for one in decided] == ["examples/name_people.py"]

    port = free_port()
    photos = json.loads(
        image_search("photos", "--person", "Ada Lovelace", "--library", str(library), "--json")
    )["photos"]
    with serving({"library": library, "port": port, "require_token": True}):
        search = str(EXAMPLES / "search_from_another_service.py")
        found = run(search, f"http://127.0.0.1:{port}", str(library / "token"), "Ada Lovelace")
    assert found.splitlines()[0] == f"{len(photos)} photos show Ada Lovelace:"
    assert all(str(photo["path"]) in found for photo in photos)
