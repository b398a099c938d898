"""``image-search upgrade``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from image_search_service.cli.context import DebugOption, JsonOption, LibraryOption, command_context
from image_search_service.cli.output import table
from image_search_service.library.opening import open_library
from image_search_service.library.places import library_schema


def upgrade(
    no_backup: Annotated[
        bool,
        typer.Option("--no-backup", help="Make no copy of the database first; you have one of your own."),
    ] = False,
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Bring a library of an older version to this one.

    Every command does so by itself, after a copy of the database; this one can do without the copy.
    """
    with (
        command_context(as_json=as_json, debug=debug, library=library) as run,
        open_library(run.settings, run.out.note, run.out.progress, backup=not no_backup) as opened,
    ):
        schema = library_schema(opened)
        row = ("Tables", f"revision {schema.revision}, by version {schema.written_by}")
        run.out.result(asdict(schema), table(None, ("", ""), [row]))
