"""exiftool, which writes regions of every dialect and reads them: Debian's libimage-exiftool-perl."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from image_search_service.core.types import Box

NEEDS_EXIFTOOL = pytest.mark.skipif(
    shutil.which("exiftool") is None,
    reason="exiftool is not installed: apt-get install libimage-exiftool-perl",
)


def exiftool(*arguments: str | Path) -> str:
    """Its output. Raises CalledProcessError."""
    return subprocess.run(
        ["exiftool", "-q", *map(str, arguments)], check=True, capture_output=True, text=True
    ).stdout


def write_regions(path: Path, regions: dict[str, Box], size: tuple[int, int]) -> None:
    """MWG regions into a photo or sidecar; boxes in shares of the stored picture of ``size``."""
    listed = ",".join(
        f"{{Area={{H={box.height},W={box.width},X={box.center[0]},Y={box.center[1]},Unit=normalized}},"
        f"Name={name},Type=Face}}"
        for name, box in regions.items()
    )
    applied = f"{{H={size[1]},W={size[0]},Unit=pixel}}"
    exiftool(
        "-overwrite_original", f"-RegionInfo={{AppliedToDimensions={applied},RegionList=[{listed}]}}", path
    )


def read_regions(path: Path) -> dict[str, Box]:
    """The named MWG regions of a photo or sidecar, in shares of the stored picture."""
    (document,) = json.loads(exiftool("-j", "-n", "-struct", "-RegionInfo", path))
    listed: list[dict[str, Any]] = document.get("RegionInfo", {}).get("RegionList", [])
    return {region["Name"]: _box(region["Area"]) for region in listed}


def _box(area: dict[str, float]) -> Box:
    width, height = area["W"], area["H"]
    return Box(area["X"] - width / 2, area["Y"] - height / 2, width, height)
