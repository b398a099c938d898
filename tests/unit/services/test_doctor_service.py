"""The doctor finds exactly what was damaged, mends it, and then finds nothing."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest
import qdrant_edge as edge
from qdrant_client import models
from sqlalchemy import delete, select, update

from image_search_service.bootstrap import Library, open_library
from image_search_service.cli.output import Output
from image_search_service.core.config import Settings
from image_search_service.db.models import AssetPath, FaceInstance, PersonCentroid
from image_search_service.db.queries import library as library_queries
from image_search_service.services.doctor_findings import DoctorReport, Kind
from image_search_service.vector.centroid_qdrant import CentroidPoint
from image_search_service.vector.collections import FacePayload, FacePoint
from tests.support.served import directions

HEALTHY: dict[str, tuple[int, int]] = {}


@pytest.fixture(scope="module")
def indexed(drawn: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """An indexed library and its album, with somebody named; not to be changed."""
    folder = tmp_path_factory.mktemp("indexed")
    album = Path(shutil.copytree(drawn, folder / "album"))
    with _opened(folder / "library") as library:
        library.bind_engine()
        library.index_service().index([album])
        library.group_if_stale()
        cluster = library.people_service().people().clusters[0]
        library.people_service().name_cluster(cluster.id.hex, "Ada")
        library.send_due_payloads()
        library.centroid_service().compute_centroids()
    return folder / "library", album


def _opened(folder: Path) -> Any:
    out = Output(as_json=True)
    return open_library(Settings(library=folder, engine="synthetic", workers=2), out.note, out.progress)


@pytest.fixture
def healthy(indexed: tuple[Path, Path], tmp_path: Path) -> Iterator[Library]:
    """A copy of the indexed library, to be damaged. Its photos lie where they lay, and are not to be changed."""
    shutil.copytree(indexed[0], tmp_path / "library")
    with _opened(tmp_path / "library") as library:
        yield library


def examine(library: Library, *, repair: bool = False, alone: bool = True) -> DoctorReport:
    return library.doctor_service(alone=alone).examine(repair=repair)


def found(report: DoctorReport) -> dict[str, tuple[int, int]]:
    """Found and repaired, by kind."""
    return {each.kind.value: (each.found, each.repaired) for each in report.shown}


def faces(library: Library) -> list[FaceInstance]:
    with library.database.read() as session:
        return list(session.scalars(select(FaceInstance).order_by(FaceInstance.id)))


def drop_points(library: Library) -> int:
    library.faces.delete_faces([face.qdrant_point_id for face in faces(library)[::7]])
    return len(faces(library)[::7])


def test_healthy_library_has_no_findings(healthy: Library) -> None:
    """After indexing, grouping and naming, nothing is wrong."""
    report = examine(healthy)
    assert (found(report), report.is_healthy) == (HEALTHY, True)
    assert report.checked["faces"] == report.checked["points"] == healthy.counts().faces
    assert report.checked["centroids"] == 1


def test_points_gone(healthy: Library) -> None:
    n = drop_points(healthy)
    assert found(examine(healthy)) == {"face_without_point": (n, 0)}
    report = examine(healthy, repair=True)
    assert found(report) == {"face_without_point": (n, n)}, report
    assert found(examine(healthy)) == HEALTHY
