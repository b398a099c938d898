"""``image-search backup`` and ``image-search restore``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from image_search_service.cli.context import (
    EXIT_FAILED,
    DebugOption,
    JsonOption,
    LibraryOption,
    Running,
    command_context,
    real_path,
)
from image_search_service.cli.handing_over import job_of_service
from image_search_service.cli.output import table
from image_search_service.core.access_token import bearer_headers
from image_search_service.core.errors import ConflictError, InvalidInputError, LibraryInUseError
from image_search_service.core.paths import LibraryPaths
from image_search_service.library.opening import open_library
from image_search_service.services.backup.archive import Manifest, write_file
from image_search_service.services.backup.download import backup_route, download
from image_search_service.services.backup.last_backup import note_backup
from image_search_service.services.backup.restore import RestoreReport, RestoreService, checked_backup
from image_search_service.services.backup.sending import BACKING_UP
from image_search_service.services.backup.service import BackupService
from image_search_service.services.jobs.client import ServiceClient

if TYPE_CHECKING:
    from rich.console import RenderableType

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The backup file, a tar archive.")]


def backup(
    file: FileArgument,
    force: Annotated[bool, typer.Option("--force", help="Replace FILE if it exists.")] = False,
    without_pictures: Annotated[
        bool,
        typer.Option(
            "--without-pictures",
            help="Leave out crops and thumbnails; `image-search doctor --repair` makes them again.",
        ),
    ] = False,
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Copy the library into one file.

    It works while the service runs, too. Your photos are not in the file.
    """
    with command_context(as_json=as_json, debug=debug, library=library) as run:
        target = real_path(file)
        if target.exists() and not force:
            raise ConflictError(
                f"{target} exists already.", hint="Name another file, or replace it with --force."
            )
        manifest = _write(run, target, pictures=not without_pictures)
        note_backup(LibraryPaths(run.settings.library), manifest.created_at, target)
        run.out.result(
            {
                "file": str(target),
                "bytes": target.stat().st_size,
                "created_at": manifest.created_at,
                "counts": manifest.counts,
            },
            f"Backup in {target}, {target.stat().st_size / 1e6:,.1f} MB, read again and found whole.",
            _counts(manifest.counts),
            *_lacking(manifest.counts),
        )
        if any(_lacking(manifest.counts)):
            raise typer.Exit(EXIT_FAILED)


def _lacking(counts: dict[str, int]) -> list[str]:
    """What to do where Qdrant has not given everything: such a backup is kept, but not taken for a whole
    one."""
    lost = counts["missing_embeddings"] + counts["missing_centroids"]
    return [f"Qdrant lacks {lost:,} embeddings of the library: image-search doctor --repair."] if lost else []


def _write(run: Running, target: Path, *, pictures: bool) -> Manifest:
    """By the running service, if there is one that holds the library; else here."""
    try:
        with (
            open_library(run.settings, run.out.note, run.out.progress) as opened,
            run.out.progress(BACKING_UP, "faces") as progress,
        ):
            service = BackupService(opened.stores)
            stream = service.stream(pictures=pictures, progress=progress)
            return write_file(target, stream, room=service.room(pictures=pictures))
    except LibraryInUseError as error:
        if error.address is None:
            raise
        headers = bearer_headers(LibraryPaths(run.settings.library).token)
        client = ServiceClient(error.address, headers)
        job_of_service(run, client, backup_route(pictures=pictures))
        run.out.note(f"Downloading it to {target}.")
        return write_file(target, download(error.address, headers, pictures=pictures))


def restore(
    file: FileArgument,
    photos: Annotated[
        list[str] | None,
        typer.Option(
            metavar="OLD=NEW",
            help="Photos that were in folder OLD are in folder NEW now. May be given several times.",
        ),
    ] = None,
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Restore a backup into an empty library.

    The library may not exist yet, and its stores may be others than those of the backup.
    """
    with command_context(as_json=as_json, debug=debug, library=library) as run:
        moves = [_move(each) for each in photos or ()]
        backup = checked_backup(real_path(file))
        with (
            open_library(run.settings, run.out.note, run.out.progress, restoring=True) as opened,
            run.out.progress("Restoring", "faces") as progress,
        ):
            report = RestoreService(opened.stores, opened.collections).restore(backup, moves, progress)
        document = asdict(report) | {
            "library": str(run.settings.library),
            "backup_of": backup.manifest.created_at,
        }
        run.out.result(document, *_restored(report, run.settings.library))


def _restored(report: RestoreReport, library: Path) -> Iterator[RenderableType]:
    yield f"Restored into {library}."
    yield _counts(asdict(report))
    if report.without_embedding:
        yield "Some faces had no embedding when the backup was made: image-search doctor --repair."


def _counts(counts: dict[str, int]) -> RenderableType:
    return table(None, ("", ""), [(name.replace("_", " "), count) for name, count in counts.items()])


def _move(text: str) -> tuple[Path, Path]:
    old, _, new = text.partition("=")
    if not old or not new:
        raise InvalidInputError(
            f"{text!r} does not say what moved where.", hint="Write --photos OLD_FOLDER=NEW_FOLDER."
        )
    return Path(old).expanduser().absolute(), real_path(Path(new))
