"""What the documents say of the code is there."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from image_search_service.cli.lazy_group import ENTRIES, load_command
from image_search_service.core.config import PREFIX, SECRETS, Settings

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "image_search_service"
DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix() for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"))
)
NOT_THERE = {"CHANGELOG.md": "scripts/calibrate_thresholds.py", "CONTRIBUTING.md": "albums"}
"""What is in the names of files that a document names although they are not there: it says that they were
removed, or how to add them."""


def text_of(document: str) -> str:
    return (ROOT / document).read_text(encoding="utf-8")


def named_files(text: str) -> set[tuple[str, str]]:
    """Python files that a text names between backticks, and the test after ``::``, if there is one."""
    return set(re.findall(r"`([\w./-]+\.py)(?:::(\w+))?`", text))


def is_there(name: str, test: str) -> bool:
    """Whether a file lies below the repository, the package or the tests, and has the test."""
    folders = (PACKAGE, ROOT / "tests", ROOT / "scripts", ROOT / "benchmarks")
    files = [file for folder in folders for file in folder.rglob(name)]
    files += [ROOT / name] if (ROOT / name).is_file() else []
    return any(not test or re.search(rf"\b(def|class) {test}\b", file.read_text("utf-8")) for file in files)


def anchors(text: str) -> set[str]:
    """A text's headings as parts of an address, made as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def commands_called(text: str) -> set[str]:
    """Commands between backticks or at the beginning of a line, up to a comment or the next command."""
    code = re.findall(r"`(image-search [^`\n]+)`|^(?:\$ )?(image-search [^\n]+)", text, flags=re.MULTILINE)
    return {re.split(r"[#|&;>]", span or line)[0].strip() for span, line in code}


def unknown_words(call: str) -> list[str]:
    """The command or options in a call that the command line does not have."""
    words = call.split()[1:]
    if words[0].startswith("-"):
        return [word for word in words if word not in {"--help", "--version"}]
    if words[0] not in ENTRIES:
        return [words[0]]
    command: Any = load_command(ENTRIES[words[0]])
    command = getattr(command, "commands", {}).get(words[1] if words[1:] else "", command)
    known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    return [word for word in words if word.startswith("--") and word.partition("=")[0] not in known]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_named_files_exist(document: str) -> None:
    """Every Python file that a document names is there, and so is every test in it."""
    missing = {name for name in named_files(text_of(document)) if not is_there(*name)}
    expected = {(name, test) for name, test in missing if NOT_THERE.get(document, "\0") in name}
    assert missing - expected == set()


@pytest.mark.parametrize("document", DOCUMENTS)
def test_links_lead_somewhere(document: str) -> None:
    """Every link within the repository leads to a file, and to a heading of it if it names one."""
    for link in re.findall(r"\]\(([^)\s]+)\)", text_of(document)):
        if not link.startswith("http"):
            name, _, anchor = link.partition("#")
            target = (ROOT / document).parent / name if name else ROOT / document
            assert target.exists(), link
            assert not anchor or anchor in anchors(target.read_text("utf-8")), link


@pytest.mark.parametrize("document", DOCUMENTS)
def test_commands_and_options_exist(document: str) -> None:
    """Every call of ``image-search`` in a document names a command, and options that the command has."""
    wrong = {call: unknown_words(call) for call in commands_called(text_of(document))}
    assert {call: words for call, words in wrong.items() if words} == {}


def test_every_setting_is_in_the_table() -> None:
    """The table of settings lists exactly the settings, and no document names a variable that is none."""
    settings = {PREFIX + name.upper() for name in Settings.model_fields}
    table = re.findall(rf"^\| `({PREFIX}\w+)` \|", text_of("docs/operations.md"), flags=re.MULTILINE)
    assert sorted(table) == sorted(settings)
    named = {
        name for document in DOCUMENTS for name in re.findall(rf"\b{PREFIX}[A-Z_]*[A-Z]\b", text_of(document))
    }
    others = {f"{PREFIX}{name.upper()}_FILE" for name in SECRETS} | {
        f"{PREFIX}TEST_EDITS",
        f"{PREFIX}TEST_KILL_ROUNDS",
    }
    assert named - settings - others == set()


def test_what_is_missing_is_noticed() -> None:
    """Names, calls and headings are found in running text, tables and blocks of code."""
    text = "# Two words, here\n`db/a.py`, `x.py::test_a`, `image-search nope`\nimage-search index --no # x\n"
    assert named_files(text) == {("db/a.py", ""), ("x.py", "test_a")}
    assert anchors(text) == {"two-words-here"}
    assert commands_called(text) == {"image-search nope", "image-search index --no"}
    assert [unknown_words(call) for call in sorted(commands_called(text))] == [["--no"], ["nope"]]
    assert not is_there("db/nowhere.py", "")
    assert not is_there("tests/architecture/test_documents.py", "test_nothing")
