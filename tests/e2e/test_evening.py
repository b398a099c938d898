"""On real photos, as a new user goes about it: decisions of an evening, and everything is as it was said."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from image_search_service.cli.app import app

PEOPLE, EACH, STRANGERS = 25, 10, 60
"""People with most photos, so many photos of each; people with one."""

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def album(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("album")
    folders = sorted(
        (folder for folder in (photos / "lfw").iterdir() if folder.is_dir()),
        key=lambda folder: (-len(list(folder.iterdir())), folder.name),
    )
    for folder in folders[:PEOPLE] + folders[-STRANGERS:]:
        (made / folder.name).mkdir()
        for file in sorted(folder.iterdir())[:EACH]:
            shutil.copy(file, made / folder.name)
    return made


def on(library: Path) -> Run:
    """Commands on one library."""

    def run(*arguments: str) -> Any:
        result = CliRunner().invoke(app, [*arguments, "--json", "--library", str(library)])
        assert result.exit_code == 0, (arguments, result.stdout)
        return json.loads(result.stdout)

    return run


def exported(library: Path, file: Path) -> list[str]:
    result = CliRunner().invoke(app, ["export", str(file), "--library", str(library)])
    assert result.exit_code == 0
    return file.read_text(encoding="utf-8").splitlines()


def named(run: Run) -> dict[str, int]:
    return {person["name"]: person["faces"] for person in run("people")["people"]}


def name_twenty(run: Run) -> list[str]:
    names: list[str] = []
    for group in run("people")["clusters"][:20]:
        name = Path(group["sample"]).parent.name
        names.append(name if name not in names else f"{name} again")
        run("name", group["id"], names[-1])
    return names


@pytest.mark.depth
def test_an_evening(album: Path, models: Path, tmp_path: Path) -> None:
    """Twenty are named, suggestions answered, two merged, all grouped again, the merge undone, and a backup
    restored elsewhere: everything is as it was said."""
    run = on(tmp_path / "library")
    engine = ["--engine", "onnx", "--recognizer", str(models / "mobilefacenet.onnx")]
    run("index", str(album), *engine, "--detector", str(models / "face_detection_yunet_2023mar.onnx"))
    names = name_twenty(run)
    assert len(names) == len(set(names)) == 20
    assert len(run("unassign", *some_faces(tmp_path / "library", names[0], tmp_path))) == 3
    answered = {"accept": 0, "reject": 0}
    for name in names:
        found = run("suggest", "--person", name, "--limit", "5")["suggestions"]
        for answer, right in (("accept", True), ("reject", False)):
            chosen = [one["face_id"] for one in found if (Path(one["path"]).parent.name in name) is right]
            if chosen:
                answered[answer] += run(answer, *chosen, "--person", name)["changes"]
    assert answered["accept"] + answered["reject"] > 0
    before = named(run)
    said = exported(tmp_path / "library", tmp_path / "before.jsonl")
    merge = run("merge", names[1], "--into", names[2])["decision"]
    assert names[1] not in named(run)
    run("cluster")
    run("assign")
    run("cluster")
    run("undo", str(merge))
    after = named(run)
    assert all(after[name] >= faces for name, faces in before.items())
    now = exported(tmp_path / "library", tmp_path / "after.jsonl")
    assert [line for line in now if '"kind": "decision"' not in line] == [
        line for line in said if '"kind": "decision"' not in line
    ]
    assert run("rebuild", "--check")["wrong"] == 0
    run("backup", str(tmp_path / "backup"))
    elsewhere = on(tmp_path / "elsewhere")
    elsewhere("restore", str(tmp_path / "backup"))
    assert exported(tmp_path / "elsewhere", tmp_path / "elsewhere.jsonl") == now
    assert elsewhere("people") == run("people")
    assert elsewhere("history") == run("history")
    elsewhere("undo", str(elsewhere("history", "--limit", "1")["decisions"][0]["id"]))
    assert names[1] not in named(elsewhere)


def some_faces(library: Path, name: str, folder: Path) -> list[str]:
    """Two faces of a person, from what export says."""
    lines = [json.loads(line) for line in exported(library, folder / "faces.jsonl")]
    (person,) = [line["id"] for line in lines if line.get("name") == name]
    return [line["id"] for line in lines if line.get("person") == person][:2]
