"""Every kind of job that can be asked for is one that a worker knows."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
from PIL import Image
from sqlalchemy import select

from image_search_service.db.models import FaceInstance
from image_search_service.queue.face_jobs import JOBS, detect_faces_job
from image_search_service.queue.runner import ProgressReporter
from image_search_service.services.decisions.service import ReviewService
from image_search_service.services.jobs.service import JobKind
from image_search_service.services.metadata.names import MetadataNamesService
from tests.support.drawn_photos import copy_some
from tests.support.served import served


def test_every_kind_has_its_function() -> None:
    """No job is accepted that no worker can run, and each function is named after its kind."""
    assert {kind: function.__name__ for kind, function in JOBS.items()} == {
        kind: f"{kind}_job" for kind in JobKind
    }


@pytest.mark.parametrize("kind", JobKind)
def test_parameters_are_named(kind: JobKind) -> None:
    """A job takes the stores and its progress, and everything else by name, as its row keeps it."""
    first, second, *rest = inspect.signature(JOBS[kind]).parameters.values()
    assert first.name == "stores"
    assert second.name.lstrip("_") == "progress"
    assert all(parameter.kind is parameter.KEYWORD_ONLY for parameter in rest)


def test_photos_are_indexed_by_a_job(tmp_path: Path) -> None:
    """Indexing as a job finds the photos below its paths and tells how far it is."""
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(3):
        Image.new("RGB", (64, 48), (number, 0, 0)).save(photos / f"{number}.png")
    seen: list[int] = []
    progress = ProgressReporter(lambda done, _total: seen.append(done))
    with served(tmp_path / "library", run_jobs=False) as api:
        counts = detect_faces_job(api.library.stores, progress, paths=[str(photos)])
    assert (counts["photos_new"], counts["photos_failed"], counts["faces_new"]) == (3, 0, 0)
    assert seen[-1] == 3
    assert (progress.counts["photos_seen"], progress.counts["step"]) == (3, "Comparing faces")


@pytest.mark.parametrize("wanted", [True, False])
def test_names_are_read_by_the_job_that_indexes(tmp_path: Path, drawn: Path, wanted: bool) -> None:
    """Indexing as a job takes names from metadata if that is set, as indexing by the command does."""
    photos = copy_some(drawn, tmp_path / "photos", 2)
    with served(tmp_path / "first", run_jobs=False) as api:
        detect_faces_job(api.library.stores, ProgressReporter(lambda *_: None), paths=[str(photos)])
        with api.library.database.read() as session:
            faces = list(session.scalars(select(FaceInstance.id)))
        ReviewService(api.library.database, "test").split(faces[:1], "Ada")
        MetadataNamesService(api.library.database, "test", workers=api.library.settings.workers).write()
    with served(tmp_path / "second", run_jobs=False, names_from_metadata=wanted) as api:
        counts = detect_faces_job(api.library.stores, ProgressReporter(lambda *_: None), paths=[str(photos)])
    assert counts["faces_named"] == (1 if wanted else 0)
