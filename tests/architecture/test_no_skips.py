"""In CI a skipped test fails the run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CONFTEST = "from tests.support.no_skips import NoSkips\n\ndef pytest_configure(config):\n    config.pluginmanager.register(NoSkips({allowed}))\n"  # noqa: E501 - a file's text
SKIPPED = "import pytest\n\ndef test_it():\n    pytest.skip('no server here')\n"
EXPECTED_FAILURE = "import pytest\n\n@pytest.mark.xfail(strict=True)\ndef test_it():\n    raise ValueError\n"


def run(folder: Path, test: str, allowed: str = "") -> subprocess.CompletedProcess[str]:
    """pytest, as a command, on one made-up file."""
    (folder / "conftest.py").write_text(CONFTEST.format(allowed=allowed), encoding="utf-8")
    (folder / "test_made_up.py").write_text(test, encoding="utf-8")
    (folder / "pytest.ini").write_text(f"[pytest]\npythonpath = {ROOT}\n", encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(folder)]
    without_plugins = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # which take most of the time
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, env=without_plugins
    )


@pytest.mark.parametrize(
    "test", [SKIPPED, "import pytest\npytest.skip('no server here', allow_module_level=True)\n"]
)
def test_a_skip_fails_the_run(tmp_path: Path, test: str) -> None:
    """A skipped test, or a skipped file of tests, turns a green run red and is named with its reason."""
    done = run(tmp_path, test)
    assert done.returncode != 0
    assert "nothing may be" in done.stdout
    assert "no server here" in done.stdout


@pytest.mark.parametrize(
    ("test", "allowed"),
    [("def test_it():\n    pass\n", ""), (EXPECTED_FAILURE, ""), (SKIPPED, "['no server']")],
)
def test_all_else_passes(tmp_path: Path, test: str, allowed: str) -> None:
    """A run without skips stays green, and one with a reason that is allowed."""
    done = run(tmp_path, test, allowed)
    assert done.returncode == 0, done.stdout
