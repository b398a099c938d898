"""``image-search roots list | add | remove``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from image_search_service.cli.context import (
    DebugOption,
    JsonOption,
    LibraryOption,
    Running,
    command_context,
    real_path,
)
from image_search_service.cli.handing_over import here_or_there
from image_search_service.cli.lazy_group import TYPER_OPTIONS
from image_search_service.cli.output import table
from image_search_service.services.indexing.roots import RootService, root_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import RenderableType

    from image_search_service.core.types import JsonObject
    from image_search_service.services.jobs.client import ServiceClient

app = typer.Typer(
    help="List, add and remove the folders of the library.", no_args_is_help=True, **TYPER_OPTIONS
)

PathArgument = Annotated[Path, typer.Argument(metavar="PATH", help="A folder of photos, or a photo.")]


@app.command("list")
def list_roots(
    library: LibraryOption = None, as_json: JsonOption = False, debug: DebugOption = False
) -> None:
    """List the folders that `image-search index` reads.

    Each with its excludes and the number of photos that they leave out.
    """
    with command_context(as_json=as_json, debug=debug, library=library) as run:
        shown = _ask(
            run,
            lambda roots: [root_json(root) for root in roots.roots()],
            lambda service: service.get("/roots")["roots"],
        )
        run.out.result({"roots": shown}, _table(shown) if shown else "The library has no folder yet.")


@app.command("add")
def add(
    path: PathArgument,
    exclude: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATTERN",
            help="Pattern of files to leave out, as in .gitignore; replaces the former ones. May be given "
            "several times; an empty one removes all.",
        ),
    ] = None,
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Add a folder, or change what is left out of it.

    The next `image-search index` reads it.
    """
    with command_context(as_json=as_json, debug=debug, library=library) as run:
        folder = real_path(path)
        body = {"path": str(folder), "excludes": exclude}
        shown = _ask(
            run,
            lambda roots: [root_json(roots.save(folder, exclude))],
            lambda service: [service.post("/roots", body)],
        )
        run.out.result(shown[0], _table(shown), "`image-search index` reads it.")


@app.command("remove")
def remove(
    path: PathArgument,
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Remove a folder from the list.

    Its photos stay in the library; `image-search index` does not look at them any more.
    """
    with command_context(as_json=as_json, debug=debug, library=library) as run:
        folder = real_path(path)
        removed = _ask(
            run,
            lambda roots: [root_json(root) for root in roots.remove(folder)],
            lambda service: service.post("/roots/remove", {"path": str(folder)})["roots"],
        )
        run.out.result({"removed": removed}, f"Removed {folder}. Its photos stay in the library.")


def _ask(
    run: Running,
    here: Callable[[RootService], list[JsonObject]],
    there: Callable[[ServiceClient], list[JsonObject]],
) -> list[JsonObject]:
    """Here; or by the running service, if there is one that holds the library."""
    return here_or_there(run, lambda opened: here(RootService(opened.database)), there)


def _table(roots: list[JsonObject]) -> RenderableType:
    rows = [
        (
            root["path"],
            root["photos"],
            root["excluded"],
            ", ".join(root["excludes"]),
            root["state"] or ("" if root["indexed_at"] else "not indexed yet"),
        )
        for root in roots
    ]
    return table(None, ("Folder", "Photos", "Left out", "Excludes", ""), rows)
