"""``image-search index``, ``cluster`` and ``assign``."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from image_search_service.cli.context import (
    DebugOption,
    DetectorOption,
    EngineOption,
    JsonOption,
    LibraryOption,
    MemoryOption,
    RecognizerOption,
    Running,
    actor,
    command_context,
    real_path,
)
from image_search_service.cli.handing_over import (
    IndexingAsked,
    here_or_there,
    index_by_service,
    job_of_service,
)
from image_search_service.cli.index_report import index_tables
from image_search_service.cli.metadata import names_read
from image_search_service.cli.output import table
from image_search_service.core.errors import InvalidInputError
from image_search_service.core.types import DEFAULT_METHOD, JsonObject
from image_search_service.faces.assigner import FaceAssigner
from image_search_service.faces.dual_clusterer import DualModeClusterer
from image_search_service.library.opening import Library
from image_search_service.services.centroid_service import CentroidService
from image_search_service.services.face_clustering_service import FaceClusteringService
from image_search_service.services.grouping_proposals import GroupingProposals
from image_search_service.services.indexing.pipeline import index_photos
from image_search_service.services.metadata.report import ReadReport

MethodOption = Annotated[
    str, typer.Option(metavar="agglomerative", help="Method of grouping; hdbscan and dbscan mean the same.")
]
MinClusterSizeOption = Annotated[
    int | None, typer.Option(help="Smallest number of faces that form a group.  [default: 2]")
]


def index(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="PATH",
            help="Folders of photos, or single files.  [default: all folders of the library]",
            show_default=False,
        ),
    ] = None,
    engine: EngineOption = None,
    recognizer: RecognizerOption = None,
    detector: DetectorOption = None,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Try files again that could not be read before.")
    ] = False,
    names: Annotated[
        bool | None,
        typer.Option(
            "--names-from-metadata", help="Take names that other programs wrote into photos or sidecars."
        ),
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Threads that read photos.")] = None,
    memory: MemoryOption = None,
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Find photos, find the faces in them and group the faces.

    Run it again whenever photos were added, moved or removed: only what is new takes time.
    Photos are never changed. While `image-search serve` runs, it does the work, and
    Ctrl-C ends only this command.
    """
    settings = {
        "library": library,
        "engine": engine,
        "recognizer": recognizer,
        "detector": detector,
        "workers": workers,
        "memory": memory,
        "names_from_metadata": names,
    }
    with command_context(as_json=as_json, debug=debug, **settings) as run:
        asked = IndexingAsked([real_path(path) for path in paths or []], retry_failed, names, engine)
        document = _by_whom_holds_it(run, asked)
        read = document.get("names_from_metadata")
        tables = index_tables(document) + (names_read(ReadReport(**read)) if read else [])
        run.out.result(document, *tables)


def _by_whom_holds_it(run: Running, asked: IndexingAsked) -> JsonObject:
    """Indexed here; or by the running service, if there is one that holds the library."""

    def here(opened: Library) -> JsonObject:
        done = index_photos(
            opened.stores,
            asked.paths,
            actor=actor(),
            watch=run.out.progress,
            retry_failed=asked.retry_failed,
        )
        return done.to_json()

    return here_or_there(run, here, lambda service: index_by_service(run, service, asked))


def chosen(method: str, min_cluster_size: int | None) -> JsonObject:
    """The grouping options that the user gave; the others keep their defaults."""
    return {"method": method} | ({} if min_cluster_size is None else {"min_cluster_size": min_cluster_size})


def cluster(
    method: MethodOption = DEFAULT_METHOD,
    min_cluster_size: MinClusterSizeOption = None,
    dual: Annotated[
        bool, typer.Option("--dual", help="First assign faces to the named people whom they resemble.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would change; the page Groups shows it, too.")
    ] = False,
    memory: MemoryOption = None,
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Group again all faces that have no name.

    Faces with a name stay as they are. New photos do not need this command: indexing adds their faces to the
    groups. While `image-search serve` runs, it does the work.
    """
    choice = chosen(method, min_cluster_size)
    with command_context(as_json=as_json, debug=debug, library=library, memory=memory) as run:
        if dry_run and dual:
            raise InvalidInputError(
                "--dry-run does not go with --dual.",
                hint="image-search assign gives faces to named people first.",
            )
        if dry_run:
            _show_changes(run, choice)
        else:
            _group_again(run, choice, dual=dual)


def _show_changes(run: Running, choice: JsonObject) -> None:
    changes = here_or_there(
        run,
        lambda opened: _proposed(run, opened, choice),
        lambda service: job_of_service(run, service, "/faces/cluster/proposal", choice),
    )
    run.out.result(changes, table("Grouping again would change", ("", ""), _change_rows(changes)))


def _group_again(run: Running, choice: JsonObject, *, dual: bool) -> None:
    route = "/faces/cluster/dual" if dual else "/faces/cluster"
    found = here_or_there(
        run,
        lambda opened: _grouped(run, opened, choice, dual=dual),
        lambda service: job_of_service(run, service, route, choice),
    )
    assigned, grouped = (found["assigned"], found["grouped"]) if dual else (None, found)
    document = {
        "faces": grouped["faces"],
        "clusters": grouped["clusters"],
        "noise_faces": grouped["noise_faces"],
        "seconds": round(grouped["seconds"], 3),
        "method": grouped["parameters"]["method"],
        "parameters": grouped["parameters"],
        "assigned": assigned,
    }
    rows = [
        *([] if assigned is None else _assigned_rows(assigned)),
        ("Faces without a name", grouped["faces"]),
        ("Groups", grouped["clusters"]),
        ("Alone", grouped["noise_faces"]),
        ("Seconds", round(grouped["seconds"], 2)),
    ]
    run.out.result(document, table(f"Grouped by {document['method']}", ("", ""), rows))


def _grouped(run: Running, opened: Library, choice: JsonObject, *, dual: bool) -> JsonObject:
    """Grouped here: what the service's jobs return, too."""
    opened.stores.require_embeddings()
    with run.out.progress("Comparing faces", "blocks") as progress:
        if dual:
            clusterer = DualModeClusterer(opened.stores, CentroidService(opened.stores))
            found = asdict(clusterer.cluster_all(**choice, progress=progress))
        else:
            found = asdict(FaceClusteringService(opened.stores).group(**choice, progress=progress))
    opened.payload_sender.send()
    return found


def _proposed(run: Running, opened: Library, choice: JsonObject) -> JsonObject:
    opened.stores.require_embeddings()
    with run.out.progress("Comparing faces", "blocks") as progress:
        return GroupingProposals(opened.stores).propose(**choice, progress=progress).to_json()


def _change_rows(changes: JsonObject) -> list[tuple[str, int]]:
    return [
        ("Groups joined", changes["joined"]),
        ("Groups split", changes["split"]),
        ("New groups", changes["new"]),
        ("Groups dissolved", changes["dissolved"]),
        ("Faces that move", changes["moved"]),
        ("Faces compared", changes["faces"]),
    ]


def assign(
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Assign faces that clearly resemble a person.

    Faces that resemble a person less clearly become suggestions. What you named or rejected stays so. While
    `image-search serve` runs, it does the work.
    """
    with command_context(as_json=as_json, debug=debug, library=library) as run:
        assigned = here_or_there(
            run,
            lambda opened: _assigned(run, opened),
            lambda service: job_of_service(run, service, "/faces/assign", {}),
        )
        run.out.result(assigned, table("Assigned", ("", ""), _assigned_rows(assigned)))


def _assigned(run: Running, opened: Library) -> JsonObject:
    opened.stores.require_embeddings()
    with run.out.progress("Comparing faces", "faces") as progress:
        assigner = FaceAssigner(opened.stores, CentroidService(opened.stores))
        assigned = asdict(assigner.assign_new_faces(progress=progress))
    opened.payload_sender.send()
    return assigned


def _assigned_rows(assigned: JsonObject) -> list[tuple[str, int]]:
    return [
        ("Faces compared", assigned["faces"]),
        ("  with people", assigned["persons"]),
        ("  given to them", assigned["assigned"]),
        ("  to be asked about", assigned["suggested"] + assigned["updated"]),
    ]
