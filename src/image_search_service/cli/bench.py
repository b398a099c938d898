"""``image-search bench``: measures speed where the user's data lies, and makes a large library to try."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from image_search_service.cli.context import DebugOption, JsonOption, LibraryOption, command_context
from image_search_service.cli.lazy_group import TYPER_OPTIONS
from image_search_service.cli.library_command import library_command
from image_search_service.cli.output import table
from image_search_service.core.types import JsonObject

if TYPE_CHECKING:
    from rich.console import RenderableType

    from image_search_service.core.config import Settings
    from image_search_service.services.evaluation.retrieval import RetrievalTimes

app = typer.Typer(
    help="Measure reading embeddings; make a large test library.", no_args_is_help=True, **TYPER_OPTIONS
)

NumberOption = Annotated[
    int, typer.Option("--number", min=1, max=1_000_000, help="How many embeddings to fetch.")
]
DimensionOption = Annotated[
    int, typer.Option("--dimension", min=1, max=65_535, help="Numbers in each embedding.")
]
MadeLibraryOption = Annotated[
    Path,
    typer.Option(
        "--library",
        metavar="DIR",
        envvar="IMAGE_SEARCH_LIBRARY",
        show_envvar=True,
        help="Folder of the new library. It must be given, so that no other library is filled.",
    ),
]
RoundsOption = Annotated[int, typer.Option("--rounds", min=1, help="How often each way is measured.")]


@app.callback()
def bench() -> None:
    """Measure reading embeddings; make a large test library."""


@app.command("retrieval")
def retrieval(
    number: NumberOption = 1000,
    dimension: DimensionOption = 512,
    rounds: RoundsOption = 5,
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Measure how long Qdrant takes to return embeddings by id.

    It asks the Qdrant server of the settings, or without one the embedded engine in a temporary folder. The
    collection that it makes is removed afterwards; the library is neither read nor locked.
    """
    with command_context(as_json=as_json, debug=debug, library=library) as run:
        from image_search_service.services.evaluation.retrieval import measure_retrieval

        times = measure_retrieval(
            run.settings, number, dimension, rounds, note=run.out.note, watch=run.out.progress
        )
        document = _document(run.settings, number, dimension, rounds, times)
        run.out.result(document, _title(document), "", _table(document))


@app.command("library")
def make_library(
    library: MadeLibraryOption,
    faces: Annotated[int, typer.Argument(metavar="N", min=100, help="How many faces.")] = 100_000,
    photos: Annotated[
        int | None, typer.Option("--photos", min=1, help="How many photos.  [default: half as many]")
    ] = None,
    people: Annotated[
        int | None, typer.Option("--people", min=1, help="How many people.  [default: a twentieth]")
    ] = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Fill an empty library with made-up faces.

    To try the program at that size. The faces have no photos; of ten, seven have a person and two are in
    groups without a name. Their embeddings are distributed like those of the engine opencv. The library must
    be empty.
    """
    with library_command(as_json=as_json, debug=debug, library=library) as (run, opened):
        from image_search_service.services.evaluation.made_library import MadeLibraryService
        from image_search_service.services.evaluation.made_rows import MadeSizes

        sizes = MadeSizes.for_faces(faces, photos, people)
        with run.out.progress("Making", "faces") as progress:
            MadeLibraryService(opened.stores, opened.collections).make(sizes, progress)
        root = str(opened.paths.root)
        document = {"library": root, "faces": sizes.faces, "photos": sizes.photos, "people": sizes.people}
        rows = [
            ("Faces, made up", sizes.faces),
            ("Photos, of which there are no files", sizes.photos),
            ("People", sizes.people),
        ]
        run.out.result(
            document,
            table(f"Made-up library in {root}", ("", ""), rows),
            "",
            f"Next: image-search serve --library {root}",
        )


def _document(
    settings: Settings, number: int, dimension: int, rounds: int, times: RetrievalTimes
) -> JsonObject:
    """``factor``: how many times as long as this program a way takes."""
    protocol = "gRPC" if settings.qdrant_prefer_grpc else "REST"
    return {
        "qdrant": settings.qdrant_url or "embedded",
        "protocol": None if settings.qdrant_url is None else protocol,
        "number": number,
        "dimension": dimension,
        "rounds": rounds,
        "one_id_a_call_sample": times.sample,
        "ways": [
            {
                "way": way,
                "milliseconds": round(taken, 3),
                "factor": round(taken / times.milliseconds[times.ours], 2),
            }
            for way, taken in times.milliseconds.items()
        ],
    }


def _title(document: JsonObject) -> str:
    over = f" over {document['protocol']}" if document["protocol"] else ""
    return (
        f"{document['number']:,} embeddings of {document['dimension']:,} numbers from Qdrant, "
        f"{document['qdrant']}{over}; medians of {document['rounds']}. One id a call: "
        f"{document['one_id_a_call_sample']} of them, scaled up."
    )


def _table(document: JsonObject) -> RenderableType:
    rows = [(way["way"], float(way["milliseconds"]), float(way["factor"])) for way in document["ways"]]
    return table(None, ("", "Milliseconds", "Times as long"), rows)
