"""What the project promises to those who install it or change it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "image_search_service"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
INTERNALS_ARE_USED = ("qdrant-client", "qdrant-edge-py", "huey", "typer")


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").split()
    return {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in lines)}


def requirements() -> list[Requirement]:
    return [Requirement(text) for text in PROJECT["dependencies"]]


def test_what_is_pinned_is_what_is_required() -> None:
    """Each dependency is pinned in the constraints, to a version within its bounds."""
    pinned = pins()
    for required in requirements():
        version = pinned[canonicalize_name(required.name)]
        assert required.specifier.contains(version), f"{required} is pinned to {version}"


@pytest.mark.parametrize("name", INTERNALS_ARE_USED)
def test_internals_are_bounded(name: str) -> None:
    """A library of which undocumented parts are used has a lower and an upper bound."""
    (required,) = [one for one in requirements() if one.name == name]
    assert {"<", ">="} <= {part.operator for part in required.specifier}


def test_the_index_page_needs_no_repository() -> None:
    """The page on a package index has neither pictures nor relative links, which would be broken there."""
    text = (ROOT / PROJECT["readme"]).read_text(encoding="utf-8")
    assert re.findall(r"!\[", text) == []
    assert [link for link in re.findall(r"\]\(([^)]+)\)", text) if "://" not in link] == []


def test_contributing_names_files_that_exist() -> None:
    """Every path in CONTRIBUTING.md's answers, and in docs/security.md, is there."""
    answers = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("## Ten questions")[1]
    named = re.findall(r"`([\w./]+/[\w.]+\.\w+)`", answers.split("## A release")[0])
    named += re.findall(
        r"`([\w./]+/[\w.]+\.py)`", (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
    )
    assert len(named) > 20
    assert [path for path in named if not any((base / path).exists() for base in (ROOT, SOURCE))] == []


def test_ten_questions_are_answered() -> None:
    """Each has a number and at least one path."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    questions = re.findall(r"^(\d+)\. (.*\?.*`.+`.*)$", text, re.MULTILINE)
    assert [int(number) for number, _ in questions] == list(range(1, 11))
