"""``image-search evaluate``."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from image_search_service.cli.context import (
    DebugOption,
    DetectorOption,
    EngineOption,
    JsonOption,
    LibraryOption,
    MemoryOption,
    RecognizerOption,
    real_path,
)
from image_search_service.cli.index import MethodOption, MinClusterSizeOption, chosen
from image_search_service.cli.library_command import library_command
from image_search_service.cli.output import table
from image_search_service.core.errors import InvalidInputError
from image_search_service.core.types import DEFAULT_METHOD, JsonObject
from image_search_service.services.evaluation.mistakes import find_mistakes
from image_search_service.services.evaluation.report import as_json as report_figures, as_page
from image_search_service.services.evaluation.service import evaluate_library
from image_search_service.services.face_clustering_service import FaceClusteringService
from image_search_service.services.indexing.indexer import IndexService

if TYPE_CHECKING:
    from rich.console import RenderableType

    from image_search_service.cli.context import Running
    from image_search_service.library.opening import Library


ReportOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="Write a page with the worst groups as pictures, and its figures as JSON."
    ),
]


def evaluate(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder that has one folder of photos for each person.")
    ],
    engine: EngineOption = None,
    recognizer: RecognizerOption = None,
    detector: DetectorOption = None,
    method: MethodOption = DEFAULT_METHOD,
    min_cluster_size: MinClusterSizeOption = None,
    report: ReportOption = None,
    memory: MemoryOption = None,
    library: LibraryOption = None,  # noqa: ARG001 - every command has it; this one makes a temporary library
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Measure engine and grouping on photos of known people.

    It uses a temporary library, which is removed afterwards.
    """
    with tempfile.TemporaryDirectory(prefix="image-search-evaluate-") as temporary:
        settings = {
            "library": temporary,
            "engine": engine,
            "recognizer": recognizer,
            "detector": detector,
            "memory": memory,
        }
        with library_command(as_json=as_json, debug=debug, **settings) as (run, opened):
            root = real_path(folder)
            document = _evaluate(run, opened, root, chosen(method, min_cluster_size))
            if report is not None:
                document["report"] = [str(path) for path in _write_report(report, document, opened, root)]
            run.out.result(document, *_tables(document))


def _evaluate(run: Running, opened: Library, root: Path, grouping: JsonObject) -> JsonObject:
    """Index and group the photos below ``root``, and compare the groups with its folders."""
    started = time.monotonic()
    engine_name = opened.engine_binding.bind().name
    with run.out.progress("Reading photos", "photos") as progress:
        indexed = IndexService(opened.stores).index([root], progress=progress)
    grouped = FaceClusteringService(opened.stores).group(**grouping)
    evaluation = evaluate_library(opened.database, root, indexed.photos_seen - indexed.photos_failed)
    return {
        "faces": evaluation.faces,
        "identities": evaluation.identities,
        **evaluation.scores_document(),
        "photos_without_face": evaluation.photos_without_face,
        "photos_failed": indexed.photos_failed,
        "seconds": round(time.monotonic() - started, 3),
        "engine": engine_name,
        "method": grouped.parameters.method,
    }


def _write_report(file: Path, scores: JsonObject, opened: Library, root: Path) -> tuple[Path, Path]:
    """The page at ``file`` and its figures beside it, with ``.json`` at the end."""
    mistakes = find_mistakes(opened.database, root)
    figures = file.with_suffix(".json")
    page = as_page(scores, mistakes, opened.stores.paths)
    try:
        file.write_text(page, encoding="utf-8")
        figures.write_text(json.dumps(report_figures(scores, mistakes), indent=1), encoding="utf-8")
    except OSError as error:
        raise InvalidInputError(
            f"{file} cannot be written: {error.strerror}.", hint="Choose another place with --report FILE."
        ) from error
    return file, figures


def _tables(document: JsonObject) -> list[RenderableType]:
    measures = [
        (name, f"{score['precision']:.4f}", f"{score['recall']:.4f}", f"{score['f']:.4f}")
        for name, score in (("pairwise", document["pairwise"]), ("BCubed", document["bcubed"]))
    ]
    facts = [
        ("Faces", f"{document['faces']:,} of {document['identities']:,} people"),
        ("Groups", f"{document['clusters']:,}"),
        ("Purity", f"{document['purity']:.4f}"),
        ("Coverage", f"{document['coverage']:.4f}"),
        ("Photos without a face", f"{document['photos_without_face']:,}"),
        ("Seconds", f"{document['seconds']:,.1f}, engine {document['engine']}"),
    ]
    return [table(None, ("", "Precision", "Recall", "F"), measures), "", table(None, ("", ""), facts)]
