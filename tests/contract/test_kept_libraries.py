"""Libraries that earlier versions have written, as ``scripts/keep_library.py`` keeps them: each is opened."""

from __future__ import annotations

import json
import lzma
import sqlite3
import tarfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from image_search_service.core.config import Settings
from image_search_service.library.health import library_counts
from image_search_service.library.opening import Library, open_library
from image_search_service.services.backup.restore import RestoreService, checked_backup
from image_search_service.services.decisions.history import HistoryService
from image_search_service.services.doctor.service import DoctorService
from image_search_service.services.people.lookup import PeopleService
from tests.contract.schemas import differences, empty_database
from tests.support.damage import found
from tests.support.served import no_bar

KEPT = sorted(path for path in (Path(__file__).parents[1] / "libraries").iterdir() if path.is_dir())
CHANGED = "the tables are not those of the models; before the release: see scripts/keep_library.py"


@pytest.fixture(params=KEPT, ids=lambda path: path.name)
def kept(request: pytest.FixtureRequest) -> Path:
    folder: Path = request.param
    return folder


def test_there_is_one() -> None:
    """The row begins with the first version."""
    assert KEPT[0].name == "0.1.0"


def test_it_is_opened(kept: Path, tmp_path: Path) -> None:
    """This version finds nothing wrong in it, in any store, and who was named has the name."""
    folder = tmp_path / "library"
    with tarfile.open(kept / "files.tar.xz") as files:
        files.extractall(folder, filter="tar")
    connection = sqlite3.connect(folder / "library.sqlite3")
    connection.executescript((kept / "library.sql").read_text(encoding="utf-8"))
    connection.close()
    (folder / "library.sqlite3").chmod(0o600)
    with open_library(Settings(library=folder, offline=True), lambda _: None, no_bar) as library:
        assert differences(library.database) == [], CHANGED
        assert found(DoctorService(library.stores, alone=True).examine()) == {}
        assert held(library) == expected(kept, library)


@pytest.mark.depth
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_its_backup_is_restored(kept: Path, database: str, tmp_path: Path) -> None:
    """Into either database: nothing is missing but the pictures, which it was made without."""
    backup = tmp_path / "backup.tar"
    backup.write_bytes(lzma.decompress((kept / "backup.tar.xz").read_bytes()))
    with empty_database(database, tmp_path / "database.sqlite3") as url:
        settings = Settings(
            library=tmp_path / "library",
            offline=True,
            database_url=url.render_as_string(hide_password=False),
        )
        with open_library(settings, lambda _: None, no_bar) as library:
            RestoreService(library.stores, library.collections).restore(checked_backup(backup))
            lacking = found(DoctorService(library.stores, alone=True).examine())
            assert lacking.keys() == {"missing_crop", "missing_thumbnail"}
            assert held(library) == expected(kept, library)


def expected(kept: Path, library: Library) -> dict[str, Any]:
    """What the version that wrote it has found in it, of what this version counts, too."""
    written: dict[str, Any] = json.loads((kept / "expected.json").read_text(encoding="utf-8"))
    counted = asdict(library_counts(library))
    return written | {"counts": counted | {key: written["counts"].get(key, counted[key]) for key in counted}}


def held(library: Library) -> dict[str, Any]:
    """The same as this version finds it."""
    people = PeopleService(library.database).people().persons
    return {
        "people": sorted([person.name, person.faces] for person in people),
        "counts": asdict(library_counts(library)),
        "decisions": len(HistoryService(library.database).page(limit=1_000)),
    }
