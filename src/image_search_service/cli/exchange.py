"""``image-search export`` and ``import``."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import nullcontext, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from image_search_service.cli.context import DebugOption, JsonOption, LibraryOption, actor
from image_search_service.cli.library_command import library_command
from image_search_service.cli.output import table
from image_search_service.core.errors import InvalidInputError, UnavailableError
from image_search_service.services.exchange.lines import read_lines
from image_search_service.services.exchange.service import ExchangeService, ImportReport
from image_search_service.services.indexing.drawing import FaceDrawer

STANDARD = Path("-")


def export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="File to write; - for standard output.")],
    library: LibraryOption = None,
    debug: DebugOption = False,
) -> None:
    """Write people, faces and decisions to a file.

    The format is JSON Lines, described in docs/exchange.md.
    """
    with library_command(as_json=False, debug=debug, library=library) as (_, opened):
        lines = (line + "\n" for line in ExchangeService(opened.database, actor()).export())
        if file == STANDARD:
            sys.stdout.buffer.writelines(line.encode() for line in lines)  # UTF-8, as in a file
        else:
            _write(file, lines)


def _write(file: Path, lines: Iterable[str]) -> None:
    """Write a file whole or not at all."""
    if file.exists():
        raise InvalidInputError(f"There is a file {file} already.", hint="Choose another name.")
    part = file.with_name(f"{file.name}.part")
    try:
        with part.open("w", encoding="utf-8") as target:
            target.writelines(lines)
        part.replace(file)
    except OSError as error:
        raise UnavailableError(
            f"{file} cannot be written: {error.strerror}.",
            hint="Make room, or name a file on another disk or in a folder that may be written to.",
        ) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def load(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="File that `image-search export` wrote; - for standard input."),
    ],
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Read people, faces and decisions from a file.

    It was written by `image-search export` from this or another library of the same photos.
    """
    with library_command(as_json=as_json, debug=debug, library=library) as (run, opened):
        try:
            with nullcontext(sys.stdin.buffer) if file == STANDARD else file.open("rb") as source:
                service = ExchangeService(opened.database, actor(), FaceDrawer(opened.stores))
                report = service.load(read_lines(source))
        except OSError as error:
            raise InvalidInputError(f"{file} cannot be read: {error.strerror}.") from error
        opened.payload_sender.send_if_it_answers()
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
        run.out.result(asdict(report), table("Imported", ("", ""), rows), *_more(report))


def _more(report: ImportReport) -> Iterator[str]:
    """What the numbers leave open: which faces are not here, and what to do next."""
    if report.unmatched:
        more = "for example" if report.unmatched > len(report.examples) else "which are"
        yield f"Not here, or not found at this place in the photo, {more}:"
        yield from (f"  {example}" for example in report.examples)
        yield "Once their photos are indexed, import the file again: what is here already stays as it is."
    if report.history:
        yield "image-search history lists what was decided; each can be undone here."
    elif report.undo:
        yield f"To take it back: image-search undo {', then '.join(map(str, report.undo))}"
