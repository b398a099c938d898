"""A group of commands that imports a command's module when the command is called."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any, cast

import typer
from typer.core import (  # type: ignore[attr-defined] # CompletionItem comes from its own copy of Click
    CompletionItem,
    TyperCommand,
    TyperGroup,
)

from image_search_service.cli.commands import PANELS, CommandEntry

TYPER_OPTIONS: dict[str, Any] = {
    "add_completion": False,
    "pretty_exceptions_enable": False,
    "rich_markup_mode": None,
}
"""Of every Typer app here. Help is plain text: Rich alone would take longer than the rest of ``--help``."""

ENTRIES = {entry.name: entry for entries in PANELS.values() for entry in entries}


class LazyCommands(Mapping[str, "TyperCommand | TyperGroup"]):
    """The commands by name; each is imported when it is first looked up."""

    def __init__(self) -> None:
        self._loaded: dict[str, TyperCommand | TyperGroup] = {}

    def __getitem__(self, name: str) -> TyperCommand | TyperGroup:
        if name not in self._loaded:
            self._loaded[name] = load_command(ENTRIES[name])
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(ENTRIES)

    def __len__(self) -> int:
        return len(ENTRIES)

    def __contains__(self, name: object) -> bool:
        return name in ENTRIES


def load_command(entry: CommandEntry) -> TyperCommand | TyperGroup:
    """Import the command's module and build the command."""
    module, _, attribute = entry.place.partition(":")
    with _imported_for_good():
        target = getattr(import_module(f"image_search_service.cli.{module}"), attribute)
    if isinstance(target, typer.Typer):
        app = target
    else:
        app = typer.Typer(**TYPER_OPTIONS)
        app.command(entry.name)(target)
    command = cast("TyperCommand | TyperGroup", typer.main.get_command(app))
    command.name = entry.name
    return command


@contextmanager
def _imported_for_good() -> Iterator[None]:
    """What is imported stays until the process ends: looking for garbage among it, while it is imported and
    again at the end, takes a third of a short command."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


class LazyGroup(TyperGroup):
    """``image-search`` itself. Its help and the completion of its commands come from ``PANELS``."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.commands = cast("MutableMapping[str, Any]", LazyCommands())

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - Click's signature
        """A section for each panel, a line for each command."""
        width = max(map(len, ENTRIES))
        for panel, entries in PANELS.items():
            with formatter.section(panel):
                formatter.write_dl([(entry.name.ljust(width), entry.help) for entry in entries])

    def shell_complete(self, ctx: Any, incomplete: str) -> list[Any]:
        """Names of commands and options that begin so."""
        names = [
            CompletionItem(entry.name, help=entry.help)
            for entry in ENTRIES.values()
            if entry.name.startswith(incomplete)
        ]
        return names + super(TyperGroup, self).shell_complete(ctx, incomplete)
