"""A library of real faces."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from image_search_service.cli.output import Output
from image_search_service.core.config import Settings
from image_search_service.library.opening import open_library
from tests.support.world import put_database
from tests.unit.services.indexing.named_library import NamedLibrary


@pytest.fixture
def named(tmp_path: Path, models: Path) -> Iterator[NamedLibrary]:
    """An empty library that recognises real faces."""
    folder = tmp_path / "photos"
    folder.mkdir()
    out = Output(as_json=True)
    settings = Settings(
        library=tmp_path / "library",
        engine="onnx",
        detector=models / "face_detection_yunet_2023mar.onnx",
        recognizer=models / "mobilefacenet.onnx",
        workers=2,
    )
    put_database(settings.library)
    with open_library(settings, out.note, out.progress) as library:
        library.engine_binding.bind()
        yield NamedLibrary(library, folder)
