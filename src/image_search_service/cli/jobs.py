"""``image-search jobs list | pause | resume | cancel``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from image_search_service.cli.context import (
    DebugOption,
    JsonOption,
    LibraryOption,
    Running,
    command_context,
)
from image_search_service.cli.handing_over import here_or_there
from image_search_service.cli.lazy_group import TYPER_OPTIONS
from image_search_service.cli.output import table
from image_search_service.core.errors import InvalidInputError
from image_search_service.core.records.jobs import JobFilter, JobRecord
from image_search_service.core.types import JsonObject
from image_search_service.services.jobs.client import ServiceClient
from image_search_service.services.jobs.service import JobService

if TYPE_CHECKING:
    from rich.console import RenderableType

app = typer.Typer(help="List, pause, resume and cancel jobs.", no_args_is_help=True, **TYPER_OPTIONS)

JobArgument = Annotated[
    str, typer.Argument(metavar="JOB", help="Id of the job; see `image-search jobs list`.")
]
SHOWN = 40


@app.command("list")
def list_jobs(library: LibraryOption = None, as_json: JsonOption = False, debug: DebugOption = False) -> None:
    """List the last jobs, the newest first."""
    with command_context(as_json=as_json, debug=debug, library=library) as run:
        shown = _ask(
            run,
            lambda jobs: [_short(job) for job in jobs.page(JobFilter(), SHOWN).items],
            lambda service: service.get(f"/jobs?limit={SHOWN}")["items"],
        )
        run.out.result({"jobs": [_kept(job) for job in shown]}, _table(shown))


@app.command("pause")
def pause(
    job: JobArgument, library: LibraryOption = None, as_json: JsonOption = False, debug: DebugOption = False
) -> None:
    """Pause a job until it is resumed, also over restarts."""
    _change("pause", job, library, as_json=as_json, debug=debug)


@app.command("resume")
def resume(
    job: JobArgument, library: LibraryOption = None, as_json: JsonOption = False, debug: DebugOption = False
) -> None:
    """Let a paused job go on.

    Indexing goes on from where it was; other jobs begin again. The service or a worker must run.
    """
    _change("resume", job, library, as_json=as_json, debug=debug)


@app.command("cancel")
def cancel(
    job: JobArgument, library: LibraryOption = None, as_json: JsonOption = False, debug: DebugOption = False
) -> None:
    """Cancel a job; what it has stored is kept."""
    _change("cancel", job, library, as_json=as_json, debug=debug)


def _change(verb: str, job: str, library: Path | None, *, as_json: bool, debug: bool) -> None:
    with command_context(as_json=as_json, debug=debug, library=library) as run:
        job_id = _id(job)
        shown = _ask(
            run,
            lambda jobs: [_short(getattr(jobs, verb)(job_id))],
            lambda service: [service.post(f"/jobs/{job_id}/{verb}")],
        )
        run.out.result(_kept(shown[0]), _table(shown))


def _ask(
    run: Running,
    here: Callable[[JobService], list[JsonObject]],
    there: Callable[[ServiceClient], list[JsonObject]],
) -> list[JsonObject]:
    """Here; or by the running service, if there is one that holds the library."""
    return here_or_there(
        run, lambda opened: here(JobService(opened.database, opened.job_queue.enqueue)), there
    )


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise InvalidInputError(f"{text!r} is no job.", hint="`image-search jobs list` lists them.") from None


FIELDS = ("id", "kind", "state", "done", "total", "error", "cancel_requested", "pause_requested")


def _short(job: JobRecord) -> JsonObject:
    return {field: getattr(job, field) for field in FIELDS} | {"id": str(job.id)}


def _kept(job: JsonObject) -> JsonObject:
    return {field: job[field] for field in FIELDS}


def _table(jobs: list[JsonObject]) -> RenderableType:
    rows = [(job["id"], job["kind"], _state(job), job["done"], job["total"]) for job in jobs]
    return table(None, ("Job", "Kind", "State", "Done", "Of"), rows)


def _state(job: JsonObject) -> str:
    if job["state"] == "running" and job["cancel_requested"]:
        return "stops at its next step"
    if job["state"] == "running" and job["pause_requested"]:
        return "pauses at its next step"
    return str(job["state"])
