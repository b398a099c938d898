"""A copy of the drawn library, and the services of a library that is empty, or has it indexed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from image_search_service.cli.output import Output
from image_search_service.core.config import Settings
from image_search_service.library.engine import no_watch
from image_search_service.library.opening import Library, open_library
from image_search_service.services.indexing.pipeline import index_photos
from tests.support.copies import PutBack
from tests.support.world import put_database


@pytest.fixture
def album(drawn: Path, tmp_path: Path) -> Path:
    """A copy of the drawn library, to be moved, edited and damaged."""
    return Path(shutil.copytree(drawn, tmp_path / "album"))


@contextmanager
def library_at(folder: Path) -> Iterator[Library]:
    """The library in this folder, bound to the engine that reads drawn faces."""
    out = Output(as_json=True)
    with open_library(
        Settings(library=folder, engine="synthetic", workers=2), out.note, out.progress
    ) as library:
        library.engine_binding.bind()
        yield library


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Library]:
    """An empty library."""
    put_database(tmp_path / "library")
    with library_at(tmp_path / "library") as library:
        yield library


@pytest.fixture(scope="session")
def indexed_once(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> PutBack:
    """``album``, a copy of the drawn library, and ``library``, in which it is indexed."""

    def make(folder: Path) -> None:
        shutil.copytree(drawn, folder / "album")
        put_database(folder / "library")
        with library_at(folder / "library") as library:
            index_photos(library.stores, [folder / "album"], actor="test", watch=no_watch)

    return PutBack(tmp_path_factory.mktemp("indexed") / "both", make)


@pytest.fixture
def indexed_album(indexed_once: PutBack) -> Path:
    """A copy of the drawn library, to be moved, edited and damaged; it is what is indexed in ``indexed``."""
    return indexed_once() / "album"


@pytest.fixture
def indexed(indexed_album: Path) -> Iterator[Library]:
    """A library that has all photos of ``indexed_album``."""
    with library_at(indexed_album.with_name("library")) as library:
        yield library
