"""Makes a backup of the whole library while it is in use: rows, embeddings, centroids, small pictures.

Everything follows from one snapshot of SQL, held open until the end: the rows as they were at that moment,
and the embeddings and pictures of exactly those faces. This is consistent although the stores share no
snapshot: a face's embedding is stored before its row and never changes, and Qdrant's payloads are derived
from the rows. Items deleted meanwhile are counted as missing.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TypeVar
from uuid import UUID

from image_search_service.core.errors import UnavailableError
from image_search_service.core.paging import keyset_pages
from image_search_service.core.parallel import chunks
from image_search_service.core.paths import PICTURE_SUFFIX, LibraryPaths
from image_search_service.core.types import EngineIdentity, Progress
from image_search_service.db.integrity import require_whole
from image_search_service.db.migrate import head_revision, program_version
from image_search_service.db.models import utc_now
from image_search_service.db.portable import JsonRow, rows_of, table_forms
from image_search_service.db.queries import faces as face_queries
from image_search_service.db.queries.doctor import expected
from image_search_service.db.queries.suggestions import centroids
from image_search_service.db.session import Session
from image_search_service.library.stores import Stores
from image_search_service.services.backup.archive import (
    END_OF_ARCHIVE,
    ArchiveWriter,
    Manifest,
    archived,
    crop_name,
    embeddings_to_bytes,
    part_name,
    thumbnail_name,
)
from image_search_service.vector.batching import FETCH_BATCH
from image_search_service.vector.embedding_batch import EmbeddingBatch

ROWS = 5_000
"""Rows in a part: some 4 MB of faces."""
EMBEDDINGS = 10_000
"""Embeddings in a part: 20 MB at 512 numbers."""
PICTURE_BYTES = 2**24
"""Approximate size of a part of small pictures, in bytes."""

T = TypeVar("T")
FetchEmbeddings = Callable[[list[UUID], int], EmbeddingBatch]


class BackupService:
    """Makes the archive of one library. Raises NotFoundError for one in which nothing has been indexed."""

    def __init__(self, stores: Stores) -> None:
        self._library = stores.binding.require_row()
        self._database = stores.database
        self._faces = stores.collections.unchecked_faces()  # reading makes no collection
        self._centroids = stores.collections.unchecked_centroids()
        self._paths = stores.paths

    def stream(self, *, pictures: bool = True, progress: Progress | None = None) -> Iterator[bytes]:
        """The archive, in pieces of some megabytes; the next is made when the one before has been taken.

        One statement for each table, and for n faces ⌈n ÷ 1,000⌉ statements and requests for their
        embeddings. ``progress`` is told the embeddings and how many there are. Raises UnavailableError, and
        DamagedDatabaseError when SQLite's own check of its file finds something.
        """
        require_whole(self._database)
        with self._database.snapshot() as session:
            began = utc_now()
            writing = _BackupWriter(session)
            yield from writing.rows()
            total = face_queries.count_faces(session)
            fetch_faces = self._faces.get_embeddings_by_point_ids
            for done, piece in writing.embeddings("embeddings", _face_points(session), fetch_faces):
                if progress is not None:
                    progress(done, total)
                yield piece
            fetch_centroids = self._centroids.get_centroids_by_point_ids
            for _, piece in writing.embeddings("centroids", _centroid_points(session), fetch_centroids):
                yield piece
            if pictures:
                yield from writing.pictures(_pictures(session, self._paths))
            yield writing.archive.end(self._manifest(began, writing.counts))

    def room(self, *, pictures: bool = True) -> int:
        """About how many bytes the archive takes: its embeddings, and the pictures that are there. Rows are
        not counted. One statement, and a look at each file."""
        with self._database.read() as session:
            faces = face_queries.count_faces(session)
        roots = (self._paths.crops, self._paths.thumbnails) if pictures else ()
        files = (path for root in roots for path in root.glob(f"*/*{PICTURE_SUFFIX}"))
        return faces * 4 * self._library.dimension + sum(map(_size, files))

    def _manifest(self, began: datetime, counts: Mapping[str, int]) -> Manifest:
        row = self._library
        return Manifest(
            created_at=began.isoformat(),
            program=program_version(),
            revision=head_revision(),
            engine=EngineIdentity(row.engine_name, row.engine_checksum, row.dimension),
            library=row.uid,
            tables=[(form.name, form.columns) for form in table_forms()],
            counts=dict(counts),
        )


_NOTHING = {"rows": 0} | {
    f"{missing}{kind}": 0 for missing in ("", "missing_") for kind in ("embeddings", "centroids", "pictures")
}


class _BackupWriter:
    """One backup: the snapshot, the archive, and what has been counted so far."""

    def __init__(self, session: Session) -> None:
        self.archive = ArchiveWriter()
        self.counts = Counter(_NOTHING)
        self._session = session

    def rows(self) -> Iterator[bytes]:
        for form in table_forms():
            for number, rows in enumerate(chunks(rows_of(self._session, form), ROWS)):
                self.counts["rows"] += len(rows)
                yield self.archive.member(part_name(f"tables/{form.name}", number, "jsonl"), _lines(rows))

    def embeddings(
        self, kind: str, point_ids: Iterator[UUID], fetch: FetchEmbeddings
    ) -> Iterator[tuple[int, bytes]]:
        """Parts, each with the number of points that are done with it."""
        done = 0
        for number, ids in enumerate(chunks(point_ids, EMBEDDINGS)):
            batch = fetch(ids, FETCH_BATCH)
            done += len(ids)
            self.counts[kind] += len(batch)
            self.counts[f"missing_{kind}"] += len(batch.missing)
            content = embeddings_to_bytes(batch.ids, batch.matrix)
            yield done, self.archive.member(part_name(kind, number, "npy"), content)

    def pictures(self, files: Iterator[tuple[str, Path]]) -> Iterator[bytes]:
        for number, part in enumerate(_parts(self._contents(files))):
            yield self.archive.member(part_name("pictures", number, "tar"), part)

    def _contents(self, files: Iterator[tuple[str, Path]]) -> Iterator[bytes]:
        for name, path in files:
            content = _content(path)
            self.counts["pictures" if content else "missing_pictures"] += 1
            if content:
                yield archived(name, content)


def _lines(rows: list[JsonRow]) -> bytes:
    return "".join(f"{json.dumps(row)}\n" for row in rows).encode()


def _parts(files: Iterator[bytes]) -> Iterator[bytes]:
    """Archives of about ``PICTURE_BYTES``, each whole in itself."""
    part = bytearray()
    for file in files:
        part += file
        if len(part) >= PICTURE_BYTES:
            yield bytes(part) + END_OF_ARCHIVE
            part.clear()
    if part:
        yield bytes(part) + END_OF_ARCHIVE


def _size(path: Path) -> int:
    """In bytes; 0 of a file that has gone meanwhile."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _content(path: Path) -> bytes:
    """A file's content, empty if it does not exist. Raises UnavailableError for an unreadable one."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise UnavailableError(
            f"{path} cannot be read: {error.strerror}.", hint="Give access to the library's folder."
        ) from error


# What the snapshot has, a page at a time


def _face_points(session: Session) -> Iterator[UUID]:
    return (face.point_id for face in _pages(session, expected.face_page, lambda face: face.point_id))


def _centroid_points(session: Session) -> Iterator[UUID]:
    return (row.id for row in centroids.centroids_with_point(session))


def _pictures(session: Session, paths: LibraryPaths) -> Iterator[tuple[str, Path]]:
    """Names in the archive, and the files."""
    for face_id in _pages(session, expected.face_id_page, lambda face_id: face_id):
        yield crop_name(face_id), paths.crop(face_id)
    for photo in _pages(session, expected.photo_page, lambda photo: photo.id):
        if photo.failure is None:
            yield thumbnail_name(photo.id), paths.thumbnail(photo.id)


def _pages(
    session: Session, read_page: Callable[[Session, UUID | None, int], list[T]], key: Callable[[T], UUID]
) -> Iterator[T]:
    pages = keyset_pages(lambda after: read_page(session, after, FETCH_BATCH), key, FETCH_BATCH)
    return (row for page in pages for row in page)
