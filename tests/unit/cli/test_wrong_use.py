"""What is wrong use, which sizes are understood, and the models that engines need."""

from __future__ import annotations

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from image_search_service.cli.app import app
from image_search_service.cli.context import parse_size
from image_search_service.core.errors import InvalidInputError
from tests.unit.cli.conftest import Run


def test_typing_errors_are_wrong_use(run: Run) -> None:
    """An unknown option or a missing argument ends with 2."""
    assert CliRunner().invoke(app, ["people", "--nonsense"]).exit_code == 2
    assert CliRunner().invoke(app, ["name"]).exit_code == 2


def test_models_list_and_check(run: Run) -> None:
    """Every engine is listed with what it needs; dlib's weights are whole."""
    listed = run("models", "list")[1]["engines"]
    assert {engine["name"] for engine in listed} >= {"opencv", "onnx", "dlib", "insightface", "synthetic"}
    assert next(engine for engine in listed if engine["name"] == "dlib")["ready"]
    code, document, _ = run("models", "check")
    assert code == 0
    assert "ok" in {file["state"] for file in document["files"]}


def test_module_is_the_same_as_the_command() -> None:
    """``python -m image_search_service --help`` starts, and lists the commands."""
    command = [sys.executable, "-m", "image_search_service", "--help"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "evaluate" in shown


@pytest.mark.parametrize(
    ("text", "size"), [("500M", 500 * 2**20), ("2g", 2**31), ("1.5 GiB", 3 * 2**29), ("1024", 1024)]
)
def test_sizes_are_read_as_people_write_them(text: str, size: int) -> None:
    """Units are powers of 1,024."""
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "-1", "0", "M", "two", "1e400"])
def test_sizes_that_are_none_are_refused(text: str) -> None:
    """What is no size is wrong use."""
    with pytest.raises(InvalidInputError):
        parse_size(text)
