"""``image-search demo``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from image_search_service.cli.context import (
    DebugOption,
    JsonOption,
    LibraryOption,
    command_context,
    real_path,
)
from image_search_service.cli.output import table


def demo(
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="FOLDER", help="Folder to draw it in.  [default: demo-photos]", show_default=False
        ),
    ] = None,
    faces: Annotated[int, typer.Option(min=1, help="How many faces to draw, about.")] = 600,
    library: LibraryOption = None,  # noqa: ARG001 - every command has it; this one needs no library
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Draw a small library of made-up people.

    To try the program; the faces are drawn, not real.
    """
    from image_search_service.demo.library import make_demo_library

    with command_context(as_json=as_json, debug=debug) as run:
        target = real_path(folder or Path("demo-photos"))
        with run.out.progress("Drawing", "photos") as progress:
            made = make_demo_library(target, faces=faces, workers=run.settings.workers, progress=progress)
        document = {
            "folder": str(target),
            "pictures": made.pictures,
            "faces": made.faces,
            "people": made.people,
            "bad_files": made.bad_files,
        }
        rows = [
            ("Pictures", made.pictures),
            ("Faces, drawn, not real", made.faces),
            ("People", made.people),
            ("Files that are broken on purpose", made.bad_files),
        ]
        run.out.result(
            document,
            table(f"Demo library in {target}", ("", ""), rows),
            "",
            f"Next: image-search index {target} --engine synthetic",
        )
