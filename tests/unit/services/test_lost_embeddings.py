"""A library whose embeddings are lost: every job says so, and nothing is taken apart."""

from __future__ import annotations

import shutil
from contextlib import AbstractContextManager
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from image_search_service.cli.output import Output
from image_search_service.core.config import Settings
from image_search_service.core.errors import VectorStoreError
from image_search_service.db.models import FaceInstance
from image_search_service.library.engine import no_watch
from image_search_service.library.opening import Library, open_library
from image_search_service.services.decisions.service import ReviewService
from image_search_service.services.doctor.service import DoctorService
from image_search_service.services.face_clustering_service import FaceClusteringService
from image_search_service.services.indexing.pipeline import index_photos
from tests.support.world import put_database


def opened(folder: Path) -> AbstractContextManager[Library]:
    out = Output(as_json=True)
    return open_library(Settings(library=folder, engine="synthetic", workers=2), out.note, out.progress)


def groups(library: Library) -> dict[UUID, UUID | None]:
    with library.database.read() as session:
        rows = session.execute(select(FaceInstance.id, FaceInstance.cluster_id))
        return {row[0]: row[1] for row in rows}


@pytest.fixture
def indexed(tmp_path: Path, album: Path) -> Path:
    folder = tmp_path / "library"
    put_database(folder)
    with opened(folder) as library:
        index_photos(library.stores, [album], actor="test", watch=no_watch)
    return folder


def test_s1_the_vectors_folder_is_removed(indexed: Path, album: Path) -> None:
    """S1: grouping and indexing a new photo name the repair; a decision is made all the same; after the
    repair every group is the one that it was."""
    with opened(indexed) as library:
        before = groups(library)
    shutil.rmtree(indexed / "vectors")
    with opened(indexed) as library:
        with pytest.raises(VectorStoreError, match="are lost") as refused:
            FaceClusteringService(library.stores).group()
        assert "doctor --repair" in (refused.value.hint or "")
        face, cluster = next((face, group) for face, group in before.items() if group is not None)
        named = ReviewService(library.database, "test").split([face], "Ada")
        library.payload_sender.send_if_it_answers()
        (album / "new.jpg").write_bytes(next(album.rglob("*.jpg")).read_bytes() + b"new")
        with pytest.raises(VectorStoreError, match="are lost"):
            index_photos(library.stores, [album], actor="test", watch=no_watch)
        assert named.decision is not None
        ReviewService(library.database, "test").undo(named.decision)
        assert not DoctorService(library.stores, alone=True).examine().is_healthy
        assert DoctorService(library.stores, alone=True).examine(repair=True).is_healthy
        FaceClusteringService(library.stores).group()
        assert groups(library) == before
        assert groups(library)[face] == cluster


def test_an_embedding_that_did_not_come(indexed: Path) -> None:
    """Its face stays in its group through a grouping, and the group knows its size."""
    with opened(indexed) as library:
        before = groups(library)
        face = next(face for face, group in before.items() if group is not None)
        library.faces.delete_faces([face])
        FaceClusteringService(library.stores).group()
        after = groups(library)
        assert after[face] == before[face]
        assert DoctorService(library.stores, alone=True).examine(repair=True).is_healthy
