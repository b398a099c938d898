"""``image-search export`` and ``import``."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from image_search_service.bootstrap import open_library
from image_search_service.cli.context import DebugOption, JsonOption, LibraryOption, actor, running
from image_search_service.cli.output import table
from image_search_service.core.errors import InvalidInputError

STANDARD = Path("-")


def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to; - for standard output.")],
    library: LibraryOption = None,
    debug: DebugOption = False,
) -> None:
    """Write people, and what was said of faces, as JSON Lines (docs/exchange.md)."""
    with (
        running(as_json=False, debug=debug, library=library) as run,
        open_library(run.settings, run.out.note, run.out.progress) as opened,
    ):
        if file != STANDARD and file.exists():
            raise InvalidInputError(f"There is a file {file} already.", hint="Choose another name.")
        with nullcontext(sys.stdout) if file == STANDARD else file.open("x", encoding="utf-8") as target:
            for line in opened.exchange_service(actor()).export():
                target.write(line + "\n")


def load(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What export wrote; - for standard input.")],
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Take over the people and what was said of faces from another library."""
    with (
        running(as_json=as_json, debug=debug, library=library) as run,
        open_library(run.settings, run.out.note, run.out.progress) as opened,
    ):
        try:
            source = nullcontext(sys.stdin) if file == STANDARD else file.open(encoding="utf-8")
            with source as lines:
                report = opened.exchange_service(actor()).load(lines)
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidInputError(f"{file} cannot be read: {error}.") from error
        opened.tell_qdrant_if_it_answers()
        rows = [
            ("People", report.persons),
            ("  new", report.persons_new),
            ("Faces", report.faces),
            ("  found here", report.matched),
            ("  named otherwise here", report.kept),
            ("  not here", report.unmatched),
            ("Changes", report.changed),
            ("Decisions taken over with their history", report.decisions),
        ]
        run.out.result(asdict(report), table("Imported", ("", ""), rows), *report.examples)
