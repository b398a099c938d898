"""A file that is being downloaded: kept between runs, written by one process at a time."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from filelock import FileLock

from image_search_service.core.errors import UnavailableError
from image_search_service.recognition.engines.model_files import ModelFile

_CHUNK = 1 << 18


class SourceFailedError(UnavailableError):
    """One source did not give the file; ``message`` says why. Another source may be tried.

    no_connection: the host could not even be reached.
    """

    def __init__(self, reason: str, *, no_connection: bool = False) -> None:
        super().__init__(reason)
        self.no_connection = no_connection


class PartialFile:
    """As much of ``file`` as has come. ``content`` is open for reading and appending, and locked."""

    def __init__(self, file: ModelFile, content: BinaryIO) -> None:
        self.file = file
        self._content = content
        if self.length > file.size:
            self.clear()

    @property
    def length(self) -> int:
        """Bytes that are there; the next request asks for what follows."""
        return self._content.seek(0, os.SEEK_END)

    def clear(self) -> None:
        self._content.truncate(0)

    def append(self, chunk: bytes) -> None:
        """Raises SourceFailedError if that is more than the file's size; then nothing is kept."""
        if self.length + len(chunk) > self.file.size:
            self.clear()
            raise SourceFailedError(f"it is larger than {self.file.size:,} bytes")
        self._content.write(chunk)

    def checksum(self) -> str:
        """SHA-256 of what is there, in hexadecimal."""
        self._content.seek(0)
        digest = hashlib.sha256()
        while chunk := self._content.read(_CHUNK):
            digest.update(chunk)
        return digest.hexdigest()

    def is_right(self) -> bool:
        return self.length == self.file.size and self.checksum() == self.file.sha256

    def store(self) -> None:
        """Bring what is there to the disk, so that it outlives a power cut."""
        self._content.flush()
        os.fsync(self._content.fileno())


@contextmanager
def open_partial(path: Path, file: ModelFile) -> Iterator[PartialFile]:
    """The unfinished ``file`` at ``path``; waits while another process writes to it.

    At the end an empty one is removed; one with something in it stays, to go on with.
    """
    with _lock(path), path.open("a+b") as content:
        try:
            yield PartialFile(file, content)
        finally:
            if content.seek(0, os.SEEK_END) == 0:
                path.unlink(missing_ok=True)


def _lock(path: Path) -> FileLock:
    """Held by one process at a time; the system releases it when the process dies. It lies in the system's
    temporary folder, so that nothing but models lies in theirs."""
    name = hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:32]
    return FileLock(Path(tempfile.gettempdir()) / f"image-search-{name}.lock", mode=0o666)
