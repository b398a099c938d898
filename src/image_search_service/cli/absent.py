"""``image-search away``, ``gone`` and ``forget``: photos that are not on the disk any more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from image_search_service.cli.context import (
    DebugOption,
    JsonOption,
    LibraryOption,
    Running,
    actor,
    command_context,
    real_path,
)
from image_search_service.cli.deciding import how_back
from image_search_service.cli.handing_over import here_or_there, job_of_service
from image_search_service.cli.output import table
from image_search_service.core.records.photos import AbsentState
from image_search_service.services.forgetting.erasing import ErasingService
from image_search_service.services.forgetting.service import Absence, ForgettingService

if TYPE_CHECKING:
    from image_search_service.core.types import JsonObject
    from image_search_service.library.opening import Library
    from image_search_service.services.jobs.client import ServiceClient

PathArgument = Annotated[
    Path, typer.Argument(metavar="PATH", help="A folder, drive or photo; it need not be there.")
]


def away(
    path: PathArgument,
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Mark a drive or folder as away for now.

    Its photos count as missing until it is indexed again. `image-search forget` leaves them alone.
    """
    _mark(path, AbsentState.AWAY, library, as_json, debug)


def gone(
    path: PathArgument,
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Mark a folder as gone for good.

    Its photos count as missing, and `image-search forget` leaves them out.
    """
    _mark(path, AbsentState.GONE, library, as_json, debug)


def _mark(path: Path, state: AbsentState, library: Path | None, as_json: bool, debug: bool) -> None:
    folder = real_path(path)
    with command_context(as_json=as_json, debug=debug, library=library) as run:
        document = here_or_there(
            run,
            lambda opened: _marked(ForgettingService(opened.database, actor()).mark(folder, state)),
            lambda service: service.post(f"/photos/{state.value}", {"path": str(folder)}),
        )
        how = "Index it when it is back."
        if state is AbsentState.GONE:
            how = "`image-search forget` leaves them out."
        sentence = (
            f"{document['path']} is {document['state']}: {document['files']:,} more files are missing; "
            f"{document['photos']:,} photos lie nowhere else."
        )
        run.out.result(document, sentence, how)


def _marked(marked: Absence) -> JsonObject:
    return {
        "path": str(marked.path),
        "state": marked.state.value,
        "files": marked.files,
        "photos": marked.photos,
    }


def forget(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="PATH", help="Only photos below these folders, which may be away."),
    ] = None,
    erase: Annotated[
        bool,
        typer.Option(
            "--erase",
            help="Also remove them for good, with all that is recorded about their faces.",
        ),
    ] = False,
    excluded: Annotated[
        bool,
        typer.Option("--excluded", help="Also photos that excludes leave out; see `image-search roots`."),
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be forgotten.")] = False,
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Take photos deleted from the disk out of all lists.

    These are the photos of which the last `image-search index` found no file. `image-search undo` brings them
    back until they are erased. Photos in folders that are away stay, unless the folder is named. While
    `image-search serve` runs, it does the work.
    """
    asked = _ForgettingAsked([real_path(path) for path in paths or []], excluded, dry_run, erase)
    with command_context(as_json=as_json, debug=debug, library=library) as run:
        document = here_or_there(
            run,
            lambda opened: _forget_here(run, opened, asked),
            lambda service: _forget_there(run, service, asked),
        )
        rows = _forgotten_rows(document, "Photos that would be left out" if dry_run else "Photos left out")
        lines = [] if erase else [how_back(document["decision"])]
        if document["away"]:
            lines.append("`image-search gone PATH` says that a folder will not come back.")
        run.out.result(document, table(None, ("", ""), rows), *lines)


@dataclass(frozen=True, slots=True)
class _ForgettingAsked:
    """What ``image-search forget`` was asked for."""

    folders: Sequence[Path]
    excluded: bool
    dry_run: bool
    erase: bool

    @property
    def erases(self) -> bool:
        return self.erase and not self.dry_run


def _forget_here(run: Running, opened: Library, asked: _ForgettingAsked) -> JsonObject:
    service = ForgettingService(opened.database, actor())
    work = service.plan if asked.dry_run else service.forget
    document: JsonObject = asdict(work(asked.folders, excluded=asked.excluded))
    if asked.erases:
        with run.out.progress("Erasing", "faces") as progress:
            document["erased"] = asdict(ErasingService(opened.stores, actor()).erase(asked.folders, progress))
    opened.payload_sender.send_if_it_answers()
    return document


def _forget_there(run: Running, service: ServiceClient, asked: _ForgettingAsked) -> JsonObject:
    paths = [str(folder) for folder in asked.folders]
    body: JsonObject = {"paths": paths, "excluded": asked.excluded, "dry_run": asked.dry_run}
    document = service.post("/decisions/forget-photos", body)
    document["decision"] = document.pop("decision_id")
    if asked.erases:
        document["erased"] = job_of_service(run, service, "/photos/erase", {"paths": paths})
    return document


def _forgotten_rows(done: JsonObject, what: str) -> list[tuple[str, int]]:
    rows = [(what, done["photos"]), ("  their faces", done["faces"])]
    if done["away"]:
        rows.append(("Missing, in folders that are away", done["away"]))
    if done["excluded"]:
        rows.append(("Only left out by excludes, kept", done["excluded"]))
    if erased := done.get("erased"):
        rows += [
            ("Photos erased", erased["photos"]),
            ("  their faces", erased["faces"]),
            ("  what was said of them", erased["facts"]),
        ]
    return rows
