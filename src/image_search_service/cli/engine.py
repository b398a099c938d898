"""``image-search engine``: which engine a library has, and moving it to another one."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import RenderableType

from image_search_service.cli.context import (
    DebugOption,
    DetectorOption,
    JsonOption,
    LibraryOption,
    MemoryOption,
    RecognizerOption,
    Running,
)
from image_search_service.cli.library_command import library_command
from image_search_service.cli.output import table
from image_search_service.core.types import JsonObject
from image_search_service.library.stores import Stores
from image_search_service.services.engine_change.applying import EngineChangeReport
from image_search_service.services.engine_change.moving import (
    AlreadyBound,
    MoveResult,
    engine_under_way,
    move_library,
)

SHOWN_LOST = 20
"""Faces named in the table; ``--json`` has them all."""


def engine(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="ENGINE", help="Engine to move the library to; without it the present one is shown."
        ),
    ] = None,
    recognizer: RecognizerOption = None,
    detector: DetectorOption = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Threads that read photos.")] = None,
    memory: MemoryOption = None,
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Show or change the library's face engine.

    All faces are detected and embedded anew; names and all other decisions stay with the faces that lie in
    the same places. It may be interrupted: the same command continues, and naming the library's present
    engine cancels the move. Photos are never changed.
    """
    settings = {
        "library": library,
        "recognizer": recognizer,
        "detector": detector,
        "workers": workers,
        "memory": memory,
        "engine": name,
    }
    with library_command(as_json=as_json, debug=debug, **settings) as (run, opened):
        if name is None:
            _show(run, opened.stores)
            return
        done = move_library(opened.stores, name, run.out.progress)
        if isinstance(done, AlreadyBound):
            run.out.result(*_stays(done))
        else:
            run.out.result(_document(done), *_tables(done))


def _show(run: Running, stores: Stores) -> None:
    row, target = stores.binding.row(), engine_under_way(stores)
    bound, moving_to = row and row.engine_name, target and target.name
    rows = [("Engine", bound or "none yet: nothing is indexed")]
    rows += [("Being moved to", moving_to)] if moving_to else []
    run.out.result({"engine": bound, "moving_to": moving_to}, table(None, ("", ""), rows))


def _stays(stay: AlreadyBound) -> tuple[JsonObject, str]:
    engine, given_up = stay.engine.name, stay.given_up.name if stay.given_up else None
    document = {"engine": engine, "moved": False, "given_up": given_up}
    if given_up is None:
        return document, f"The library has the engine {engine} already."
    return document, f"The move to {given_up} is given up; the library stays with {engine}."


def _document(move: MoveResult) -> JsonObject:
    report = move.report
    return {
        "engine": report.target.name,
        "moved": True,
        "former": report.former.name,
        "faces": dict(report.faces),
        "dropped": report.dropped,
        "photos_unread": report.unread,
        "faces_without_embedding": report.without_embedding,
        "groups_before": len(report.groups),
        "groups": move.groups,
        "groups_with_same_id": move.kept_groups,
        "lost": [
            {"face": str(face.face_id), "path": str(face.path) if face.path else None, "person": face.person}
            for face in report.lost
        ],
    }


def _tables(move: MoveResult) -> list[RenderableType]:
    report, faces = move.report, move.report.faces
    rows = [
        ("Found again", faces["found_again"], "they keep their names and all decisions about them"),
        ("New", faces["new"], f"{report.former.name} had not found them"),
        ("Dropped", report.dropped, "no decision was about them"),
        (
            "Lost",
            faces["kept"],
            "kept where they were, since decisions are about them" if faces["kept"] else "",
        ),
        ("Groups", move.groups, f"{move.kept_groups:,} of the former {len(report.groups):,} keep their ids"),
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
