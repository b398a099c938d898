"""The file that a backup is: a tar archive that any program can open, in members of bounded size.

    tables/NAME/000000.jsonl    rows as JSON arrays, one a line, in parts
    embeddings/000000.npy       embeddings with the ids of their points, in parts
    centroids/000000.npy        the same of persons' centroids
    pictures/000000.tar         small pictures in parts: ``crops/HEX.jpg`` and ``thumbnails/HEX.jpg``,
                                by the id of their face or photo
    manifest.json               what it is a backup of, and how much there is
    SHA256SUMS                  of every member before it, as ``sha256sum --check`` reads it

It is written in one go, without knowing in advance how long it will be; the checksums come last, so that an
archive that was cut off is known for it. Names and members are short, so that each header is one block.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import tarfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import BinaryIO, Final
from uuid import UUID

import numpy as np
import numpy.typing as npt

from image_search_service.core.errors import DataIntegrityError, InvalidInputError, UnavailableError
from image_search_service.core.files import written_whole
from image_search_service.core.paths import PICTURE_SUFFIX
from image_search_service.core.private_files import open_private
from image_search_service.core.types import EngineIdentity, FloatArray, JsonObject

FORMAT: Final = 1
"""Raised when older versions can no longer read what is written."""
MANIFEST: Final = "manifest.json"
CHECKSUMS: Final = "SHA256SUMS"
LARGEST_MEMBER: Final = 2**30
"""Bytes; parts are far smaller, and a header that says more is damaged."""
_BLOCK: Final = tarfile.BLOCKSIZE
_HINT: Final = "Take another backup; nothing was restored."


@dataclass(frozen=True, slots=True)
class Member:
    """A named piece of the archive."""

    name: str
    content: bytes


@dataclass(slots=True)
class Manifest:
    """What a backup contains.

    created_at: the moment of the snapshot, ISO 8601, UTC. program: the version that wrote it. revision: the
    database schema's revision. library: the library's id. tables: each table's columns and their kinds
    (``db/portable.py``), in the order in which rows can be restored. counts: ``rows``, ``embeddings``,
    ``centroids`` and ``pictures``; for the last three also how many were missing (``missing_embeddings`` and
    so on).
    """

    created_at: str
    program: str
    revision: str
    engine: EngineIdentity
    library: UUID
    tables: list[tuple[str, dict[str, str]]]
    counts: dict[str, int] = field(default_factory=dict)
    format: int = FORMAT

    def to_json(self) -> JsonObject:
        return asdict(self) | {"library": str(self.library)}

    @classmethod
    def from_json(cls, document: JsonObject) -> Manifest:
        """Raises KeyError, TypeError or ValueError for a document that is not a manifest."""
        return cls(
            created_at=str(document["created_at"]),
            program=str(document["program"]),
            revision=str(document["revision"]),
            engine=EngineIdentity(**document["engine"]),
            library=UUID(document["library"]),
            tables=[(name, dict(columns)) for name, columns in document["tables"]],
            counts=dict(document["counts"]),
            format=int(document["format"]),
        )


# Writing


def part_name(folder: str, number: int, suffix: str) -> str:
    """Such as ``embeddings/000007.npy``."""
    return f"{folder}/{number:06}.{suffix}"


def crop_name(face_id: UUID) -> str:
    return f"crops/{face_id.hex}{PICTURE_SUFFIX}"


def thumbnail_name(asset_id: UUID) -> str:
    return f"thumbnails/{asset_id.hex}{PICTURE_SUFFIX}"


def archived(name: str, content: bytes) -> bytes:
    """A file as a tar archive holds it: header, content, and zeros up to the next block."""
    header = tarfile.TarInfo(name)
    header.size = len(content)
    return header.tobuf(tarfile.USTAR_FORMAT) + content + bytes(-len(content) % _BLOCK)


END_OF_ARCHIVE: Final = bytes(2 * _BLOCK)


class ArchiveWriter:
    """Makes the archive's bytes, member by member, and keeps their checksums."""

    def __init__(self) -> None:
        self._sums: list[str] = []

    def member(self, name: str, content: bytes) -> bytes:
        """One member as the archive holds it."""
        self._sums.append(_checksum_line(Member(name, content)))
        return archived(name, content)

    def end(self, manifest: Manifest) -> bytes:
        """The manifest, the checksums, and the archive's end."""
        last = self.member(MANIFEST, json.dumps(manifest.to_json(), indent=1).encode())
        return last + archived(CHECKSUMS, "".join(self._sums).encode()) + END_OF_ARCHIVE


def _checksum_line(member: Member) -> str:
    return f"{hashlib.sha256(member.content).hexdigest()}  {member.name}\n"


# Reading


def verified(path: Path, between: Callable[[], object] = lambda: None) -> Manifest:
    """Read the whole archive, compare each member with its checksum, and return its manifest.

    between: called after each member, and may raise to end it. Raises NotFoundError, InvalidInputError for a
    file that is not a backup or has a newer format, and DataIntegrityError that names what is damaged.
    """
    sums: list[str] = []
    manifest = stored = b""
    for member in members(path):
        if member.name == CHECKSUMS:
            stored = member.content
            break
        sums.append(_checksum_line(member))
        if member.name == MANIFEST:
            manifest = member.content
        between()
    if not stored:
        raise DataIntegrityError(f"The backup {path} is not complete: its end is missing.", hint=_HINT)
    _compare(path, sums, stored)
    return _manifest(path, manifest)


def members(path: Path) -> Iterator[Member]:
    """The archive's members, one in memory at a time, as they are. Raises as ``verified`` does."""
    before = ""
    try:
        with path.open("rb") as file:
            for member in members_of(file):
                yield member
                before = member.name
    except OSError as error:
        raise InvalidInputError(f"{path} cannot be read: {error.strerror}.") from error
    except tarfile.HeaderError as error:
        if not before:
            raise InvalidInputError(
                f"{path} is no backup of a library, or its beginning is damaged."
            ) from error
        raise DataIntegrityError(f"The backup {path} is damaged after {before}.", hint=_HINT) from error


def members_of(file: BinaryIO) -> Iterator[Member]:
    """The members of an open file. Raises tarfile.HeaderError if it is not a tar archive."""
    while block := file.read(_BLOCK):
        if not any(block):
            return
        header = tarfile.TarInfo.frombuf(block, "utf-8", "strict")
        if not 0 <= header.size <= LARGEST_MEMBER:
            raise tarfile.HeaderError(f"{header.name} cannot be {header.size} bytes")
        content = file.read(header.size)
        if len(content) < header.size:
            raise tarfile.HeaderError(f"{header.name} is cut off")
        file.read(-header.size % _BLOCK)
        yield Member(header.name, content)


def _compare(path: Path, computed: Sequence[str], stored: bytes) -> None:
    if "".join(computed).encode() == stored:
        return
    promised = set(stored.decode("utf-8", "replace").splitlines(keepends=True))
    wrong = [line.split("  ", 1)[1].strip() for line in computed if line not in promised]
    raise DataIntegrityError(
        f"The backup {path} is damaged: {', '.join(wrong[:10]) or CHECKSUMS} "
        f"{'is' if len(wrong) < 2 else 'are'} not what was written.",
        hint=_HINT,
    )


def _manifest(path: Path, content: bytes) -> Manifest:
    try:
        document = json.loads(content)
        if int(document["format"]) > FORMAT:
            raise InvalidInputError(
                f"{path} was written by a newer version of this program (format {document['format']}).",
                hint="Update image-search-service; nothing was restored.",
            )
        return Manifest.from_json(document)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise InvalidInputError(f"{path} is no backup of a library: its {MANIFEST} is none.") from error


# Embeddings


def embeddings_to_bytes(ids: Sequence[UUID], matrix: FloatArray) -> bytes:
    """``ids`` and ``(n, d)`` float32 as one .npy file: n records of 16 bytes ``id`` and ``embedding``."""
    records = np.empty(len(ids), dtype=_record(matrix.shape[1]))
    joined = b"".join(id_.bytes for id_ in ids)
    records["id"] = np.frombuffer(joined, dtype=np.uint8).reshape(len(ids), 16)
    records["embedding"] = matrix
    buffer = io.BytesIO()
    np.save(buffer, records, allow_pickle=False)
    return buffer.getvalue()


def embeddings_from_bytes(content: bytes, dimension: int) -> tuple[list[UUID], FloatArray]:
    """The inverse of ``embeddings_to_bytes``. Raises ValueError for other content."""
    records: npt.NDArray[np.void] = np.load(io.BytesIO(content), allow_pickle=False)
    if records.dtype != _record(dimension):
        raise ValueError(f"The embeddings are {records.dtype}, not of {dimension} numbers.")
    ids = [UUID(bytes=row.tobytes()) for row in records["id"]]
    return ids, np.ascontiguousarray(records["embedding"], dtype=np.float32)


def _record(dimension: int) -> np.dtype[np.void]:
    return np.dtype([("id", np.uint8, (16,)), ("embedding", "<f4", (dimension,))])


# The file


def write_file(
    path: Path, stream: Iterable[bytes], *, room: int = 0, between: Callable[[], object] = lambda: None
) -> Manifest:
    """Write an archive to a temporary file, verify it and move it to ``path``; returns its manifest.

    Only the owner may read the file. room: bytes that it takes, about; it is not begun where
    fewer are free. between: called after each piece that was written, and each that was read again; it may
    raise to end it. Raises UnavailableError if the disk refuses it, DataIntegrityError if it is not what was
    written, and whatever ``stream`` raises; then no file is left behind, and an older one at ``path`` is
    unchanged.
    """
    _require_room(path, room)
    try:
        with written_whole(path) as partial:
            with open(partial, "xb", opener=open_private) as file:
                for piece in stream:
                    file.write(piece)
                    between()
            return verified(partial, between)
    except OSError as error:
        raise UnavailableError(
            f"{path} cannot be written: {error.strerror}.",
            hint="Make room, or name a file on another disk or in a folder that may be written to.",
        ) from error


def _require_room(path: Path, room: int) -> None:
    folder = next((each for each in path.parents if each.is_dir()), None)
    free = room if folder is None else shutil.disk_usage(folder).free
    if free < room:
        raise UnavailableError(
            f"{path} would take some {room / 1e6:,.1f} MB, and {free / 1e6:,.1f} MB are free there.",
            hint="Make room, name a file on another disk, or leave out the small pictures "
            "(--without-pictures).",
        )
