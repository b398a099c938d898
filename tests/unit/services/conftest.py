"""A copy of the drawn library, and an empty library's services."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from image_search_service.cli.output import Output
from image_search_service.core.config import Settings
from image_search_service.library.opening import Library, open_library
from tests.support.world import put_database


@pytest.fixture
def album(drawn: Path, tmp_path: Path) -> Path:
    """A copy of the drawn library, to be moved, edited and damaged."""
    return Path(shutil.copytree(drawn, tmp_path / "album"))


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Library]:
    """An empty library, bound to the engine that reads drawn faces."""
    out = Output(as_json=True)
    settings = Settings(library=tmp_path / "library", engine="synthetic", workers=2)
    put_database(settings.library)
    with open_library(settings, out.note, out.progress) as library:
        library.engine_binding.bind()
        yield library
