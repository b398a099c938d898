"""``image-search evaluate``: scores of engine and grouping on photos of known people."""

from __future__ import annotations

import json
import math
import re
import shutil
from pathlib import Path
from typing import Any

from PIL import Image, ImageOps

from tests.unit.cli.conftest import Run


def test_evaluate_scores_folders_of_people(run: Run, drawn: Path, tmp_path: Path) -> None:
    """Photos sorted into a folder for the person in the middle are grouped well; no library is left."""
    truth = json.loads((drawn / "truth.json").read_text(encoding="utf-8"))["photos"]
    for path, faces in truth.items():
        if path.endswith(".jpg") and faces and all(face["readable"] for face in faces):
            target = tmp_path / f"person {central(drawn / path, faces)}" / path.replace("/", " ")
            target.parent.mkdir(exist_ok=True)
            shutil.copy(drawn / path, target)
    people = len(list(tmp_path.iterdir()))
    page = tmp_path.with_name(f"{tmp_path.name}.html")
    code, document, _ = run("evaluate", str(tmp_path), "--engine", "synthetic", "--report", str(page))
    assert code == 0
    assert document["identities"] == people
    assert document["bcubed"]["f"] > 0.9, document
    assert set(document["pairwise"]) == {"precision", "recall", "f"}
    check_report(page, document)


def check_report(page: Path, document: dict[str, Any]) -> None:
    """The page needs nothing but itself, and its mistakes add up to the scores."""
    shown = page.read_text(encoding="utf-8")
    assert "<svg" in shown
    assert not re.search(r"(src|href)=[\"']?(?!data:)", shown)
    figures = json.loads(page.with_suffix(".json").read_text(encoding="utf-8"))
    assert figures["scores"]["pairwise"] == document["pairwise"]
    assert figures["curve"][-1]["coverage"] == document["coverage"]
    assert figures["curve"][-1]["precision"] == document["purity"]
    wrong = sum(group["wrong_pairs"] for group in figures["mixed"])
    missing = sum(one["missing_pairs"] for one in figures["split"])
    assert (wrong == 0) == (document["pairwise"]["precision"] == 1)
    assert (missing == 0) == (document["pairwise"]["recall"] == 1)
    assert missing == 0 or "data:image/jpeg;base64," in shown


def central(photo: Path, faces: list[dict[str, Any]]) -> int:
    """The person whose face is nearest the middle of the upright photo."""
    with Image.open(photo) as image:
        width, height = ImageOps.exif_transpose(image).size

    def off(face: dict[str, Any]) -> float:
        x, y, w, h = face["box"]
        return math.hypot(x + w / 2 - width / 2, y + h / 2 - height / 2)

    return int(min(faces, key=off)["person"])
