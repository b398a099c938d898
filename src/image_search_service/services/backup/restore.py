"""Puts a backup into an empty library, on whatever stores that library has.

Everything happens inside one SQL transaction: first the rows, then the embeddings in Qdrant with payloads
derived from the rows, then the small pictures, and last the commit. So SQL has the whole library or nothing.
A file in the library's folder records that a restore is under way and what it created outside of SQL; while
it exists, no other command opens the library, and the next restore deletes what it lists and starts again.
"""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, TypeAlias
from uuid import UUID

from image_search_service.core.errors import ConflictError, DataIntegrityError
from image_search_service.core.parallel import chunks
from image_search_service.core.paths import PICTURE_SUFFIX, LibraryPaths
from image_search_service.core.types import EngineIdentity, FloatArray, Progress
from image_search_service.db import portable
from image_search_service.db.migrate import require_known
from image_search_service.db.portable import TableForm
from image_search_service.db.queries import faces as face_queries
from image_search_service.db.queries.doctor import expected
from image_search_service.db.queries.jobs import jobs as job_queries
from image_search_service.db.queries.suggestions import centroids as centroid_queries
from image_search_service.db.session import Session
from image_search_service.library.stores import Stores
from image_search_service.library.vectors import LibraryCollections
from image_search_service.media.derivatives import write_atomically
from image_search_service.media.derived_files import derived_files, remove_file
from image_search_service.services.backup import archive
from image_search_service.services.backup.archive import Manifest, Member
from image_search_service.services.centroid_service import CentroidService
from image_search_service.services.doctor.findings import face_payload
from image_search_service.services.jobs.service import JobKind
from image_search_service.vector.centroid_qdrant import CentroidPoint, CentroidQdrantClient
from image_search_service.vector.collections import FacePoint
from image_search_service.vector.face_qdrant import FaceQdrantClient

BATCH = 1_000
"""Points in one request, and values in one ``IN (…)``."""

Collections: TypeAlias = tuple[FaceQdrantClient, CentroidQdrantClient]
OpenCollections: TypeAlias = Callable[[EngineIdentity, UUID], Collections]
"""The collections of a library's faces and centroids, which need not be there."""
Moves: TypeAlias = Sequence[tuple[Path, Path]]
"""Pairs of a photo folder in the backup and the folder where it is now."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup file that was read completely and is intact."""

    path: Path
    manifest: Manifest


@dataclass(slots=True)
class RestoreReport:
    """The result of a restore. without_embedding: faces whose embedding the backup lacks."""

    rows: int = 0
    embeddings: int = 0
    centroids: int = 0
    pictures: int = 0
    moved_paths: int = 0
    without_embedding: int = 0


def checked_backup(path: Path) -> Backup:
    """Read the whole file. Raises DataIntegrityError naming what is damaged, InvalidInputError for another
    file, NewerLibraryError for what a newer version has written."""
    manifest = archive.verified(path)
    require_known(manifest.revision, manifest.program)
    return Backup(path, manifest)


class RestoreService:
    """Restores into one library, which no other process has open."""

    def __init__(self, stores: Stores, collections: LibraryCollections) -> None:
        self._stores = stores
        self._database = stores.database
        self._paths = stores.paths
        self._collections = collections

    def restore(self, backup: Backup, moves: Moves = (), progress: Progress | None = None) -> RestoreReport:
        """Put back everything. For n faces, ⌈n ÷ 5,000⌉ statements to insert and ⌈n ÷ 1,000⌉ to read the
        rows, and ⌈n ÷ 1,000⌉ requests.

        Raises ConflictError when the library, or Qdrant, has something already, and UnavailableError; then
        the same call may be made again.
        """
        manifest = backup.manifest
        faces = self._collections.faces_of(manifest.engine, manifest.library)
        centroids = self._collections.centroids_of(manifest.engine, manifest.library)
        self._clear_interrupted()
        self._require_empty(faces, centroids)
        _note_under_way(self._paths.restoring, backup)
        faces.ensure_collection()
        centroids.ensure_collection()
        with portable.rebuilding(self._database, manifest.revision) as session:
            run = _RestoreRun(
                session,
                manifest=manifest,
                moves=moves,
                faces=faces,
                centroids=centroids,
                paths=self._paths,
                progress=progress,
            )
            run.put_back(archive.members(backup.path))
        remove_file(self._paths.restoring)
        if run.without_centroid:
            CentroidService(self._stores).compute_centroids(run.without_centroid)
        return run.report

    def _require_empty(self, faces: FaceQdrantClient, centroids: CentroidQdrantClient) -> None:
        with self._database.read() as session:
            has_rows = portable.holds_rows(session)
        if has_rows or any(_pictures(self._paths)):
            raise ConflictError(
                f"The library {self._paths.root} is not empty.",
                hint="Restore into another one: --library NEW_FOLDER, or an empty database on a server.",
            )
        for collection in (faces, centroids):
            if collection.exists():
                raise ConflictError(
                    f"Qdrant has a collection {collection.collection_name} already: "
                    "the library that was backed up is still there.",
                    hint="Restore beside it with another Qdrant, or remove that collection first.",
                )

    def _clear_interrupted(self) -> None:
        """Delete what an interrupted restore left outside of SQL. If only its note is left, the library is
        complete, and is then refused as not empty."""
        manifest = _under_way(self._paths.restoring)
        if manifest is None:
            return
        with self._database.read() as session:
            was_completed = portable.holds_rows(session)
        if not was_completed:
            self._collections.faces_of(manifest.engine, manifest.library).remove_collection()
            self._collections.centroids_of(manifest.engine, manifest.library).remove_collection()
            for path in _pictures(self._paths):
                remove_file(path)
        remove_file(self._paths.restoring)


def _note_under_way(path: Path, backup: Backup) -> None:
    write_atomically(path, json.dumps(backup.manifest.to_json()).encode())


def _under_way(path: Path) -> Manifest | None:
    try:
        return Manifest.from_json(json.loads(path.read_bytes()))
    except FileNotFoundError:
        return None
    except (KeyError, TypeError, ValueError) as error:
        raise DataIntegrityError(
            f"{path} cannot be read.", hint="Remove the library's folder, and restore into it again."
        ) from error


def _pictures(paths: LibraryPaths) -> Iterator[Path]:
    return (file.path for root in (paths.crops, paths.thumbnails) for file in derived_files(root))


class _RestoreRun:
    """One restore, inside its transaction."""

    def __init__(
        self,
        session: Session,
        *,
        manifest: Manifest,
        moves: Moves,
        faces: FaceQdrantClient,
        centroids: CentroidQdrantClient,
        paths: LibraryPaths,
        progress: Progress | None,
    ) -> None:
        self.report = RestoreReport()
        self.without_centroid: list[UUID] = []
        self._with_point: set[UUID] = set()
        self._session = session
        self._manifest = manifest
        self._moves = moves
        self._forms = {name: TableForm(name, columns) for name, columns in manifest.tables}
        self._faces = faces
        self._centroids = centroids
        self._paths = paths
        self._progress = progress

    def put_back(self, members: Iterator[Member]) -> None:
        """Restore all members, in the order of the archive."""
        put: dict[str, Callable[[Member], None]] = {
            "tables": self._put_rows,
            "embeddings": self._put_embeddings,
            "centroids": self._put_centroids,
            "pictures": self._put_pictures,
        }
        for kind, parts in groupby(members, lambda member: member.name.partition("/")[0]):
            for part in parts if kind in put else ():
                with _named(part):
                    put[kind](part)
            if kind == "tables":
                portable.finish_schema(self._session)
        self._retire_centroids_without_point()
        job_queries.cancel_all(self._session, JobKind.WRITE_BACKUP)  # the one that wrote it, while it ran
        self.report.without_embedding = face_queries.count_faces(self._session) - self.report.embeddings

    def _put_rows(self, part: Member) -> None:
        form = self._forms[part.name.split("/")[1]]
        rows = [json.loads(line) for line in part.content.splitlines()]
        for row in rows:
            changes = [self._move(row, column) for column in form.path_columns]
            self.report.moved_paths += any(changes)
        portable.insert_json_rows(self._session, form, rows)
        self.report.rows += len(rows)

    def _move(self, row: list[Any], column: int) -> bool:
        """Replace one path by where it is now; whether that is another one."""
        row[column], is_moved = moved(row[column], self._moves)
        return is_moved

    def _put_embeddings(self, part: Member) -> None:
        for ids, matrix in self._embeddings(part):
            truth = expected.faces_at_points(self._session, ids)
            self._faces.upsert_faces(
                FacePoint(point_id, row, face_payload(truth[point_id]))
                for point_id, row in zip(ids, matrix, strict=True)
            )
            self.report.embeddings += len(ids)
            if self._progress is not None:
                self._progress(self.report.embeddings, self._manifest.counts["embeddings"])

    def _put_centroids(self, part: Member) -> None:
        for ids, matrix in self._embeddings(part):
            truth = expected.centroids_by_id(self._session, ids)
            self._centroids.upsert_centroids(
                CentroidPoint(point_id, row, truth[point_id].person_id)
                for point_id, row in zip(ids, matrix, strict=True)
            )
            self.report.centroids += len(ids)
            self._with_point.update(ids)

    def _embeddings(self, part: Member) -> Iterator[tuple[list[UUID], FloatArray]]:
        ids, matrix = archive.embeddings_from_bytes(part.content, self._manifest.engine.dimension)
        for start in range(0, len(ids), BATCH):
            yield ids[start : start + BATCH], matrix[start : start + BATCH]

    def _put_pictures(self, part: Member) -> None:
        for picture in archive.members_of(io.BytesIO(part.content)):
            write_atomically(self._picture(picture.name), picture.content)
            self.report.pictures += 1

    def _picture(self, name: str) -> Path:
        folder, _, file = name.partition("/")
        place = {"crops": self._paths.crop, "thumbnails": self._paths.thumbnail}[folder]
        return place(UUID(file.removesuffix(PICTURE_SUFFIX)))

    def _retire_centroids_without_point(self) -> None:
        """Retire centroids that were replaced while the backup was made, after its snapshot."""
        active = centroid_queries.centroids_with_point(self._session)
        self.without_centroid = [row.person_id for row in active if row.id not in self._with_point]
        for persons in chunks(self.without_centroid, BATCH):
            centroid_queries.replace_active(self._session, persons, [])


def moved(path: str, moves: Moves) -> tuple[str, bool]:
    """A photo's path by the first of ``moves`` that it lies in, and whether it lies in one."""
    for old, new in moves:
        if Path(path).is_relative_to(old):
            return str(new / Path(path).relative_to(old)), True
    return path, False


@contextmanager
def _named(part: Member) -> Iterator[None]:
    """Translate errors of reading a member into DataIntegrityError that names it."""
    try:
        yield
    except (LookupError, TypeError, ValueError, RecursionError, MemoryError, tarfile.HeaderError) as error:
        raise DataIntegrityError(
            f"{part.name} in the backup cannot be used: {error}.", hint="Nothing was restored."
        ) from error
