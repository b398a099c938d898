"""How much memory a process may use."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from image_search_service.core import machine


@pytest.fixture
def groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine whose control groups are in this folder, without `ulimit -v`."""
    monkeypatch.setattr(machine, "CGROUPS", tmp_path)
    monkeypatch.setattr(machine, "OWN_GROUPS", tmp_path / "own")
    monkeypatch.setattr(machine, "_address_space", list)
    return tmp_path


def test_without_a_limit_it_is_the_machines(groups: Path) -> None:
    """Where there are no control groups, as on macOS, the process may use what the machine has."""
    assert machine.memory() == psutil.virtual_memory().total


def test_control_groups_without_a_limit_say_nothing(groups: Path) -> None:
    """A group whose limit is "max" leaves what the machine has."""
    (groups / "own").write_text("0::/session\n")
    (groups / "session").mkdir()
    for folder in (groups, groups / "session"):
        (folder / "memory.max").write_text("max\n")
    assert machine.memory() == psutil.virtual_memory().total


def test_the_smallest_limit_counts(groups: Path) -> None:
    """A container's limit is that of the group above it, too."""
    (groups / "own").write_text("0::/session\n")
    (groups / "session").mkdir()
    (groups / "memory.max").write_text("1000\n")
    (groups / "session" / "memory.max").write_text("2000\n")
    assert machine.memory() == 1000
