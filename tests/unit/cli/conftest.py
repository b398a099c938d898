"""The command, run on one library a module."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from image_search_service.cli.app import app

Run = Callable[..., tuple[int, Any, str]]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("command") / "library"


@pytest.fixture
def run(library: Path) -> Run:
    """Run a command on the module's library: exit code, what ``--json`` printed, standard error."""

    def invoke(*arguments: str, json_: bool = True) -> tuple[int, Any, str]:
        options = ["--library", str(library), *(["--json"] if json_ else [])]
        result = CliRunner().invoke(app, [*arguments, *options])
        out = json.loads(result.stdout) if json_ and result.stdout else result.stdout
        return result.exit_code, out, result.stderr

    return invoke
