"""A few photos of the library that a run has drawn: drawing others would take longer than most tests."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from image_search_service.demo.library import TRUTH


def copy_some(drawn: Path, folder: Path, faces: int, *, after: int = 0) -> Path:
    """``folder`` with the first JPEG photos of ``drawn`` that show so many readable faces, or a few more.

    after: so many of those photos are passed over, for two folders with nothing in common.
    """
    folder.mkdir(parents=True, exist_ok=True)
    photos = json.loads((drawn / TRUTH).read_text(encoding="utf-8"))["photos"]
    there = 0
    for path, shown in [(path, shown) for path, shown in photos.items() if path.endswith(".jpg")][after:]:
        if there >= faces:
            break
        there += sum(face["readable"] for face in shown)
        shutil.copy2(drawn / path, folder / path.replace("/", " "))
    return folder
