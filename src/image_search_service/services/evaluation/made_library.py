"""Makes a large library of made-up faces, with no photos behind them: to try program and machine before years
of photos are read. ``image-search bench library``, and the benchmarks.

Rows and embeddings are written as ``restore`` writes them: in one transaction on an empty library, with what
rows refer to looked for at the end, and SQL committed last.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import ExitStack
from itertools import chain

import numpy as np

from image_search_service.core.errors import ConflictError
from image_search_service.core.parallel import chunks
from image_search_service.core.types import DEFAULT_METHOD, Progress
from image_search_service.db import portable
from image_search_service.db.migrate import head_revision
from image_search_service.db.queries import library as library_queries
from image_search_service.db.session import Session
from image_search_service.library.stores import Stores
from image_search_service.library.vectors import LibraryCollections
from image_search_service.recognition.engines.calibrated import OPENCV_IDENTITY
from image_search_service.recognition.made_up import SFACE_SPREAD
from image_search_service.services.centroid_service import CentroidService
from image_search_service.services.evaluation.made_rows import ROOT, MadeRows, MadeSizes, Row
from image_search_service.vector.collections import FacePayload, FacePoint
from image_search_service.vector.face_qdrant import FaceQdrantClient

BATCH = 10_000
"""Rows in one statement, and faces whose embeddings are made and sent together."""


class MadeLibraryService:
    """Fills one library, which no other process has open."""

    def __init__(self, stores: Stores, collections: LibraryCollections) -> None:
        self._stores = stores
        self._collections = collections

    def make(self, sizes: MadeSizes, progress: Progress | None = None) -> None:
        """Fill the library, bound to the engine ``opencv``, whose similarities its embeddings imitate. For n
        faces ⌈n ÷ 10,000⌉ statements for each table. progress: told of faces.

        Raises ConflictError when the library has something already; UnavailableError.
        """
        self._require_empty()
        rows = MadeRows(sizes)
        with ExitStack() as undo:
            with portable.rebuilding(self._stores.database, head_revision()) as session:
                library = library_queries.bind_engine(session, OPENCV_IDENTITY, {})
                session.flush()
                faces = self._collections.faces_of(OPENCV_IDENTITY, library.uid)
                undo.callback(faces.remove_collection)
                faces.ensure_collection()
                _write_what_faces_refer_to(session, rows)
                _write_faces(session, faces, rows, progress)
                _write_what_refers_to_faces(session, rows)
                _write_grouping(session, rows)
                portable.finish_schema(session)
            undo.pop_all()
        CentroidService(self._stores).compute_centroids()

    def _require_empty(self) -> None:
        with self._stores.database.read() as session:
            has_rows = portable.holds_rows(session)
        if has_rows:
            raise ConflictError(
                f"The library {self._stores.paths.root} is not empty.",
                hint="Make it elsewhere: --library NEW_FOLDER, or an empty database on a server.",
            )


def _write_what_faces_refer_to(session: Session, rows: MadeRows) -> None:
    run, _ = library_queries.start_run(session, [ROOT])
    _insert(session, "image_assets", rows.photos())
    _insert(session, "asset_paths", rows.paths(run))
    _insert(session, "persons", rows.people())
    _insert(session, "clusters", rows.clusters())
    library_queries.finish_runs(session)


def _write_faces(
    session: Session, faces: FaceQdrantClient, rows: MadeRows, progress: Progress | None
) -> None:
    """Each face's row and, beside it, its embedding, which is about its person's or cluster's look."""
    embeddings = chain.from_iterable(SFACE_SPREAD.faces(np.random.default_rng(2), rows.looks))
    for number, part in enumerate(chunks(rows.instances(), BATCH), start=1):
        portable.insert_rows(session, "face_instances", part)
        faces.upsert_faces(
            FacePoint(row["id"], embedding, _payload(row))
            for row, embedding in zip(part, embeddings, strict=False)
        )
        if progress is not None:
            progress(min(number * BATCH, rows.sizes.faces), rows.sizes.faces)


def _payload(row: Row) -> FacePayload:
    return FacePayload(
        row["id"],
        row["asset_id"],
        row["person_id"],
        row["cluster_id"],
        row["quality_score"],
        row["detection_confidence"],
    )


def _write_what_refers_to_faces(session: Session, rows: MadeRows) -> None:
    _insert(session, "face_suggestions", rows.suggestions())
    decisions, changes = rows.decisions()
    _insert(session, "decisions", decisions)
    _insert(session, "decision_changes", changes)


def _write_grouping(session: Session, rows: MadeRows) -> None:
    """As if all unnamed faces had been grouped."""
    choice = {"method": DEFAULT_METHOD, "min_cluster_size": 2}
    unnamed = int((rows.looks >= len(rows.persons)).sum())
    library_queries.set_grouped(session, library_queries.FullGrouping(choice, unnamed))


def _insert(session: Session, table: str, rows: Iterable[Row]) -> None:
    for part in chunks(rows, BATCH):
        portable.insert_rows(session, table, part)
