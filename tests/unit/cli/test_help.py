"""``image-search --help``: what it lists, and what each command says of itself."""

from __future__ import annotations

import re
from typing import Any

import pytest
from typer.testing import CliRunner

from image_search_service import __version__
from image_search_service.cli.app import app
from image_search_service.cli.commands import PANELS, CommandEntry
from image_search_service.cli.lazy_group import ENTRIES, load_command

RIDDLES = re.compile(r"\b(whose|its number|its id|some of them|how many|who|whom)\.", re.IGNORECASE)


def shown(*arguments: str) -> str:
    result = CliRunner().invoke(app, [*arguments, "--help"], env={"COLUMNS": "80"})
    assert result.exit_code == 0, result.output
    return result.stdout


def commands_of(entry: CommandEntry) -> list[Any]:
    """The command, and those below it."""
    command = load_command(entry)
    return [command, *getattr(command, "commands", {}).values()]


def test_every_command_has_one_line_that_is_not_cut() -> None:
    """Each command stands in its panel with its whole line, within 80 columns."""
    lines = shown().splitlines()
    assert max(map(len, lines)) <= 80
    for panel, entries in PANELS.items():
        at = lines.index(f"{panel}:") + 1
        for entry, line in zip(entries, lines[at:], strict=False):
            assert line.split(maxsplit=1) == [entry.name, entry.help]


def test_names_are_unique() -> None:
    """No name stands in two panels."""
    assert len(ENTRIES) == sum(map(len, PANELS.values()))


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=list(ENTRIES))
def test_the_line_begins_the_commands_own_help(entry: CommandEntry) -> None:
    """The line in the list is the first of ``image-search COMMAND --help``."""
    command = load_command(entry)
    assert (command.help or "").split("\n\n")[0] == entry.help
    usage = " ".join(shown(entry.name).split())
    assert usage.startswith(f"Usage: image-search {entry.name} ")
    assert entry.help in usage


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=list(ENTRIES))
def test_subcommands_have_one_line_that_is_not_cut(entry: CommandEntry) -> None:
    """A command's list of subcommands shows the whole first line of each one's help, within 80 columns."""
    lines = shown(entry.name).splitlines()
    assert max(map(len, lines)) <= 80
    for name, command in getattr(load_command(entry), "commands", {}).items():
        first = (command.help or "").split("\n\n")[0]
        assert [name, first] in [line.split(maxsplit=1) for line in lines]


@pytest.mark.parametrize("entry", ENTRIES.values(), ids=list(ENTRIES))
def test_arguments_and_options_say_what_to_type(entry: CommandEntry) -> None:
    """Each argument and option has a help text, a sentence of its own that stands alone."""
    for command in commands_of(entry):
        for parameter in command.params:
            text = getattr(parameter, "help", None) or ""
            assert text, f"{command.name} {parameter.name}"
            assert not RIDDLES.fullmatch(text), f"{command.name} {parameter.name}: {text}"
            assert re.match(r"[A-Z]", text), f"{command.name} {parameter.name}: {text}"


@pytest.mark.parametrize("command", ["accept", "reject"])
def test_a_missing_person_is_named(command: str) -> None:
    """Without ``--person`` the error names that option, instead of looking for a person without a name."""
    result = CliRunner().invoke(app, [command])
    assert result.exit_code == 2
    assert "--person" in result.output


def test_version() -> None:
    """``--version`` prints the package's version."""
    result = CliRunner().invoke(app, ["--version"])
    assert (result.exit_code, result.stdout) == (0, f"image-search {__version__}\n")


def test_a_mistyped_command_is_guessed() -> None:
    """An unknown command names those that are spelt like it, without importing any."""
    result = CliRunner().invoke(app, ["peopel"])
    assert result.exit_code == 2
    assert "'people'" in result.output
