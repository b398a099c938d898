"""The doctor and payload indexes that a collection lacks."""

from __future__ import annotations

from pathlib import Path

from qdrant_client import models

from image_search_service.core.config import Settings
from image_search_service.library.opening import open_library
from image_search_service.services.doctor.findings import Kind
from image_search_service.services.doctor.service import DoctorService
from tests.support.served import bind, no_bar


def test_missing_indexes_are_found_and_made(tmp_path: Path) -> None:
    """Each key without its index is named, and a repair makes it."""
    settings = Settings(library=tmp_path / "library", engine="synthetic", offline=True, workers=1)
    with open_library(settings, lambda _: None, no_bar) as library:
        bind(library)
        faces = library.stores.collections.unchecked_faces()
        vectors = models.VectorParams(size=faces.dimension, distance=models.Distance.COSINE)
        faces.client.create_collection(faces.collection_name, vectors_config=vectors)
        doctor = DoctorService(library.stores, alone=True)
        (found,) = doctor.examine(repair=False).findings.values()
        assert (found.kind, found.found) == (Kind.MISSING_INDEX, len(faces.indexes))
        assert doctor.examine(repair=True).is_healthy
        assert Kind.MISSING_INDEX not in doctor.examine(repair=False).findings
