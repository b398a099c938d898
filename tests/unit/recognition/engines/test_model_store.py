from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from image_search_service.core.errors import DataIntegrityError, UnavailableError
from image_search_service.core.types import Progress
from image_search_service.recognition.engines.model_files import ModelArchive, ModelFile, WebAddress
from image_search_service.recognition.engines.model_store import ModelStore
from tests.unit.recognition.engines.file_server import FileServer, file_server

CONTENT = b"weights " * 100_000


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def model(url: str | None, content: bytes = CONTENT, name: str = "deep/model.onnx") -> ModelFile:
    sources = () if url is None else (WebAddress(url),)
    return ModelFile(name, len(content), sha256(content), sources)


class Watching:
    """Remembers what it was shown."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str, int, int | None]] = []

    @contextmanager
    def __call__(self, what: str, unit: str) -> Iterator[Progress]:
        yield lambda done, total: self.seen.append((what, unit, done, total))


@pytest.fixture
def server() -> Iterator[FileServer]:
    with file_server() as running:
        yield running


@pytest.fixture
def watch() -> Watching:
    return Watching()


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_a_missing_file_is_downloaded_with_progress(
    tmp_path: Path, server: FileServer, watch: Watching
) -> None:
    """A download is shown from beginning to end, and what is left is the file alone."""
    file = model(server.add("/model.onnx", CONTENT))
    (path,) = ModelStore(tmp_path).require(file, watch=watch)
    assert path.read_bytes() == CONTENT
    assert watch.seen[-1] == (
        f"Getting model.onnx from {server.address.removeprefix('http://')}",
        "bytes",
        len(CONTENT),
        len(CONTENT),
    )
    assert files_in(tmp_path) == ["model.onnx"]


def test_a_file_that_is_there_is_not_downloaded(tmp_path: Path, server: FileServer, watch: Watching) -> None:
    """The second time nothing is asked of anybody, so that it works offline."""
    file = model(server.add("/model.onnx", CONTENT))
    ModelStore(tmp_path).require(file, watch=watch)
    ModelStore(tmp_path, offline=True).require(file, watch=None)
    assert server.requests == ["/model.onnx"]


def test_what_is_not_the_pinned_content_is_not_kept(
    tmp_path: Path, server: FileServer, watch: Watching
) -> None:
    """A file of the right size with another content is refused, and nothing lies about."""
    file = model(server.add("/model.onnx", CONTENT[::-1]))
    with pytest.raises(UnavailableError, match="checksum") as refused:
        ModelStore(tmp_path).require(file, watch=watch)
    assert "by hand" in (refused.value.hint or "")
    assert files_in(tmp_path) == []


@pytest.mark.parametrize("fault", ["not found", "too large", "refused"])
def test_a_failed_download_says_why_and_leaves_nothing(
    fault: str, tmp_path: Path, server: FileServer, watch: Watching
) -> None:
    """Not found, longer than it should be or nobody there: it can be tried again."""
    url = server.add("/model.onnx", CONTENT + b"more" if fault == "too large" else CONTENT)
    if fault == "not found":
        server.files.clear()
    elif fault == "refused":
        url = "http://127.0.0.1:9/model.onnx"  # the port for discarding, where nobody listens
    with pytest.raises(UnavailableError, match=r"model\.onnx") as failed:
        ModelStore(tmp_path).require(model(url), watch=watch)
    assert url in failed.value.message
    assert url in (failed.value.hint or "")
    assert files_in(tmp_path) == []


@pytest.mark.parametrize("why", ["offline", "nobody watches", "no address"])
def test_nothing_is_downloaded_without_leave(
    why: str, tmp_path: Path, server: FileServer, watch: Watching
) -> None:
    """Offline, unseen, or without an address there is no request at all."""
    url = server.add("/model.onnx", CONTENT)
    store = ModelStore(tmp_path, offline=why == "offline")
    with pytest.raises(UnavailableError):
        store.require(
            model(None if why == "no address" else url), watch=None if why == "nobody watches" else watch
        )
    assert server.requests == []


def test_a_damaged_file_is_refused_and_pulled_again(
    tmp_path: Path, server: FileServer, watch: Watching
) -> None:
    """An engine never opens a damaged file; ``pull`` replaces it."""
    file = model(server.add("/model.onnx", CONTENT))
    store = ModelStore(tmp_path)
    (path,) = store.pull(file, watch=watch)
    path.write_bytes(CONTENT[:-1] + b"?")
    assert store.has(file)
    assert store.check(file).state == "damaged"
    with pytest.raises(DataIntegrityError, match="damaged"):
        store.require(file, watch=watch)
    store.pull(file, watch=watch)
    assert store.check(file).state == "ok"


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path, server: FileServer, watch: Watching) -> None:
    """A models folder that is a file is an error with a hint, not a traceback."""
    (tmp_path / "models").write_text("no folder")
    with pytest.raises(UnavailableError, match="could not be written"):
        ModelStore(tmp_path / "models").require(model(server.add("/model.onnx", CONTENT)), watch=watch)


def archive(server: FileServer, members: dict[str, bytes], pinned: dict[str, bytes]) -> ModelArchive:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as content:
        for name, data in members.items():
            content.writestr(name, data)
    url = server.add("/pack.zip", buffer.getvalue())
    return ModelArchive(
        model(url, buffer.getvalue(), "pack.zip"),
        tuple(pinned),
        tuple(model(None, data, f"pack/{Path(name).name}") for name, data in pinned.items()),
    )


def test_of_an_archive_only_what_is_needed_is_kept(
    tmp_path: Path, server: FileServer, watch: Watching
) -> None:
    """Of a zip of models two files are unpacked, the rest and the zip itself are not kept."""
    members = {"in/a.onnx": b"a" * 1000, "in/b.onnx": b"b" * 1000, "in/age.onnx": b"c"}
    pack = archive(server, members, {name: members[name] for name in ("in/a.onnx", "in/b.onnx")})
    store = ModelStore(tmp_path)
    paths = store.pull_archive(pack, watch)
    assert [path.read_bytes() for path in paths] == [b"a" * 1000, b"b" * 1000]
    assert files_in(tmp_path) == ["a.onnx", "b.onnx"]
    store.pull_archive(pack, watch)
    assert server.requests == ["/pack.zip"]


def test_a_member_with_another_content_is_refused(
    tmp_path: Path, server: FileServer, watch: Watching
) -> None:
    """The archive's files are pinned one by one as well."""
    pack = archive(server, {"a.onnx": b"changed"}, {"a.onnx": b"pinned!"})
    with pytest.raises(UnavailableError, match="checksum"):
        ModelStore(tmp_path).pull_archive(pack, watch)
    assert files_in(tmp_path) == []


def test_an_archive_put_there_by_hand_is_unpacked(
    tmp_path: Path, server: FileServer, watch: Watching
) -> None:
    """Where nothing can be downloaded, the zip may be brought by hand, as the hint says."""
    pack = archive(server, {"a.onnx": b"weights"}, {"a.onnx": b"weights"})
    (tmp_path / "pack.zip").write_bytes(server.files["/pack.zip"])
    (path,) = ModelStore(tmp_path, offline=True).pull_archive(pack, watch)
    assert path.read_bytes() == b"weights"
    assert files_in(tmp_path) == ["a.onnx"]
