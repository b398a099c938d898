"""A move that fails, is given up or goes on later leaves the library with one engine."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from image_search_service.core.errors import ConflictError, UnavailableError
from image_search_service.db.models import (
    ImageAsset,
    LibraryRow,
    StagedFace,
    StagedPhoto,
)
from image_search_service.db.queries.engine_change import changes
from image_search_service.library.engine import EngineBinding
from image_search_service.library.opening import Library
from image_search_service.services.engine_change import service as service_module
from image_search_service.services.engine_change.moving import (
    AlreadyBound,
    engine_under_way,
    move_library,
)
from image_search_service.services.face_clustering_service import FaceClusteringService
from image_search_service.vector.face_qdrant import FaceQdrantClient
from tests.contract.engine_change.moved_library import (
    faces,
    groups,
    interrupt,
    is_healthy,
    move,
    said,
    say_everything,
)
from tests.contract.engine_change.other_engine import OtherEngine
from tests.support.served import no_bar


@pytest.mark.depth
def test_an_interrupted_move_goes_on(
    library: Library, other: OtherEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until the end the library is the former engine's; what has been read is not read again."""
    monkeypatch.setattr(service_module, "STORE_BATCH", 4)
    say_everything(library)
    before, told = faces(library), said(library)
    upsert, calls = FaceQdrantClient.upsert_faces, []

    def failing(self: FaceQdrantClient, points: Any, *args: Any) -> None:
        calls.append(1)
        if len(calls) == 3:
            raise UnavailableError("Qdrant went away.")
        upsert(self, points, *args)

    monkeypatch.setattr(FaceQdrantClient, "upsert_faces", failing)
    with pytest.raises(UnavailableError):
        move(library)
    assert engine_under_way(library.stores) == other.identity
    assert {face: said(library)[face] for face in told} == told
    assert {key: face.box for key, face in faces(library).items()} == {
        key: face.box for key, face in before.items()
    }
    with library.database.read() as session:
        staged = len(session.scalars(select(StagedPhoto.asset_id)).all())
        photos = len(session.scalars(select(ImageAsset.id).where(ImageAsset.failure.is_(None))).all())
    assert staged == 8
    seen = []
    service = service_module.EngineChangeService(library.stores, other, {})
    service.run(lambda done, total: seen.append((done, total)))
    assert seen[-1] == (photos - staged, photos - staged)
    library.stores.use_bound_engine()
    assert {face: said(library)[face] for face in told} == told
    with library.database.read() as session:
        assert session.scalars(select(StagedFace.id)).all() == []
    assert engine_under_way(library.stores) is None


@pytest.mark.depth
def test_a_failure_in_the_last_transaction_changes_nothing(
    local: Library, other: OtherEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Either all faces are the new engine's, or none is; the next call ends the move without reading."""
    before = {key: (face.box, face.position) for key, face in faces(local).items()}
    with monkeypatch.context() as patch, pytest.raises(UnavailableError):
        patch.setattr(changes, "bind_to_new_engine", interrupt)
        move(local)
    assert {key: (face.box, face.position) for key, face in faces(local).items()} == before
    assert is_healthy(local)
    looked = other.looked_at
    move(local)
    assert other.looked_at == looked
    assert is_healthy(local)


@pytest.mark.depth
def test_a_failure_after_the_last_transaction_leaves_work_for_the_next_call(
    local: Library, other: OtherEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library is the new engine's by then; the next call groups, and removes the former embeddings."""
    former = local.faces
    with monkeypatch.context() as patch, pytest.raises(UnavailableError):
        patch.setattr(FaceClusteringService, "group_if_stale", interrupt)
        move(local)
    assert former.exists()
    local.stores.use_bound_engine()
    stay = move_library(local.stores, "other", no_bar)
    assert stay == AlreadyBound(other.identity, None)
    assert not former.exists()
    assert groups(local)
    with local.database.read() as session:
        assert not session.scalars(select(LibraryRow.grouping_stale)).one()
    assert is_healthy(local)


@pytest.mark.depth
def test_a_move_is_given_up(local: Library, other: OtherEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Naming the library's own engine forgets what was found, and removes it from Qdrant and the disk."""
    monkeypatch.setattr(service_module.EngineChangeService, "_apply", interrupt)
    with pytest.raises(UnavailableError):
        move(local)
    assert is_healthy(local)
    monkeypatch.setattr(EngineBinding, "open_other", lambda self, _name: (self.engine, {}))
    stay = move_library(local.stores, "synthetic", no_bar)
    assert isinstance(stay, AlreadyBound)
    assert stay.given_up == other.identity
    with local.database.read() as session:
        uid = session.scalars(select(LibraryRow.uid)).one()
        assert session.scalars(select(StagedPhoto.asset_id)).all() == []
    assert not local.collections.faces_of(other.identity, uid).exists()
    assert is_healthy(local)


@pytest.mark.depth
def test_another_target_is_refused_while_a_move_is_under_way(
    local: Library, other: OtherEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A third engine has to wait until the move is ended or given up, and the error says how."""
    with monkeypatch.context() as patch, pytest.raises(UnavailableError):
        patch.setattr(service_module.EngineChangeService, "_apply", interrupt)
        move(local)
    third = OtherEngine()
    third.identity = type(other.identity)("synthetic", "0" * 64, third.identity.dimension)
    monkeypatch.setattr(EngineBinding, "open_other", lambda _self, _name: (third, {}))
    with pytest.raises(ConflictError, match="being moved") as refused:
        move(local)
    assert "give it up" in (refused.value.hint or "")


@pytest.mark.depth
def test_embeddings_that_got_lost_on_the_way_are_made_again(
    local: Library, other: OtherEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A move that goes on in a restored library finds no points of what was staged, and reads it again."""
    with monkeypatch.context() as patch, pytest.raises(UnavailableError):
        patch.setattr(service_module.EngineChangeService, "_apply", interrupt)
        move(local)
    with local.database.read() as session:
        uid = session.scalars(select(LibraryRow.uid)).one()
    local.collections.faces_of(other.identity, uid).remove_collection()
    looked = other.looked_at
    move(local)
    assert other.looked_at > looked
    assert local.faces.count() == len(faces(local))
    assert is_healthy(local)


@pytest.mark.depth
def test_another_process_notices(local: Library, other: OtherEngine) -> None:
    """A process that has opened the former engine says that it has to be started again."""
    binding = EngineBinding(local.settings, local.database, local.paths.root, lambda _: None, no_bar)
    binding.require_row()
    move(local)
    with pytest.raises(ConflictError, match="moved the library"):
        binding.require_row()
