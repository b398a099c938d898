"""``image-search info``."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from image_search_service.cli.context import DebugOption, JsonOption, LibraryOption
from image_search_service.cli.library_command import library_command
from image_search_service.cli.output import table
from image_search_service.core.types import JsonObject
from image_search_service.library.health import library_counts, outbox_size

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
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Show versions, engine, folders and sizes."""
    with library_command(as_json=as_json, debug=debug, library=library) as (run, opened):
        paths = _paths(opened, run.settings.models)
        sizes = {name: disk_usage(path) for name, path in paths.items()}
        document = {
            "versions": _versions(),
            "engine": _engine(opened),
            "paths": {name: str(path) for name, path in paths.items()},
            "counts": asdict(library_counts(opened)),
            "outbox": outbox_size(opened),
            "bytes": sizes,
        }
        run.out.result(document, *_tables(document))


def _versions() -> dict[str, str]:
    return {name: version(name) for name in SHOWN_VERSIONS} | {"python": platform.python_version()}


def _engine(opened: Library) -> JsonObject | None:
    """The engine that the library is bound to; None before anything is indexed."""
    row = opened.engine_binding.row()
    if row is None:
        return None
    return {"name": row.engine_name, "checksum": row.engine_checksum, "dimension": row.dimension}


def _paths(opened: Library, models: Path) -> dict[str, Path]:
    return {
        "library": opened.paths.root,
        "database": opened.paths.database,
        "vectors": opened.paths.vectors,
        "thumbnails": opened.paths.thumbnails,
        "crops": opened.paths.crops,
        "models": models,
    }


def _tables(document: JsonObject) -> list[RenderableType]:
    engine, paths, sizes = document["engine"], document["paths"], document["bytes"]
    shown = f"{engine['name']}, {engine['dimension']} numbers" if engine else "none yet: nothing is indexed"
    counts = [(name.replace("_", " "), count) for name, count in document["counts"].items()]
    return [
        table(None, ("", ""), [("Engine", shown), *document["versions"].items()]),
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
