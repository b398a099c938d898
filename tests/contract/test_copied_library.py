"""Two copies of a library on one Qdrant server or one database: the second one is noticed, and asked which it
is. A test for each set of stores that can be shared (S5 of the cases)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from image_search_service.api.errors import problem_of
from image_search_service.cli.app import app
from image_search_service.core.config import Settings
from image_search_service.core.errors import CopiedLibraryError, UnavailableError
from image_search_service.core.records.library import StoreMark
from image_search_service.library.health import readiness_service
from image_search_service.library.marks import is_own
from image_search_service.library.opening import Library, open_library
from image_search_service.queue.face_jobs import JOBS
from image_search_service.queue.runner import ProgressReporter
from image_search_service.services.decisions.service import ReviewService
from image_search_service.services.doctor.copied import WhichLibrary, say_which
from image_search_service.services.doctor.service import DoctorService
from image_search_service.services.jobs.service import JobKind
from image_search_service.vector.embedded import EmbeddedQdrant
from tests.support.copies import copy_library
from tests.support.damage import all_faces, found, points_of
from tests.support.databases import depth, migrated_schema
from tests.support.qdrant_server import QdrantServer, Refused
from tests.support.served import add_faces, bind, directions, no_bar
from tests.support.stores import library_on
from tests.support.world import World, put_database

FACES = 6
NO_KEY = Refused(403, "PERMISSION_DENIED", "Forbidden")
SHARED = ("qdrant", depth("database"), depth("both"))
"""Which stores two copies of a folder share."""


@dataclass(frozen=True)
class Shared:
    """Stores that several folders may name. settings: that name them, for each folder."""

    folder: Path
    settings: dict[str, Any]
    server: QdrantServer | None

    @contextmanager
    def open(self, name: str) -> Iterator[Library]:
        settings = Settings(
            library=self.folder / name, engine="synthetic", offline=True, workers=1, **self.settings
        )
        with open_library(settings, lambda _: None, no_bar, examining=True) as opened:
            yield opened

    def copy(self) -> None:
        copy_library(self.folder / "first", self.folder / "second")


@pytest.fixture(params=SHARED)
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shared]:
    """A library of some faces, ``first``, and a copy of its folder, ``second``."""
    with ExitStack() as opened:
        settings: dict[str, Any] = {}
        server = None
        if request.param != "qdrant":
            url = opened.enter_context(migrated_schema())
            settings["database_url"] = url.render_as_string(hide_password=False)
        if request.param != "database":
            engine = opened.enter_context(EmbeddedQdrant(tmp_path / "server"))
            server = opened.enter_context(QdrantServer(engine))
            settings |= server.settings
        both = Shared(tmp_path, settings, server)
        if request.param == "qdrant":
            put_database(tmp_path / "first")
        with both.open("first") as library:
            bind(library)
            add(library)
        both.copy()
        yield both


@pytest.fixture
def on_qdrant(tmp_path: Path) -> Iterator[Shared]:
    """The same for tests of what is stored on the server."""
    with EmbeddedQdrant(tmp_path / "server") as engine, QdrantServer(engine) as server:
        both = Shared(tmp_path, server.settings, server)
        put_database(tmp_path / "first")
        with both.open("first") as library:
            bind(library)
            add(library)
        both.copy()
        yield both


def add(library: Library, seed: int = 0) -> None:
    """Further faces with something for pictures; the collections are opened before the transaction, as an
    index run does it."""
    library.faces.count()
    with library.database.write() as session:
        faces = add_faces(library, World(session), directions(FACES, seed))
    for face in faces:
        for picture in (library.paths.crop(face.id), library.paths.thumbnail(face.asset_id)):
            picture.parent.mkdir(parents=True, exist_ok=True)
            picture.write_bytes(b"a picture")


def examine(library: Library, *, repair: bool = False) -> dict[str, int]:
    return found(DoctorService(library.stores, alone=True).examine(repair=repair))


def test_s5_the_copy_that_comes_second_is_asked(shared: Shared) -> None:
    """Faces are added in a copy of the folder; the first one is told, compares nothing and removes nothing,
    whatever is begun there; the second goes on."""
    with shared.open("second") as second:
        add(second, seed=1)
    with shared.open("first") as first:
        with pytest.raises(CopiedLibraryError, match="second") as raised:
            first.faces.count()
        problem = problem_of(raised.value)
        assert (problem.status, problem.type) == (503, "urn:image-search:copied-library")
        assert "doctor --is copy" in (problem.hint or "")
        assert examine(first, repair=True) == {"copied_library": 1}
        for kind in (JobKind.COMPUTE_CENTROIDS, JobKind.CLUSTER_FACES):
            with pytest.raises(CopiedLibraryError):
                JOBS[kind](first.stores, ProgressReporter(lambda _done, _total: None), **PARAMETERS[kind])
        states = {state.name: state for state in readiness_service(first).check()}
        assert not states["qdrant"].ready
        assert "another copy" in states["qdrant"].detail
    with shared.open("second") as second:
        assert second.faces.count() == len(all_faces(second))


PARAMETERS: dict[JobKind, dict[str, Any]] = {
    JobKind.COMPUTE_CENTROIDS: {"person_ids": []},
    JobKind.CLUSTER_FACES: {"method": "agglomerative", "min_cluster_size": 2},
}


def test_one_that_runs_is_asked_when_it_begins_something(on_qdrant: Shared) -> None:
    """The copy is refused, as the first one was opened since it was made; once the copy is said to be the
    original, the first one, which still runs, tells Qdrant of nothing and compares nothing."""
    with on_qdrant.open("first") as first:
        first.faces.count()
        with on_qdrant.open("second") as second:
            with pytest.raises(CopiedLibraryError, match="first"):
                second.faces.count()
            first.stores.require_own()
            say_which(second.stores, WhichLibrary.ORIGINAL)
            assert second.faces.count() == FACES
        ReviewService(first.database, "test").split([face.id for face in all_faces(first)], "Ada")
        with pytest.raises(CopiedLibraryError):
            first.payload_sender.send()
        assert examine(first) == {"copied_library": 1}


def test_the_original_keeps_its_embeddings(on_qdrant: Shared) -> None:
    """Whoever is said to be the original goes on; what the other one added is then too much, and the other
    one is asked in its turn."""
    with on_qdrant.open("second") as second:
        add(second, seed=1)
    with on_qdrant.open("first") as first:
        say_which(first.stores, WhichLibrary.ORIGINAL)
        assert examine(first) == {"point_without_face": FACES}
    with on_qdrant.open("second") as second, pytest.raises(CopiedLibraryError, match="first"):
        second.faces.count()


def test_a_copy_gets_embeddings_of_its_own(on_qdrant: Shared) -> None:
    """Both go on, each with its faces; the first one's are as they were."""
    with on_qdrant.open("second") as second:
        add(second, seed=1)
    with on_qdrant.open("first") as first:
        say_which(first.stores, WhichLibrary.COPY)
        assert examine(first, repair=True) == {}
        assert first.faces.count() == FACES
        assert len(first.faces.get_embeddings_by_point_ids(points_of(all_faces(first)))) == FACES
    with on_qdrant.open("second") as second:
        assert examine(second) == {}
        assert second.faces.count() == 2 * FACES


def test_a_copy_whose_answer_was_broken_off_is_asked_again(on_qdrant: Shared) -> None:
    """Where the server goes away while embeddings are copied, the next answer goes on in the same place."""
    server = on_qdrant.server
    assert server is not None
    with on_qdrant.open("second") as second:
        second.faces.count()
    with on_qdrant.open("first") as first:
        server.fail(NO_KEY, "upsert")
        with pytest.raises(UnavailableError):
            say_which(first.stores, WhichLibrary.COPY)
        server.heal()
        with pytest.raises(CopiedLibraryError):
            first.faces.count()
        say_which(first.stores, WhichLibrary.COPY)
        assert examine(first) == {}


def test_nothing_looks_foreign_after_a_crash(on_qdrant: Shared) -> None:
    """A process that dies between SQL and the server leaves a library that opens as ever."""
    server = on_qdrant.server
    assert server is not None
    for _ in range(3):
        with on_qdrant.open("first") as first:
            server.fail(NO_KEY, "upsert")
            with pytest.raises(UnavailableError):
                first.faces.count()
            server.heal()
    with on_qdrant.open("first") as first:
        assert examine(first) == {}
        assert first.faces.count() == FACES


def test_lost_collections_are_nobody_elses(on_qdrant: Shared) -> None:
    """A server that has lost the library's collections says nothing of another copy."""
    with on_qdrant.open("first") as first:
        first.centroids.remove_collection()
        first.faces.remove_collection()
    with on_qdrant.open("first") as first:
        assert examine(first) == {"face_without_point": FACES}


@pytest.mark.depth
def test_another_librarys_folder_is_noticed(tmp_path: Path) -> None:
    """Whoever opens a database with a folder that is not its library's is asked; many processes with one
    folder are not."""
    with library_on("servers", tmp_path) as library:
        library.faces.count()
        settings = library.settings
        with open_library(settings, lambda _: None, no_bar) as beside:
            beside.faces.count()
            beside.stores.require_own()
        library.stores.require_own()
        other = settings.model_copy(update={"library": tmp_path / "other"})
        with open_library(other, lambda _: None, no_bar) as foreign:
            with pytest.raises(CopiedLibraryError, match="database") as raised:
                foreign.faces.count()
            assert raised.value.of_folder
        library.stores.require_own()


def test_the_command_asks_and_takes_the_answer(
    on_qdrant: Shared, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`doctor` exits with 1, names both answers, and goes on once it has one."""
    for name, value in on_qdrant.settings.items():
        monkeypatch.setenv(f"IMAGE_SEARCH_{name.upper()}", str(value))
    with on_qdrant.open("second") as second:
        second.faces.count()

    def doctor(*options: str) -> tuple[int, str]:
        ran = CliRunner().invoke(app, ["doctor", "--library", str(tmp_path / "first"), *options])
        return ran.exit_code, ran.output

    code, said = doctor("--repair")
    assert code == 1
    assert "--is original" in said
    assert "--is copy" in said
    code, said = doctor("--json")
    assert [finding["kind"] for finding in json.loads(said)["findings"]] == ["copied_library"]
    code, said = doctor("--is", "copy", "--json")
    assert (code, json.loads(said)["findings"]) == (0, [])


def test_whose_a_mark_is() -> None:
    """A store's mark has to be known. One without is the library's own if it is a server's; a folder without
    one only if there never was another."""
    old, new = (StoreMark(value, "here", "now") for value in ("old", "new"))
    assert is_own(new, [old, new], is_folder=False)
    assert is_own(None, [old], is_folder=False)
    assert is_own(None, [], is_folder=True)
    assert not is_own(new, [old], is_folder=False)
    assert not is_own(new, [], is_folder=True)
    assert not is_own(None, [old], is_folder=True)
    assert StoreMark.of_json(new.to_json()) == new
    assert StoreMark.of_json({"value": 7}) is StoreMark.of_json([]) is None
