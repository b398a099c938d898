"""Hands a command's work to the service that has the library open, and shows how far it is."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar
from urllib.parse import quote

import typer

from image_search_service.cli.context import EXIT_FAILED, Running, actor
from image_search_service.core.access_token import command_headers
from image_search_service.core.errors import ConflictError, LibraryInUseError
from image_search_service.core.paths import LibraryPaths
from image_search_service.library.opening import Library, open_library
from image_search_service.services.backup.sending import BACKING_UP
from image_search_service.services.indexing.pipeline import UNITS
from image_search_service.services.jobs.client import ServiceClient
from image_search_service.services.jobs.service import REPORT, JobState

if TYPE_CHECKING:
    from image_search_service.cli.output import Output
    from image_search_service.core.types import JsonObject

Answer = TypeVar("Answer")
_UNITS: Final = {**UNITS, BACKING_UP: "faces"}


@dataclass(frozen=True, slots=True)
class IndexingAsked:
    """What ``image-search index`` was asked for. names: None leaves it to the service's settings."""

    paths: list[Path]
    retry_failed: bool
    names: bool | None
    engine: str | None


def here_or_there(
    run: Running,
    here: Callable[[Library], Answer],
    there: Callable[[ServiceClient], Answer],
    *,
    examining: bool = False,
) -> Answer:
    """Done here; or by the running service, if there is one that holds the library. examining: as of
    ``open_library``."""
    try:
        with open_library(run.settings, run.out.note, run.out.progress, examining=examining) as opened:
            return here(opened)
    except LibraryInUseError as error:
        if error.address is None:
            raise
        headers = command_headers(LibraryPaths(run.settings.library)) | {"X-Actor": quote(actor())}
        return there(ServiceClient(error.address, headers))


def job_of_service(
    run: Running, service: ServiceClient, path: str, body: JsonObject | None = None
) -> JsonObject:
    """Ask the service for a job, and watch it; what it found, as ``queue/face_jobs.py`` returns it.

    Raises what the service answers.
    """
    job = service.post(path, body)
    run.out.note(f"The library is served at {service.address}, which does the work, with its own settings.")
    try:
        with JobBar(run.out) as bar:
            result: JsonObject = service.watch(job, bar.show)["result"]
    except KeyboardInterrupt:
        run.out.error(
            "Interrupted",
            f"No longer watched: the service goes on with the job {job['id']}.",
            f"`image-search jobs list` and {service.address}/jobs show it, and can pause or cancel it.",
        )
        raise typer.Exit(EXIT_FAILED) from None
    return result


def index_by_service(run: Running, service: ServiceClient, asked: IndexingAsked) -> JsonObject:
    """What the service reports, as ``IndexResult.to_json``.

    Raises ConflictError for an engine that is not the library's, and what the service answers.
    """
    bound = service.get("/library").get("engine")
    if asked.engine not in (None, "auto", bound):
        raise ConflictError(
            f"The library is served at {service.address} with the engine {bound}, not {asked.engine}.",
            hint="Stop the service first.",
        )
    body = {
        "paths": [str(path) for path in asked.paths],
        "retry_failed": asked.retry_failed,
        "names_from_metadata": asked.names,
    }
    report: JsonObject = job_of_service(run, service, "/photos/index", body)[REPORT]
    return report


class JobBar:
    """The progress of a job's present step, and why it is tried again."""

    def __init__(self, out: Output) -> None:
        self._out = out
        self._bar = ExitStack()
        self._step: str | None = None
        self._trouble: str | None = None

    def __enter__(self) -> JobBar:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def show(self, job: JsonObject) -> None:
        """Show how far the job is now."""
        progress = job["progress"]
        step = progress["text"] or "Waiting for its turn"
        if job["state"] == JobState.PAUSED:
            step = "Paused"
        if job["error"] not in (None, self._trouble):
            self._trouble = job["error"]
            self._out.note(job["error"])
        if step != self._step:
            self._bar.close()
            self._step = step
            self._tell = self._bar.enter_context(self._out.progress(step, _UNITS.get(step, "steps")))
        self._tell(progress["done"], progress["total"])
