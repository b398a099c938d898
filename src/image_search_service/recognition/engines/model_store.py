"""Where model files lie, and how they get there: address, size and checksum of each are pinned here.

A file is downloaded next to its place under another name, compared with its checksum, and only then
renamed: what has the right name is whole. Nothing is downloaded unless somebody watches it.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from image_search_service.core.errors import DataIntegrityError, UnavailableError
from image_search_service.core.types import Progress

Watch = Callable[[str, str], AbstractContextManager[Progress]]
"""``watch(what, unit)`` gives a progress callback for the length of one download."""

FileState = Literal["ok", "missing", "damaged"]

_CHUNK = 1 << 18
_TIMEOUT_SECONDS = 30.0
"""For connecting and for each part of the answer, not for the whole file."""


@dataclass(frozen=True, slots=True)
class Licence:
    """Terms of one model: ``what`` it is, the licence's ``name``, and where its text is."""

    what: str
    name: str
    url: str


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A file as it must be. ``name`` is its path in the models folder, ``size`` is in bytes."""

    name: str
    size: int
    sha256: str
    url: str | None = None


@dataclass(frozen=True, slots=True)
class ModelArchive:
    """A zip that is downloaded for some of its members: ``members[i]`` becomes ``files[i]``."""

    archive: ModelFile
    members: tuple[str, ...]
    files: tuple[ModelFile, ...]


@dataclass(frozen=True, slots=True)
class CheckedFile:
    """What ``ModelStore.check`` found."""

    file: ModelFile
    path: Path
    state: FileState


class ModelStore:
    """The folder of downloaded models. Several processes may use it at once.

    offline: never download, whoever watches.
    """

    def __init__(self, folder: Path, *, offline: bool = False) -> None:
        self.folder = folder
        self._offline = offline

    def path(self, file: ModelFile) -> Path:
        return self.folder / file.name

    def has(self, file: ModelFile) -> bool:
        """Whether the file is there with the right size; its content is not read."""
        path = self.path(file)
        return path.is_file() and path.stat().st_size == file.size

    def check(self, file: ModelFile) -> CheckedFile:
        """Read the whole file and compare its checksum."""
        path = self.path(file)
        if not path.is_file():
            return CheckedFile(file, path, "missing")
        return CheckedFile(
            file, path, "ok" if self.has(file) and sha256_of(path) == file.sha256 else "damaged"
        )

    def require(self, file: ModelFile, watch: Watch | None) -> Path:
        """The file's path; it is downloaded first if it is not there.

        Raises UnavailableError if it cannot be had, DataIntegrityError if its content is not what it must be.
        """
        state = self.check(file).state
        if state == "missing":
            self._download(file, watch)
        elif state == "damaged":
            raise DataIntegrityError(
                f"{self.path(file)} is damaged: its checksum is not {file.sha256[:12]}….",
                hint="Delete it, or run `image-search models pull` to get it again.",
            )
        return self.path(file)

    def pull(self, file: ModelFile, watch: Watch) -> Path:
        """The file's path; it is downloaded if it is missing or damaged. Raises UnavailableError."""
        if self.check(file).state != "ok":
            self._download(file, watch)
        return self.path(file)

    def pull_archive(self, archive: ModelArchive, watch: Watch) -> list[Path]:
        """The paths of the archive's files; it is downloaded if one of them is missing or damaged.

        The zip itself is not kept. Raises UnavailableError.
        """
        if any(self.check(file).state != "ok" for file in archive.files):
            zipped = self.pull(archive.archive, watch)  # it may have been put there by hand
            try:
                self._unpack(zipped, archive)
            finally:
                zipped.unlink(missing_ok=True)
        return [self.path(file) for file in archive.files]

    def _download(self, file: ModelFile, watch: Watch | None) -> None:
        if file.url is None or watch is None or self._offline:
            raise _not_fetched(file, self.path(file), "nothing may be downloaded")
        with (
            self._new_file(file) as target,
            watch(f"Downloading {Path(file.name).name}", "bytes") as progress,
        ):
            _fetch(file, self.path(file), target, progress)

    def _unpack(self, zipped: Path, archive: ModelArchive) -> None:
        with zipfile.ZipFile(zipped) as content:
            for member, file in zip(archive.members, archive.files, strict=True):
                with self._new_file(file) as target, content.open(member) as source:
                    while chunk := source.read(_CHUNK):
                        target.write(chunk)

    @contextmanager
    def _new_file(self, file: ModelFile) -> Iterator[IO[bytes]]:
        """A file to write to that gets ``file``'s name at the end if its content is right."""
        path = self.path(file)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(prefix=".downloading-", dir=path.parent)
            temporary = Path(name)
            try:
                with os.fdopen(descriptor, "wb") as target:
                    yield target
                    target.flush()
                    os.fsync(descriptor)
                _install(temporary, path, file)
            finally:
                temporary.unlink(missing_ok=True)
        except OSError as error:
            raise UnavailableError(
                f"{path} could not be written: {error.strerror or error}.",
                hint="Make room, or choose another folder with IMAGE_SEARCH_MODELS.",
            ) from error


def sha256_of(path: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def combined_checksum(*paths: Path) -> str:
    """SHA-256 over the SHA-256 of each file: changes when any of them does."""
    return combined_checksum_of(sha256_of(path) for path in paths)


def combined_checksum_of(checksums: Iterable[str]) -> str:
    """The same from checksums that are known."""
    return hashlib.sha256("".join(checksums).encode()).hexdigest()


def _install(temporary: Path, path: Path, file: ModelFile) -> None:
    found = sha256_of(temporary)
    if found != file.sha256:
        raise _not_fetched(file, path, f"what came has the checksum {found[:12]}…, not {file.sha256[:12]}…")
    temporary.chmod(0o644)
    temporary.replace(path)


def _fetch(file: ModelFile, path: Path, target: IO[bytes], progress: Progress) -> None:
    """Write what the file's address answers to ``target``; no more than the file's size."""
    import httpx  # takes a tenth of a second to import, and hardly any run downloads

    done = 0
    try:
        with httpx.stream("GET", str(file.url), follow_redirects=True, timeout=_TIMEOUT_SECONDS) as answer:
            answer.raise_for_status()
            for chunk in answer.iter_bytes(_CHUNK):
                done += len(chunk)
                if done > file.size:
                    raise _not_fetched(file, path, f"more than its {file.size:,} bytes came")
                target.write(chunk)
                progress(done, file.size)
    except httpx.HTTPStatusError as error:
        answered = f"the server answered {error.response.status_code} {error.response.reason_phrase}"
        raise _not_fetched(file, path, answered.strip()) from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise _not_fetched(file, path, str(error) or type(error).__name__) from error


def _not_fetched(file: ModelFile, path: Path, reason: str) -> UnavailableError:
    where = f"get {file.url} yourself and put it at {path}" if file.url else f"put it at {path}"
    return UnavailableError(
        f"The model file {Path(file.name).name} is not there and could not be downloaded: {reason}.",
        hint=f"Try again, or {where}, or use --engine dlib, which needs no download.",
    )
