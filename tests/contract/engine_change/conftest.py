"""Libraries of drawn faces, and the engine that they move to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from image_search_service.library.engine import EngineBinding
from image_search_service.library.opening import Library
from image_search_service.services.face_clustering_service import FaceClusteringService
from image_search_service.services.indexing.indexer import IndexService
from tests.contract.engine_change.other_engine import OtherEngine
from tests.support.drawn_photos import copy_some
from tests.support.stores import STORES, library_on


@pytest.fixture
def album(drawn: Path, tmp_path: Path) -> Path:
    return copy_some(drawn, tmp_path / "album", 24)


@pytest.fixture(params=STORES)
def library(request: pytest.FixtureRequest, tmp_path: Path, album: Path) -> Iterator[Library]:
    """An indexed and grouped library of drawn faces."""
    with library_on(request.param, tmp_path) as opened:
        _fill(opened, album)
        yield opened


@pytest.fixture
def local(tmp_path: Path, album: Path) -> Iterator[Library]:
    """The same on the stores of one machine only, for what no statement or request makes a difference to."""
    with library_on("embedded", tmp_path) as opened:
        _fill(opened, album)
        yield opened


def _fill(opened: Library, album: Path) -> None:
    IndexService(opened.stores).index([album])
    FaceClusteringService(opened.stores).group()
    opened.payload_sender.send()


@pytest.fixture
def other(monkeypatch: pytest.MonkeyPatch) -> OtherEngine:
    """The engine to move to, whatever its name."""
    engine = OtherEngine()
    monkeypatch.setattr(EngineBinding, "open_other", lambda _self, _name: (engine, {}))
    return engine
