"""The systemd unit that ``serve --print-unit`` prints."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from image_search_service.cli.unit import unit_text

ENVIRONMENT = {
    "IMAGE_SEARCH_LIBRARY": "/data/my photos/100%",
    "IMAGE_SEARCH_PORT": "8080",
    "IMAGE_SEARCH_MODELS": "/a\nUser=root",
}


def text(owner: str | None) -> str:
    return unit_text(
        command=["/bin/sh", "-c", "exit"],
        environment=ENVIRONMENT,
        secret=["IMAGE_SEARCH_REDIS_URL"],
        writable=[Path("/data/my photos/100%"), Path("/models")],
        owner=owner,
    )


def test_it_has_the_librarys_paths_and_no_secret() -> None:
    """Signs that mean something to systemd are escaped; of a secret only its name is there."""
    unit = text("ada").splitlines()
    assert 'Environment="IMAGE_SEARCH_LIBRARY=/data/my photos/100%%"' in unit
    assert "Environment=IMAGE_SEARCH_PORT=8080" in unit
    assert 'Environment="IMAGE_SEARCH_MODELS=/a\\x0aUser=root"' in unit
    assert 'ReadWritePaths="-/data/my photos/100%%" -/models' in unit
    assert "User=ada" in unit
    assert [line for line in unit if "REDIS" in line and not line.startswith("#")] == []


@pytest.mark.parametrize("owner", [None, "root"])
def test_systemd_takes_it(owner: str | None, tmp_path: Path) -> None:
    """A unit of the system and one of a user's session are without fault."""
    if shutil.which("systemd-analyze") is None:
        pytest.skip("there is no systemd-analyze: apt-get install systemd")
    unit = tmp_path / "image-search.service"
    unit.write_text(text(owner))
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
