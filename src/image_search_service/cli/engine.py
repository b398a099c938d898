"""``image-search engine``: which engine a library has, and moving it to another one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import RenderableType

from image_search_service.bootstrap import Library, open_library
from image_search_service.cli.context import (
    DebugOption,
    DetectorOption,
    JsonOption,
    LibraryOption,
    MemoryOption,
    RecognizerOption,
    Running,
    running,
)
from image_search_service.cli.output import table
from image_search_service.core.types import EngineIdentity, JsonObject

if TYPE_CHECKING:
    from image_search_service.services.engine_change.applying import EngineChangeReport

SHOWN_LOST = 20
"""Faces named in the table; ``--json`` has them all."""


def engine(
    name: Annotated[
        str | None,
        typer.Argument(metavar="[ENGINE]", help="The engine to move the library to; none shows its engine."),
    ] = None,
    recognizer: RecognizerOption = None,
    detector: DetectorOption = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Threads that read photos.")] = None,
    memory: MemoryOption = None,
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Show the library's face engine, or move the library to another one.

    All faces are found and compared anew; names and everything else that you said stay with the faces that
    lie in the same places. It may be interrupted: the same command goes on, and the library's present
    engine named instead gives the move up. Photos are never changed.
    """
    settings = {
        "library": library,
        "recognizer": recognizer,
        "detector": detector,
        "workers": workers,
        "memory": memory,
        "engine": name,
    }
    with running(as_json=as_json, debug=debug, **settings) as run:
        if name is None:
            _show(run)
            return
        with open_library(run.settings, run.out.note, run.out.progress) as opened:
            _move(run, opened, name)


def _show(run: Running) -> None:
    with open_library(run.settings, run.out.note, run.out.progress) as opened:
        row = opened.bound_engine()
        moving = opened.engine_change_under_way()
    bound = None if row is None else row.engine_name
    rows = [("Engine", bound or "none yet: nothing is indexed")]
    rows += [("Being moved to", moving.name)] if moving is not None else []
    document = {"engine": bound, "moving_to": None if moving is None else moving.name}
    run.out.result(document, table(None, ("", ""), rows))


def _move(run: Running, opened: Library, name: str) -> None:
    opened.finish_engine_change()
    service = opened.engine_change_service(name)
    if service.target == opened.bound_identity():
        run.out.result(*_stays(service.target, opened.give_up_engine_change()))
        return
    with run.out.progress(f"Finding faces with {service.target.name}", "photos") as progress:
        report = service.run(progress)
    _finish(run, opened, report)


def _stays(engine: EngineIdentity, given_up: EngineIdentity | None) -> tuple[JsonObject, str]:
    document = {"engine": engine.name, "moved": False, "given_up": given_up.name if given_up else None}
    if given_up is None:
        return document, f"The library has the engine {engine.name} already."
    return document, f"The move to {given_up.name} is given up; the library stays with {engine.name}."


def _finish(run: Running, opened: Library, report: EngineChangeReport) -> None:
    """Group the faces by their new embeddings, and remove the former ones."""
    from image_search_service.services.engine_change.applying import count_kept_groups

    opened.use_bound_engine()
    with run.out.progress("Comparing faces", "blocks") as progress:
        opened.group_if_stale(progress)
    opened.finish_engine_change()
    opened.send_due_payloads()
    kept = count_kept_groups(opened.database, report.groups)
    groups = opened.counts().clusters
    run.out.result(_document(report, kept, groups), *_tables(report, kept, groups))


def _document(report: EngineChangeReport, kept: int, groups: int) -> JsonObject:
    return {
        "engine": report.target.name,
        "moved": True,
        "former": report.former.name,
        "faces": dict(report.faces),
        "dropped": report.dropped,
        "photos_unread": report.unread,
        "faces_without_embedding": report.without_embedding,
        "groups_before": len(report.groups),
        "groups": groups,
        "groups_with_same_id": kept,
        "lost": [
            {"face": str(face.face_id), "path": str(face.path) if face.path else None, "person": face.person}
            for face in report.lost
        ],
    }


def _tables(report: EngineChangeReport, kept: int, groups: int) -> list[RenderableType]:
    faces = report.faces
    rows = [
        ("Found again", faces["found_again"], "they keep their names and all that was said of them"),
        ("New", faces["new"], f"{report.former.name} had not found them"),
        ("Dropped", report.dropped, "nobody had said anything of them"),
        ("Lost", faces["kept"], "something was said of them: kept where they were" if faces["kept"] else ""),
        ("Groups", groups, f"{kept:,} of the former {len(report.groups):,} keep their ids"),
    ]
    if report.unread:
        rows.append(("Photos not read", report.unread, "their faces were embedded from small pictures"))
    if report.without_embedding:
        why = "embedded by `image-search doctor --repair` when their photos are back"
        rows.append(("Faces without embedding", report.without_embedding, why))
    title = f"Moved from {report.former.name} to {report.target.name}"
    return [table(title, ("Faces", "", ""), rows), *_lost(report)]


def _lost(report: EngineChangeReport) -> list[RenderableType]:
    if not report.lost:
        return []
    rows = [
        (str(face.path or "no file of the photo is there"), face.person, face.face_id.hex[:8])
        for face in report.lost[:SHOWN_LOST]
    ]
    title = f"Not found by {report.target.name}, kept where they were"
    more = len(report.lost) - len(rows)
    note = [f"… and {more:,} more; --json lists them all."] if more else []
    return ["", table(title, ("File", "Name", "Face"), rows), *note]
