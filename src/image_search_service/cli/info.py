"""``image-search info``."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path

from image_search_service.cli.context import DebugOption, JsonOption, LibraryOption, command_context
from image_search_service.cli.output import table
from image_search_service.library.health import library_counts, outbox_size
from image_search_service.library.opening import open_library

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
    with (
        command_context(as_json=as_json, debug=debug, library=library) as run,
        open_library(run.settings, run.out.note, run.out.progress) as opened,
    ):
        versions = {name: version(name) for name in SHOWN_VERSIONS} | {"python": platform.python_version()}
        row = opened.engine_binding.row()
        paths = {
            "library": opened.paths.root,
            "database": opened.paths.database,
            "vectors": opened.paths.vectors,
            "thumbnails": opened.paths.thumbnails,
            "crops": opened.paths.crops,
            "models": run.settings.models,
        }
        sizes = {name: disk_usage(path) for name, path in paths.items()}
        counts = asdict(library_counts(opened))
        backlog = outbox_size(opened)
        engine = (
            {"name": row.engine_name, "checksum": row.engine_checksum, "dimension": row.dimension}
            if row
            else None
        )
        document = {
            "versions": versions,
            "engine": engine,
            "paths": {name: str(path) for name, path in paths.items()},
            "counts": counts,
            "outbox": backlog,
            "bytes": sizes,
        }
        shown = f"{row.engine_name}, {row.dimension} numbers" if row else "none yet: nothing is indexed"
        run.out.result(
            document,
            table(None, ("", ""), [("Engine", shown), *versions.items()]),
            "",
            table(None, ("", "MB", "Where"), [(n, sizes[n] / 1e6, paths[n]) for n in paths]),
            "",
            table(
                None,
                ("", ""),
                [
                    *((name.replace("_", " "), count) for name, count in counts.items()),
                    ("faces to tell Qdrant of", backlog),
                ],
            ),
        )


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
