"""A made-up library is an ordinary one, written in few statements."""

from __future__ import annotations

from pathlib import Path

import pytest

from image_search_service.core.config import Settings
from image_search_service.core.errors import ConflictError, InvalidInputError
from image_search_service.db.queries import library as library_queries
from image_search_service.db.queries.faces import count_faces
from image_search_service.library.opening import open_library
from image_search_service.services.doctor.service import DoctorService
from image_search_service.services.evaluation import made_library
from image_search_service.services.evaluation.made_library import MadeLibraryService
from image_search_service.services.evaluation.made_rows import MadeRows, MadeSizes
from tests.support.damage import found


def test_it_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows, points, centroids and decisions agree, only pictures are not there; a library that has something
    is refused."""
    monkeypatch.setattr(made_library, "BATCH", 150)
    seen: list[tuple[int, int | None]] = []
    with open_library(Settings(library=tmp_path)) as library:
        service = MadeLibraryService(library.stores, library.collections)
        service.make(MadeSizes.for_faces(400, people=20), lambda done, total: seen.append((done, total)))
        with library.database.read() as session:
            counts = library_queries.library_counts(session)
            assert count_faces(session) == library.faces.count() == 400
        assert (counts.photos, counts.persons, counts.named_faces) == (200, 20, 280)
        assert (counts.clustered_faces, counts.noise_faces) == (80, 40)
        assert library.engine_binding.require_row().engine_name == "opencv"
        assert found(DoctorService(library.stores).examine()).keys() == {"missing_crop", "missing_thumbnail"}
        with pytest.raises(ConflictError):
            service.make(MadeSizes.for_faces(400))
    assert seen == [(150, 400), (300, 400), (400, 400)]


def test_more_people_than_faces() -> None:
    """Sizes that do not go together are refused, with what to change."""
    with pytest.raises(InvalidInputError, match="too few"):
        MadeSizes.for_faces(100, people=60)


def test_everybody_has_two_faces() -> None:
    """However unequal the people, the smallest has two faces; the largest is the first."""
    rows = MadeRows(MadeSizes.for_faces(2_000))
    sizes = [int((rows.looks == number).sum()) for number in range(100)]
    assert min(sizes) >= 2
    assert max(sizes) == sizes[0]
