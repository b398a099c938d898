"""``image-search index``, ``cluster`` and ``assign``."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict
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
    actor,
    real_path,
)
from image_search_service.cli.library_command import library_command
from image_search_service.cli.metadata import names_read
from image_search_service.cli.output import table
from image_search_service.core.types import DEFAULT_METHOD, JsonObject
from image_search_service.faces.assigner import FaceAssigner
from image_search_service.faces.dual_clusterer import DualModeClusterer
from image_search_service.services.centroid_service import CentroidService
from image_search_service.services.face_clustering_service import FaceClusteringService
from image_search_service.services.indexing.pipeline import index_photos

if TYPE_CHECKING:
    from rich.console import RenderableType

    from image_search_service.faces.assigner import AssignmentRun
    from image_search_service.services.indexing.pipeline import IndexResult
    from image_search_service.services.indexing.report import IndexReport

MethodOption = Annotated[
    str, typer.Option(metavar="agglomerative", help="Method of grouping; hdbscan and dbscan mean it, too.")
]
MinClusterSizeOption = Annotated[
    int | None, typer.Option(help="Smallest number of faces that form a group.  [default: 2]")
]
SHOWN_FAILURES = 20
"""Failures named in the table; ``--json`` has them all."""


def index(
    paths: Annotated[list[Path], typer.Argument(metavar="PATH…", help="Folders of photos, or single files.")],
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
    Photos are never changed.
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
    with library_command(as_json=as_json, debug=debug, **settings) as (run, opened):
        roots = [real_path(path) for path in paths]
        done = index_photos(
            opened.stores, roots, actor=actor(), watch=run.out.progress, retry_failed=retry_failed
        )
        document, tables = _document(done), _tables(done)
        if done.names is not None:
            document["names_from_metadata"] = asdict(done.names)
            tables += names_read(done.names)
        run.out.result(document, *tables)


def _document(done: IndexResult) -> JsonObject:
    report, counts = done.report, done.counts
    return {
        "photos_seen": report.photos_seen,
        "photos_new": report.photos_new,
        "photos_unchanged": report.photos_unchanged,
        "photos_moved": report.photos_moved,
        "photos_missing": report.photos_missing,
        "folders_away": [str(path) for path in report.folders_away],
        "photos_failed": report.photos_failed,
        "photos_waiting": len(report.waiting),
        "waiting_reasons": report.waiting_reasons(),
        "photos": counts.photos,
        "photos_with_faces": counts.photos_with_faces,
        "files_ignored": report.files_ignored,
        "faces_new": report.faces_new,
        "names_kept": report.names_kept,
        "names_lost": report.names_lost,
        "faces": counts.faces,
        "clusters": counts.clusters,
        "clustered_faces": counts.clustered_faces,
        "noise_faces": counts.noise_faces,
        "named_faces": counts.named_faces,
        "seconds": round(report.seconds, 3),
        "photos_per_second": round(report.photos_per_second, 1),
        "engine": done.engine,
        "failures": [
            {"path": str(item.path), "reason": item.reason}
            for item in [*report.failures, *report.unread_folders]
        ],
        "waiting": [{"path": str(item.path), "reason": item.reason} for item in report.waiting],
    }


def _tables(done: IndexResult) -> list[RenderableType]:
    report, counts = done.report, done.counts
    rate = f" ({report.photos_per_second:,.0f} photos a second)" if report.photos_new else ""
    rows: list[tuple[str, int, str]] = [
        ("Files seen", report.photos_seen, ""),
        ("  new", report.photos_new, f"{report.seconds:,.1f} s{rate}"),
        ("  unchanged", report.photos_unchanged, ""),
        ("  moved or copied", report.photos_moved, "known by their content"),
        ("  failed", report.photos_failed, "named below" if report.photos_failed else ""),
        *_waiting_rows(report),
        *_missing_rows(done),
        ("Skipped", report.files_ignored, "no photos by their name" if report.files_ignored else ""),
        *_name_rows(report),
        ("Photos", counts.photos, f"{counts.photos_with_faces:,} of them show faces"),
        ("Faces", counts.faces, f"engine {done.engine}"),
        ("  named", counts.named_faces, f"{counts.persons:,} people"),
        ("  grouped", counts.clustered_faces, f"{counts.clusters:,} groups"),
        ("  alone", counts.noise_faces, "like no other face, or not to be told apart"),
    ]
    shown: list[RenderableType] = [table(None, ("", "", ""), rows)]
    if report.failures or report.unread_folders:
        shown += ["", _failures(report)]
    if counts.clusters:
        shown += [
            "",
            "Next: `image-search people` lists the groups, `image-search name GROUP NAME` names one.",
        ]
    return shown


def _waiting_rows(report: IndexReport) -> list[tuple[str, int, str]]:
    """What could not be read for a reason that may pass; nothing where all could be."""
    if not report.waiting:
        return []
    reasons = ", ".join(f"{count:,} × {reason}" for reason, count in report.waiting_reasons().items())
    return [("  waiting", len(report.waiting), f"the next run tries again: {reasons}")]


def _missing_rows(done: IndexResult) -> list[tuple[str, int, str]]:
    """Files that are not there any more; photos that are nowhere; folders that are away."""
    report, missing = done.report, done.counts.photos_missing
    rows = [("Missing", report.photos_missing, "were here before, kept" if report.photos_missing else "")]
    if report.folders_away:
        away = ", ".join(str(path) for path in report.folders_away)
        rows.append(("Away", len(report.folders_away), f"not there: {away}"))
    if missing:
        rows.append(("Photos missing", missing, "image-search forget leaves out what was deleted"))
    return rows


def _name_rows(report: IndexReport) -> list[tuple[str, int, str]]:
    """What became of names whose photos were changed; nothing where none was."""
    rows = [
        ("Names kept", report.names_kept, "on the same faces of changed photos"),
        ("Names lost", report.names_lost, "their faces were not found: image-search conflicts"),
    ]
    return [row for row in rows if row[1]]


def _failures(report: IndexReport) -> RenderableType:
    failures = [*report.failures, *report.unread_folders]
    reasons = Counter(item.reason for item in failures)
    rows = [(item.path, item.reason) for item in failures[:SHOWN_FAILURES]]
    title = f"Not read: {len(failures):,}"
    if len(failures) > SHOWN_FAILURES:
        most = ", ".join(f"{count:,} × {reason}" for reason, count in reasons.most_common(3))
        title += f" (the first {SHOWN_FAILURES}; most often {most})"
    return table(title, ("File", "Reason"), rows)


def chosen(method: str, min_cluster_size: int | None) -> JsonObject:
    """The grouping options that the user gave; the others keep their defaults."""
    return {"method": method} | ({} if min_cluster_size is None else {"min_cluster_size": min_cluster_size})


def cluster(
    method: MethodOption = DEFAULT_METHOD,
    min_cluster_size: MinClusterSizeOption = None,
    dual: Annotated[
        bool, typer.Option("--dual", help="First assign faces to the named people whom they resemble.")
    ] = False,
    memory: MemoryOption = None,
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Group again the faces that have no name.

    Faces with a name stay as they are.
    """
    with library_command(as_json=as_json, debug=debug, library=library, memory=memory) as (run, opened):
        choice = chosen(method, min_cluster_size)
        assigned = None
        opened.stores.require_embeddings()
        with run.out.progress("Comparing faces", "blocks") as progress:
            if dual:
                both = DualModeClusterer(opened.stores, CentroidService(opened.stores)).cluster_all(
                    **choice, progress=progress
                )
                assigned, grouped = both.assigned, both.grouped
            else:
                grouped = FaceClusteringService(opened.stores).group(**choice, progress=progress)
        opened.payload_sender.send()
        document = {
            "faces": grouped.faces,
            "clusters": grouped.clusters,
            "noise_faces": grouped.noise_faces,
            "seconds": round(grouped.seconds, 3),
            "method": grouped.parameters.method,
            "parameters": asdict(grouped.parameters),
            "assigned": None if assigned is None else asdict(assigned),
        }
        rows = [
            *([] if assigned is None else _assigned_rows(assigned)),
            ("Faces without a name", grouped.faces),
            ("Groups", grouped.clusters),
            ("Alone", grouped.noise_faces),
            ("Seconds", round(grouped.seconds, 2)),
        ]
        run.out.result(document, table(f"Grouped by {grouped.parameters.method}", ("", ""), rows))


def assign(
    library: LibraryOption = None,
    as_json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Assign faces that clearly resemble a person.

    Faces that resemble a person less clearly become suggestions. What you named or rejected stays so.
    """
    with library_command(as_json=as_json, debug=debug, library=library) as (run, opened):
        opened.stores.require_embeddings()
        with run.out.progress("Comparing faces", "faces") as progress:
            assigned = FaceAssigner(opened.stores, CentroidService(opened.stores)).assign_new_faces(
                progress=progress
            )
        opened.payload_sender.send()
        run.out.result(asdict(assigned), table("Assigned", ("", ""), _assigned_rows(assigned)))


def _assigned_rows(assigned: AssignmentRun) -> list[tuple[str, int]]:
    return [
        ("Faces compared", assigned.faces),
        ("  with people", assigned.persons),
        ("  given to them", assigned.assigned),
        ("  to be asked about", assigned.suggested + assigned.updated),
    ]
