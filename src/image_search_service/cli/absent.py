"""``image-search away``, ``gone`` and ``forget``: photos that are not on the disk any more."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from image_search_service.cli.context import DebugOption, JsonOption, LibraryOption, actor, real_path
from image_search_service.cli.deciding import how_back
from image_search_service.cli.library_command import library_command
from image_search_service.cli.output import table
from image_search_service.core.records.photos import AbsentState
from image_search_service.services.forgetting.erasing import ErasingService
from image_search_service.services.forgetting.service import Forgetting, ForgettingService

if TYPE_CHECKING:
    from image_search_service.core.types import JsonObject

PathArgument = Annotated[
    Path, typer.Argument(metavar="PATH", help="A folder, drive or photo; it need not be there.")
]


def away(
    path: PathArgument,
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Say that a drive or folder is away.

    Its photos count as missing until it is indexed again. `image-search forget` leaves them alone.
    """
    _mark(path, AbsentState.AWAY, library, as_json, debug)


def gone(
    path: PathArgument,
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Say that a folder is gone for good.

    Its photos count as missing, and `image-search forget` leaves them out.
    """
    _mark(path, AbsentState.GONE, library, as_json, debug)


def _mark(path: Path, state: AbsentState, library: Path | None, as_json: bool, debug: bool) -> None:
    with library_command(as_json=as_json, debug=debug, library=library) as (run, opened):
        marked = ForgettingService(opened.database, actor()).mark(real_path(path), state)
        document = {
            "path": str(marked.path),
            "state": marked.state.value,
            "files": marked.files,
            "photos": marked.photos,
        }
        how = "Index it when it is back."
        if state is AbsentState.GONE:
            how = "`image-search forget` leaves them out."
        sentence = (
            f"{marked.path} is {marked.state.value}: {marked.files:,} more files are missing; "
            f"{marked.photos:,} photos lie nowhere else."
        )
        run.out.result(document, sentence, how)


def forget(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[PATH…]", help="Only photos that were below these folders, away ones, too."),
    ] = None,
    erase: Annotated[
        bool,
        typer.Option(
            "--erase",
            help="Also remove them for good, with all that was said of their faces. It cannot be taken back.",
        ),
    ] = False,
    excluded: Annotated[
        bool,
        typer.Option("--excluded", help="Also photos that are only left out; see `image-search roots`."),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be forgotten.")] = False,
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Leave out photos that were deleted from the disk.

    Those of which no file was there at the last `image-search index`. Undo brings them back, until they are
    erased. Photos in folders that are away stay, unless the folder is named.
    """
    with library_command(as_json=as_json, debug=debug, library=library) as (run, opened):
        folders = [real_path(path) for path in paths or []]
        service = ForgettingService(opened.database, actor())
        if dry_run:
            done = service.plan(folders, excluded=excluded)
        else:
            done = service.forget(folders, excluded=excluded)
        document: JsonObject = asdict(done)
        rows = _forgotten_rows(done, "Photos that would be left out" if dry_run else "Photos left out")
        if erase and not dry_run:
            with run.out.progress("Erasing", "faces") as progress:
                erased = ErasingService(opened.stores, actor()).erase(folders, progress)
            document["erased"] = asdict(erased)
            rows += [
                ("Photos erased", erased.photos),
                ("  their faces", erased.faces),
                ("  what was said of them", erased.facts),
            ]
        opened.payload_sender.send_if_it_answers()
        lines = [] if erase else [how_back(done.decision)]
        if done.away:
            lines.append("`image-search gone PATH` says that a folder will not come back.")
        run.out.result(document, table(None, ("", ""), rows), *lines)


def _forgotten_rows(done: Forgetting, what: str) -> list[tuple[str, int]]:
    rows = [(what, done.photos), ("  their faces", done.faces)]
    if done.away:
        rows.append(("Missing, in folders that are away", done.away))
    if done.excluded:
        rows.append(("Only left out by excludes, kept", done.excluded))
    return rows
