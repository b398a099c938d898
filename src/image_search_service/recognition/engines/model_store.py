"""Where model files lie, and how they get there: size and checksum of each are pinned.

A file is downloaded next to its place under another name, compared with its checksum, and only then
renamed: what has the right name is whole. What broke off is kept under that other name, and the next
attempt goes on with it. Nothing is downloaded unless somebody watches it.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import IO

from image_search_service.core.errors import DataIntegrityError, UnavailableError
from image_search_service.core.types import Progress
from image_search_service.recognition.engines.model_download import (
    Downloader,
    Watch,
    open_downloader,
    own_source,
)
from image_search_service.recognition.engines.model_files import (
    CheckedFile,
    ModelArchive,
    ModelFile,
    ModelFolder,
    Source,
    WebAddress,
)
from image_search_service.recognition.engines.partial_file import open_partial

_CHUNK = 1 << 18


class ModelStore:
    """The folder of downloaded models. Several processes may use it at once.

    offline: never download, whoever watches. source: a folder or the base of an address, tried before the
    files' own sources; from a folder files are taken even offline.
    """

    def __init__(self, folder: Path, *, offline: bool = False, source: str | None = None) -> None:
        self.folder = folder
        self.offline = offline
        self._source = source

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

    def require(self, *files: ModelFile, watch: Watch | None) -> list[Path]:
        """The files' paths; those that are not there are downloaded first.

        Raises UnavailableError if one cannot be had, DataIntegrityError if one is damaged.
        """
        states = [self.check(file) for file in files]
        for checked in states:
            if checked.state == "damaged":
                raise DataIntegrityError(
                    f"{checked.path} is damaged: its checksum is not {checked.file.sha256[:12]}….",
                    hint="Delete it, or run `image-search models pull` to get it again.",
                )
        return self._complete(states, watch)

    def pull(self, *files: ModelFile, watch: Watch) -> list[Path]:
        """The files' paths; those that are missing or damaged are downloaded. Raises UnavailableError."""
        return self._complete([self.check(file) for file in files], watch)

    def pull_archive(self, archive: ModelArchive, watch: Watch) -> list[Path]:
        """The paths of the archive's files; it is downloaded if one of them is missing or damaged.

        The zip itself is not kept. Raises UnavailableError.
        """
        if any(self.check(file).state != "ok" for file in archive.files):
            (zipped,) = self.pull(archive.archive, watch=watch)  # it may have been put there by hand
            try:
                self._unpack(zipped, archive)
            finally:
                zipped.unlink(missing_ok=True)
        return [self.path(file) for file in archive.files]

    def _complete(self, states: Sequence[CheckedFile], watch: Watch | None) -> list[Path]:
        lacking = [checked.file for checked in states if checked.state != "ok"]
        if lacking:
            self._download(lacking, watch)
        return [checked.path for checked in states]

    def _download(self, files: Sequence[ModelFile], watch: Watch | None) -> None:
        sources = [self._sources(file, may_download=watch is not None) for file in files]
        for file, usable in zip(files, sources, strict=True):
            if not usable:
                raise self._not_had(
                    file, f"The model file {Path(file.name).name} is not there{_why_not(file)}."
                )
        with _writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            with open_downloader(watch or _unwatched, self.folder) as downloader:
                for file, usable in zip(files, sources, strict=True):
                    self._download_one(file, usable, downloader)

    def _download_one(self, file: ModelFile, sources: tuple[Source, ...], downloader: Downloader) -> None:
        path = self.path(file)
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f".{path.name}.part")
        with open_partial(unfinished, file) as part:
            if self.check(file).state == "ok":  # another process has brought it meanwhile
                part.clear()
                return
            try:
                downloader.fill(part, sources)
            except UnavailableError as error:
                raise self._not_had(file, error.message) from error
            part.store()
            unfinished.chmod(0o644)
            unfinished.replace(path)

    def _sources(self, file: ModelFile, *, may_download: bool) -> tuple[Source, ...]:
        sources = own_source(self._source, file) + file.sources
        if may_download and not self.offline:
            return sources
        return tuple(source for source in sources if isinstance(source, ModelFolder))

    def _not_had(self, file: ModelFile, message: str) -> UnavailableError:
        addresses = [source.url for source in file.sources if isinstance(source, WebAddress)]
        here = f" (for instance from {addresses[0]})" if addresses else ""
        return UnavailableError(
            message,
            hint=f"Put the file{here} at {self.path(file)} by hand: {file.size:,} bytes, "
            f"SHA-256 {file.sha256}. Or set IMAGE_SEARCH_MODEL_SOURCE to a folder or address that has it. "
            "`image-search models list` shows which engines can run here without it.",
        )

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
        with _writing(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(prefix=".unpacking-", dir=path.parent)
            temporary = Path(name)
            try:
                with os.fdopen(descriptor, "wb") as target:
                    yield target
                    target.flush()
                    os.fsync(descriptor)
                if sha256_of(temporary) != file.sha256:
                    raise self._not_had(file, f"{path.name} in the archive has another checksum than pinned.")
                temporary.chmod(0o644)
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)


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


def _why_not(file: ModelFile) -> str:
    return ", and nothing may be downloaded" if file.sources else ""


def _unwatched(_what: str, _unit: str) -> nullcontext[Progress]:
    return nullcontext(lambda _done, _total: None)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UnavailableError(
            f"{error.filename or path} could not be written: {error.strerror or error}.",
            hint="Make room, or choose another folder with IMAGE_SEARCH_MODELS.",
        ) from error
