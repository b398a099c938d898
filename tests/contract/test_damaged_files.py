"""Two hundred damaged copies of a library's stores: each is whole, or said to be damaged, and mended or
refused."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from image_search_service.core.config import Settings
from image_search_service.core.errors import DamagedDatabaseError, ImageSearchError, NewerLibraryError
from image_search_service.db import integrity
from image_search_service.db.migrate import migrate
from image_search_service.db.session import Database, sqlite_url
from image_search_service.library.opening import open_library
from image_search_service.services.backup.service import BackupService
from image_search_service.services.doctor.service import DoctorService
from image_search_service.vector.embedded import EmbeddedQdrant
from image_search_service.vector.face_qdrant import FaceQdrantClient
from tests.hostile.bounded import bounded_here
from tests.support.copies import copy_library
from tests.support.damage import all_faces, points_of
from tests.support.served import add_faces, bind, directions, no_bar
from tests.support.world import World

pytestmark = pytest.mark.depth

DATABASE = "library.sqlite3"
FACES = 12
DATABASES, ENGINES, LIBRARIES = range(100), range(100, 190), range(190, 200)
SECONDS, MEMORY = 20.0, 2 * 2**30
"""Of processor time, and bytes of address space, that a damaged copy may take."""
Chance = np.random.Generator
Harm = Callable[[bytes, Chance], bytes]


def cut(content: bytes, chance: Chance) -> bytes:
    return content[: chance.integers(max(len(content), 1))]


def one_bit(content: bytes, chance: Chance) -> bytes:
    at = int(chance.integers(len(content)))
    return content[:at] + bytes([content[at] ^ 1 << int(chance.integers(8))]) + content[at + 1 :]


def written_over(content: bytes, chance: Chance, length: int) -> bytes:
    at = int(chance.integers(len(content)))
    return content[:at] + chance.bytes(min(length, len(content) - at)) + content[at + length :]


HARMS: tuple[Harm, ...] = (
    *(cut, one_bit),
    lambda content, chance: written_over(content, chance, 64),
    lambda content, chance: written_over(content, chance, 4096),
    lambda content, _: bytes(len(content)),
)


def damage_one(files: list[Path], chance: Chance) -> None:
    """One file among these gets another content where something was written, or is removed."""
    path = files[chance.integers(len(files))]
    if chance.random() < 0.1:
        path.unlink()
        return
    with path.open("r+b") as file:
        content = file.read(2**18).rstrip(b"\0") or b"\0"
        harmed = HARMS[chance.integers(len(HARMS))](content, chance)
        file.seek(0)
        file.write(harmed)
        if len(harmed) < len(content):
            file.truncate(len(harmed))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of faces without photos or pictures."""
    folder = tmp_path_factory.mktemp("whole") / "library"
    with open_library(Settings(library=folder, engine="synthetic"), lambda _: None, no_bar) as made:
        bind(made)
        with made.database.write() as session:
            add_faces(made, World(session), directions(FACES))
        made.centroids.count()
    return folder


def engine_files(library: Path) -> list[Path]:
    return sorted(
        path for path in (library / "vectors").rglob("*") if path.is_file() and path.name != "in-use.lock"
    )


@pytest.fixture(autouse=True)
def bounded(whole: Path) -> Iterator[None]:
    """Each copy's time and memory; ``whole`` is made before."""
    with bounded_here(seconds=SECONDS, memory=MEMORY):
        yield


@pytest.mark.parametrize("seed", DATABASES)
def test_a_damaged_database_is_never_taken_for_whole(whole: Path, tmp_path: Path, seed: int) -> None:
    """What SQLite finds is an error of ours wherever the library is opened, and it is found again."""
    (tmp_path / DATABASE).write_bytes((whole / DATABASE).read_bytes())
    damage_one([tmp_path / DATABASE], np.random.default_rng(seed))
    database = Database(sqlite_url(tmp_path / DATABASE))
    try:
        found = integrity.damage(database)
        if found:
            with pytest.raises(DamagedDatabaseError):
                integrity.require_whole(database)
            integrity.make_indexes_again(database)
        try:
            migrate(database, tmp_path)
        except (DamagedDatabaseError, NewerLibraryError):
            return
    finally:
        database.close()


@pytest.mark.parametrize("seed", ENGINES)
def test_damaged_files_of_the_engine_are_made_anew(whole: Path, tmp_path: Path, seed: int) -> None:
    """Whatever is damaged, the collection can be read or is made anew, and then can be read."""
    copy_library(whole / "vectors", tmp_path / "vectors")
    damage_one(engine_files(tmp_path), np.random.default_rng(seed))
    with EmbeddedQdrant(tmp_path / "vectors") as engine:
        name = next(path.name for path in (whole / "vectors").glob("faces_*"))
        faces = FaceQdrantClient(engine, name, directions(1).shape[1])
        if faces.damage() is not None:
            former = faces.make_anew()
            if former is not None:
                former.remove_collection()
        assert faces.damage() is None
        stored = list(faces.scroll_stored())
        assert all(re.fullmatch(r"[0-9a-f-]{36}", str(point.id)) for point in stored)
        assert len(stored) <= FACES


@pytest.mark.parametrize("seed", LIBRARIES)
def test_no_damaged_library_is_backed_up_as_whole(whole: Path, tmp_path: Path, seed: int) -> None:
    """A backup is made of a library of which the doctor says that nothing is wrong with its stores, or
    lacks no embedding; every other end is an error of ours."""
    library = copy_library(whole, tmp_path / "library")
    damage_one([library / DATABASE] if seed % 2 else engine_files(library), np.random.default_rng(seed))
    ended: Counter[str] = Counter()
    try:
        with open_library(
            Settings(library=library, engine="synthetic"), lambda _: None, no_bar, examining=True
        ) as opened:
            report = DoctorService(opened.stores, alone=True).examine()
            broken = {"damaged_database", "damaged_files"} & {kind.value for kind in report.findings}
            try:
                list(BackupService(opened.stores).stream(pictures=False))
                ended["whole"] += "damaged_database" not in broken
                faces = points_of(all_faces(opened))
                assert len(faces) == FACES
            except ImageSearchError:
                ended["refused"] += bool(broken)
    except ImageSearchError:
        ended["refused"] += 1
    assert ended.total() == 1
