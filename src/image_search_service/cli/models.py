"""``image-search models list | pull | check``."""

from __future__ import annotations

from typing import Annotated

import typer

from image_search_service.cli.context import (
    EXIT_FAILED,
    DebugOption,
    DetectorOption,
    JsonOption,
    LibraryOption,
    RecognizerOption,
    command_context,
)
from image_search_service.cli.lazy_group import TYPER_OPTIONS
from image_search_service.cli.output import table
from image_search_service.services.model_inventory import (
    EngineInfo,
    ModelFileInfo,
    check_models,
    list_engines,
    pull_engine,
)

app = typer.Typer(help="List, download and check the face models.", no_args_is_help=True, **TYPER_OPTIONS)


@app.command("list")
def list_models(
    recognizer: RecognizerOption = None,
    detector: DetectorOption = None,
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """List engines, their files and licences."""
    options = {"recognizer": recognizer, "detector": detector, "library": library}
    with command_context(as_json=as_json, debug=debug, **options) as run:
        settings = run.settings
        engines = list_engines(
            models=settings.models, detector=settings.detector, recognizer=settings.recognizer
        )
        rows = [
            (
                info.name,
                "yes" if info.ready else "no",
                info.dimension,
                "measured" if info.measured else "estimated",
                info.reason or info.summary,
            )
            for info in engines
        ]
        licences = {
            (licence.what, licence.name, licence.url) for info in engines for licence in info.licences
        }
        files = {(str(file.path), _size(file)) for info in engines for file in info.files}
        run.out.result(
            {"models": str(settings.models), "engines": [_document(info) for info in engines]},
            table(None, ("Engine", "Ready", "Numbers", "Thresholds", ""), rows),
            "",
            table("Licences", ("", "", ""), sorted(licences)),
            "",
            table("Files", ("", ""), sorted(files)),
        )


def _size(file: ModelFileInfo) -> str:
    return f"{file.size / 1e6:,.1f} MB" if file.present and file.size else "not there"


def _document(info: EngineInfo) -> dict[str, object]:
    return {
        "name": info.name,
        "summary": info.summary,
        "ready": info.ready,
        "reason": info.reason,
        "dimension": info.dimension,
        "thresholds": "measured" if info.measured else "estimated",
        "files": [{"path": str(f.path), "bytes": f.size, "present": f.present} for f in info.files],
        "licences": [
            {"what": licence.what, "name": licence.name, "url": licence.url} for licence in info.licences
        ],
    }


@app.command("pull")
def pull(
    engine: Annotated[
        str, typer.Argument(metavar="ENGINE", help="Engine: opencv, onnx or insightface:PACK.")
    ] = "opencv",
    accept_licence: Annotated[
        bool, typer.Option("--accept-licence", help="Accept the licence of the weights (InsightFace).")
    ] = False,
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Download an engine's model files.

    Each file is compared with a pinned checksum.
    """
    with command_context(as_json=as_json, debug=debug, library=library) as run:
        paths = pull_engine(
            engine,
            models=run.settings.models,
            watch=run.out.progress,
            offline=run.settings.offline,
            source=run.settings.model_source,
            accept_licence=accept_licence,
        )
        document = {"engine": engine, "files": [str(path) for path in paths]}
        run.out.result(document, table(f"Ready for {engine}", ("File",), [(path,) for path in paths]))


@app.command("check")
def check(library: LibraryOption = None, as_json: JsonOption = False, debug: DebugOption = False) -> None:
    """Compare model files with their checksums.

    The exit code is 1 if one is damaged.
    """
    with command_context(as_json=as_json, debug=debug, library=library) as run:
        checked = check_models(models=run.settings.models)
        document = {"files": [{"path": str(item.path), "state": item.state} for item in checked]}
        rows = [(item.path, item.state) for item in checked]
        run.out.result(document, table("Model files", ("File", "State"), rows))
        if any(item.state == "damaged" for item in checked):
            run.out.note("Run `image-search models pull` to get a damaged file again.")
            raise typer.Exit(EXIT_FAILED)
