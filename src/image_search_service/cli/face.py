"""``image-search face``: faces by hand, where the detector saw none."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from image_search_service.cli.context import DebugOption, JsonOption, LibraryOption, actor, real_path
from image_search_service.cli.deciding import AnotherOption, SameOption, how_back, namesake, run_decision
from image_search_service.cli.lazy_group import TYPER_OPTIONS
from image_search_service.cli.library_command import library_command
from image_search_service.core.types import JsonObject
from image_search_service.services.indexing.by_hand import DrawnFace, HandFaceService

app = typer.Typer(help="Add, move or remove faces by hand.", **TYPER_OPTIONS)

PLACE = "In pixels of the upright photo, or all four numbers as fractions of it, 0 to 1."
X = Annotated[float, typer.Argument(metavar="X", help=f"Left edge of the box. {PLACE}")]
Y = Annotated[float, typer.Argument(metavar="Y", help="Upper edge.")]
Width = Annotated[float, typer.Argument(metavar="W", help="Width.")]
Height = Annotated[float, typer.Argument(metavar="H", help="Height.")]
Face = Annotated[UUID, typer.Argument(metavar="FACE", help="Id of the face; see `image-search faces`.")]


@app.command("add")
def add(
    photo: Annotated[Path, typer.Argument(metavar="PHOTO", help="The photo's file.")],
    x: X,
    y: Y,
    width: Width,
    height: Height,
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="The person's name, new or known.")
    ] = None,
    same: SameOption = False,
    another: AnotherOption = False,
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Add a face by the box around it.

    It is grouped and suggested like a detected face, unless it is too unclear. `image-search undo` takes it
    back.
    """
    with library_command(library=library, as_json=as_json, debug=debug) as (run, opened):
        service = HandFaceService(opened.stores, actor())
        drawn = service.add(
            service.photo_of_file(real_path(photo)),
            (x, y, width, height),
            name,
            who=namesake(same, another),
        )
        opened.payload_sender.send_if_it_answers()
        run.out.result(_document(drawn), _sentence(drawn), how_back(drawn.decision))


@app.command("move")
def move(
    face: Face,
    x: X,
    y: Y,
    width: Width,
    height: Height,
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Move a face's box within its photo.

    The face keeps its name and all other decisions about it; its id changes.
    """
    with library_command(library=library, as_json=as_json, debug=debug) as (run, opened):
        drawn = HandFaceService(opened.stores, actor()).move(face, (x, y, width, height))
        opened.payload_sender.send_if_it_answers()
        run.out.result(_document(drawn), _sentence(drawn), how_back(drawn.decision))


@app.command("remove")
def remove(
    face: Face, library: LibraryOption = None, as_json: JsonOption = False, debug: DebugOption = False
) -> None:
    """Say that there is no face."""
    run_decision(
        "Removed",
        lambda opened: HandFaceService(opened.stores, actor()).remove(face),
        library,
        as_json,
        debug,
    )


def _document(drawn: DrawnFace) -> JsonObject:
    return {
        "decision": drawn.decision,
        "face_id": str(drawn.face_id),
        "person_id": str(drawn.person_id) if drawn.person_id else None,
        "name": drawn.name,
        "landmarks_found": drawn.landmarks_found,
        "recognizable": drawn.recognizable,
        "quality": round(drawn.quality, 4),
    }


def _sentence(drawn: DrawnFace) -> str:
    whose = f" of {drawn.name}" if drawn.name else ""
    alike = "" if drawn.recognizable else " It cannot be told from others, so that no job groups it."
    return f"The face {drawn.face_id}{whose} is by hand, quality {drawn.quality:.2f}.{alike}"
