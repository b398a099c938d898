"""``image-search bench``: measures speed where the user's data lies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from image_search_service.cli.context import DebugOption, JsonOption, LibraryOption, command_context
from image_search_service.cli.lazy_group import TYPER_OPTIONS
from image_search_service.cli.output import table
from image_search_service.core.types import JsonObject

if TYPE_CHECKING:
    from rich.console import RenderableType

    from image_search_service.core.config import Settings
    from image_search_service.services.evaluation.retrieval import RetrievalTimes

app = typer.Typer(help="Measure how fast embeddings are read here.", no_args_is_help=True, **TYPER_OPTIONS)

NumberOption = Annotated[
    int, typer.Option("--number", min=1, max=1_000_000, help="How many embeddings to fetch.")
]
DimensionOption = Annotated[
    int, typer.Option("--dimension", min=1, max=65_535, help="Numbers in each embedding.")
]
RoundsOption = Annotated[int, typer.Option("--rounds", min=1, help="How often each way is measured.")]


@app.callback()
def bench() -> None:
    """Measure how fast embeddings are read here."""


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

    On the server that the settings name, else on the embedded engine in a temporary folder. The collection
    that it makes is removed again; the library is neither read nor locked.
    """
    with command_context(as_json=as_json, debug=debug, library=library) as run:
        from image_search_service.services.evaluation.retrieval import measure_retrieval

        times = measure_retrieval(
            run.settings, number, dimension, rounds, note=run.out.note, watch=run.out.progress
        )
        document = _document(run.settings, number, dimension, rounds, times)
        run.out.result(document, _title(document), "", _table(document))


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
