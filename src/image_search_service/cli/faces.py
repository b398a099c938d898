"""``image-search faces``: their ids, which other commands ask for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from image_search_service.cli.context import DebugOption, JsonOption, LibraryOption, real_path
from image_search_service.cli.library_command import library_command
from image_search_service.cli.output import table
from image_search_service.cli.people import SHOWN_ID
from image_search_service.core.types import Box
from image_search_service.services.people.lookup import PeopleService


def _place(box: Box) -> str:
    x, y = box.center
    return f"{x:.0f}, {y:.0f}"


def faces(
    person: Annotated[str | None, typer.Option("--person", metavar="NAME", help="The person's name.")] = None,
    group: Annotated[
        str | None, typer.Option("--group", metavar="GROUP", help="Id of a group without a name.")
    ] = None,
    photo: Annotated[Path | None, typer.Option("--photo", metavar="FILE", help="The photo's file.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many faces to list.")] = 50,
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """List faces of a person, a group or a photo, with their ids.

    The clearest face comes first. Other commands take these ids.
    """
    with library_command(library=library, as_json=as_json, debug=debug) as (run, opened):
        listed, total = PeopleService(opened.database).faces(
            name=person, cluster=group, photo=None if photo is None else real_path(photo), limit=limit
        )
        document = {
            "total": total,
            "faces": [
                {
                    "id": str(face.id),
                    "person": face.name,
                    "assigned_by": face.assigned_by,
                    "cluster_id": str(face.cluster_id) if face.cluster_id else None,
                    "quality": round(face.quality, 4),
                    "box": [face.box.x, face.box.y, face.box.width, face.box.height],
                    "by_hand": face.by_hand,
                    "path": str(face.path) if face.path else None,
                }
                for face in listed
            ],
        }
        rows = [
            (
                str(face.id),
                face.name or (face.cluster_id.hex[:SHOWN_ID] if face.cluster_id else None),
                face.assigned_by,
                face.quality,
                _place(face.box) + (", by hand" if face.by_hand else ""),
                face.path or "missing",
            )
            for face in listed
        ]
        title = f"Faces: {total:,}" + (f", the clearest {limit:,}" if limit < total else "")
        columns = ("Face", "Person or group", "Assigned by", "Quality", "At (x, y)", "Photo")
        run.out.result(document, table(title, columns, rows))
