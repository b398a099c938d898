"""``image-search metadata``: names from photos' metadata, and into sidecars."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from image_search_service.cli.context import DebugOption, JsonOption, LibraryOption, actor
from image_search_service.cli.lazy_group import TYPER_OPTIONS
from image_search_service.cli.library_command import library_command
from image_search_service.cli.output import table
from image_search_service.services.indexing.drawing import names_service
from image_search_service.services.metadata.names import MetadataNamesService

if TYPE_CHECKING:
    from rich.console import RenderableType

    from image_search_service.services.metadata.report import ReadReport

app = typer.Typer(help="Read names from photos' metadata, or write sidecars.", **TYPER_OPTIONS)


@app.command("read")
def read(library: LibraryOption = None, as_json: JsonOption = False, debug: DebugOption = False) -> None:
    """Name faces as photos or their sidecars say.

    digiKam, Lightroom, Picasa and others write such names. What you decided here has precedence, and
    `image-search undo` takes the names back.
    """
    with library_command(as_json=as_json, debug=debug, library=library) as (run, opened):
        with run.out.progress("Reading names", "photos") as progress:
            report = names_service(opened.stores, actor()).read(progress)
        opened.payload_sender.send_if_it_answers()
        run.out.result(asdict(report), *names_read(report))


def names_read(report: ReadReport) -> list[RenderableType]:
    """What reading names did, for people: counts, how to take it back, and what could not be read."""
    rows = [
        ("Photos looked at", report.photos),
        ("Names in them", report.regions),
        ("  at a face's place", report.matched),
        *([("  made faces by hand, where none was found", report.by_hand)] if report.by_hand else []),
        ("  where no face was found", report.unmatched),
        *([("People named without a place", report.without_place)] if report.without_place else []),
        *([("  that another program has corrected", report.corrected)] if report.corrected else []),
        *([("  made for another picture", report.outdated)] if report.outdated else []),
        ("  of which you have said otherwise", report.kept),
        ("  whose name several people have", report.shared),
        ("Faces named by it", report.named),
        *([("Names that another program has taken away", report.withdrawn)] if report.withdrawn else []),
        *([("Names that are none", report.dropped)] if report.dropped else []),
        ("Files that could not be read", report.unreadable),
    ]
    undoing = [f"`image-search undo {number}` takes these names back." for number in report.decisions]
    return [table("Names from metadata", ("", ""), rows), *undoing, *report.examples]


@app.command("write")
def write(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be written; write nothing.")
    ] = False,
    overrule: Annotated[
        bool,
        typer.Option(
            "--overrule",
            help="Also overwrite names that other programs have changed since the last read or write.",
        ),
    ] = False,
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Write names into sidecars next to the photos.

    A sidecar is called like its photo, with .xmp at the end. Photos are never changed; what else a sidecar
    says stays.
    """
    with library_command(as_json=as_json, debug=debug, library=library) as (run, opened):
        with run.out.progress("Writing names", "files") as progress:
            report = MetadataNamesService(opened.database, actor(), workers=opened.settings.workers).write(
                dry_run=dry_run, overrule=overrule, progress=progress
            )
        rows = [
            ("Files with names", report.files),
            ("Sidecars to be written" if dry_run else "Sidecars written", report.written),
            ("  right already", report.unchanged),
            ("  that could not be", report.unreadable),
            *(
                [("Names that another program has changed since", report.corrected)]
                if report.corrected
                else []
            ),
        ]
        run.out.result(
            {"dry_run": dry_run, **asdict(report)},
            table("Names", ("", ""), rows),
            *(report.changes if dry_run else ()),
            *report.examples,
        )
