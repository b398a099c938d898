"""``image-search info``."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from image_search_service.cli.context import (
    EXIT_FAILED,
    DebugOption,
    JsonOption,
    LibraryOption,
    command_context,
)
from image_search_service.cli.library_command import library_command
from image_search_service.cli.output import table
from image_search_service.core.types import JsonObject
from image_search_service.library.health import check_stores, library_counts, outbox_size
from image_search_service.library.places import library_schema, store_places

if TYPE_CHECKING:
    from rich.console import RenderableType

    from image_search_service.library.opening import Library

SHOWN_VERSIONS = (
    "image-search-service",
    "qdrant-edge-py",
    "qdrant-client",
    "sqlalchemy",
    "onnxruntime",
    "numpy",
)


def info(
    check: Annotated[
        bool, typer.Option("--check", help="Ask each store whether it works; exit with 1 if one does not.")
    ] = False,
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Show versions, engine, folders and sizes."""
    if check:
        _check(library, as_json=as_json, debug=debug)
        return
    with library_command(as_json=as_json, debug=debug, library=library) as (run, opened):
        paths = _paths(opened, run.settings.models)
        sizes = {name: disk_usage(path) for name, path in paths.items()}
        document = {
            "versions": _versions(),
            "schema": asdict(library_schema(opened)),
            "engine": _engine(opened),
            "servers": [asdict(place) for place in store_places(opened)],
            "paths": {name: str(path) for name, path in paths.items()},
            "counts": asdict(library_counts(opened)),
            "outbox": outbox_size(opened),
            "bytes": sizes,
        }
        run.out.result(document, *_tables(document))


def _check(library: Path | None, *, as_json: bool, debug: bool) -> None:
    with command_context(as_json=as_json, debug=debug, library=library) as run:
        stores = check_stores(run.settings, run.out.note, run.out.progress)
        rows = [(store.name, "works" if store.ready else "does not work", store.detail) for store in stores]
        run.out.result({"stores": [asdict(store) for store in stores]}, table(None, ("Store", "", ""), rows))
        if not all(store.ready for store in stores):
            raise typer.Exit(EXIT_FAILED)


def _versions() -> dict[str, str]:
    return {name: version(name) for name in SHOWN_VERSIONS} | {"python": platform.python_version()}


def _engine(opened: Library) -> JsonObject | None:
    """The engine that the library is bound to; None before anything is indexed."""
    row = opened.engine_binding.row()
    if row is None:
        return None
    return {"name": row.engine_name, "checksum": row.engine_checksum, "dimension": row.dimension}


def _paths(opened: Library, models: Path) -> dict[str, Path]:
    """The folders and files of what lies on this machine."""
    settings, paths = opened.settings, opened.paths
    here = {"database": paths.database} if settings.database_url is None else {}
    here |= {"vectors": paths.vectors} if settings.qdrant_url is None else {}
    return {
        "library": paths.root,
        **here,
        "thumbnails": paths.thumbnails,
        "crops": paths.crops,
        "models": models,
    }


def _tables(document: JsonObject) -> list[RenderableType]:
    engine, paths, sizes = document["engine"], document["paths"], document["bytes"]
    schema = f"revision {document['schema']['revision']}, by version {document['schema']['written_by']}"
    shown = f"{engine['name']}, {engine['dimension']} numbers" if engine else "none yet: nothing is indexed"
    counts = [(name.replace("_", " "), count) for name, count in document["counts"].items()]
    servers = [
        (place["store"], place["failure"] or place["detail"], place["address"])
        for place in document["servers"]
    ]
    of_servers: list[RenderableType] = ["", table(None, ("Server", "", "Where"), servers)] if servers else []
    return [
        table(
            None, ("", ""), [("Engine", shown), ("Database revision", schema), *document["versions"].items()]
        ),
        *of_servers,
        "",
        table(None, ("", "MB", "Where"), [(name, sizes[name] / 1e6, paths[name]) for name in paths]),
        "",
        table(None, ("", ""), [*counts, ("faces to tell Qdrant of", document["outbox"])]),
    ]


def disk_usage(path: Path) -> int:
    """Bytes that a file, or all files below a folder, take on disk; 0 for what is not there."""
    return sum(_blocks(entry) for entry in _files(path))


def _files(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    for folder, _, names in os.walk(path):
        yield from (Path(folder, name) for name in names)


def _blocks(path: Path) -> int:
    try:
        status = path.lstat()
    except FileNotFoundError:  # gone since it was listed, such as SQLite's shared memory
        return 0
    blocks = getattr(status, "st_blocks", None)  # Windows does not say
    return status.st_size if blocks is None else int(blocks) * 512
