"""``image-search doctor``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from image_search_service.cli.context import (
    EXIT_FAILED,
    DebugOption,
    JsonOption,
    LibraryOption,
    Running,
    command_context,
)
from image_search_service.cli.handing_over import here_or_there, job_of_service
from image_search_service.cli.output import table
from image_search_service.library.opening import open_library
from image_search_service.services.backup.last_backup import embeddings_of_last_backup
from image_search_service.services.doctor.copied import WhichLibrary, say_which
from image_search_service.services.doctor.findings import HARMLESS, HINTS, WORDS, DoctorReport, Finding, Kind
from image_search_service.services.doctor.service import DoctorService

if TYPE_CHECKING:
    from rich.console import RenderableType

    from image_search_service.library.opening import Library
    from image_search_service.services.jobs.client import ServiceClient

WAITING = {
    "payloads": "faces whose person or group Qdrant is told next time; that is normal",
    "points": "points of an index run that has not ended; index again if none is running",
    "files": "small pictures of an index run that has not ended; index again if none is running",
}


def doctor(
    repair: Annotated[bool, typer.Option("--repair", help="Repair what is found.")] = False,
    which: Annotated[
        WhichLibrary | None,
        typer.Option("--is", help="Of two copies of a library on the same stores: which one this is."),
    ] = None,
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Find and repair damage in the library.

    Compares decisions, database, Qdrant and the small pictures. The exit code is 0 when nothing is wrong.
    Your photos are only read. While the service runs, it does the work. `--is copy` gives a copied library
    embeddings of its own; `--is original` keeps those that are there, and asks the other one.
    """
    with command_context(as_json=as_json, debug=debug, library=library) as run:
        if which is not None:
            repair = repair or which is WhichLibrary.COPY
            with open_library(run.settings, run.out.note, run.out.progress, examining=True) as opened:
                say_which(opened.stores, which)
        report = _by_whom_holds_it(run, repair=repair)
        run.out.result(report.to_json(), *doctor_lines(report, repair=repair))
        if not report.is_healthy:
            raise typer.Exit(EXIT_FAILED)


def _by_whom_holds_it(run: Running, *, repair: bool) -> DoctorReport:
    """Examined here; or by the running service, if there is one that holds the library."""

    def here(opened: Library) -> DoctorReport:
        service = DoctorService(
            opened.stores,
            alone=not run.settings.stores_are_shared,
            read_embeddings=lambda: embeddings_of_last_backup(opened.stores),
        )
        with run.out.progress("Examining", "items") as progress:
            return service.examine(repair=repair, progress=progress)

    def there(service: ServiceClient) -> DoctorReport:
        return DoctorReport.of_json(job_of_service(run, service, "/doctor", {"repair": repair}))

    return here_or_there(run, here, there, examining=True)


def doctor_lines(report: DoctorReport, *, repair: bool) -> Iterator[RenderableType]:
    """What a human is told of a report; the last line says whether all is well. repair: whether it was to be
    mended."""
    if report.shown:
        rows = [_row(finding, repair=repair) for finding in report.shown]
        columns = ("Finding", "Found", "Repaired", "") if repair else ("Finding", "Found", "--repair …")
        yield table(None, columns, rows)
        for finding in report.shown:
            yield ""
            yield f"{WORDS[finding.kind].what} {_beginning(finding)}"
            yield from (f"  {line}" for line in _lines(finding))
        yield ""
    yield f"Compared: {', '.join(f'{count:,} {name}' for name, count in report.checked.items())}."
    for name, count in report.waiting.items():
        if count:
            yield f"Waiting: {count:,} {WAITING[name]}."
    yield _verdict(report, repair=repair)


def _row(finding: Finding, *, repair: bool) -> tuple[object, ...]:
    words = WORDS[finding.kind]
    if not repair:
        return words.what, finding.found, words.mend
    left = finding.found - finding.repaired
    return words.what, finding.found, finding.repaired, f"{left:,} left" if left else "done"


def _beginning(finding: Finding) -> str:
    return "For example:" if len(finding.examples) < finding.found else ""


def _lines(finding: Finding) -> list[str]:
    return [*finding.examples, *(f"not repaired: {reason}" for reason in finding.reasons)]


def _verdict(report: DoctorReport, *, repair: bool) -> str:
    if report.is_healthy:
        return _all_is_well(report, repair=repair)
    if report.has(Kind.COPIED_LIBRARY):
        return "Only you can say which one this is: image-search doctor --is original, or --is copy."
    if repair:
        return "Some of it cannot be repaired; the reasons are above."
    return "To mend it: image-search doctor --repair."


def _all_is_well(report: DoctorReport, *, repair: bool) -> str:
    kinds = {finding.kind for finding in report.shown}
    if not kinds:
        return "Nothing is wrong."
    if kinds <= HINTS:
        return "Nothing is wrong; only you can say whether these names are right."
    if kinds <= HARMLESS and not repair:
        return "Nothing is wrong: centroids are computed again when they are needed."
    return "Everything that was wrong is repaired."
