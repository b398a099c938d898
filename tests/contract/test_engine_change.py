"""A library moves to another engine, and what humans said of its faces moves along."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from image_search_service.core.errors import ConflictError, UnavailableError
from image_search_service.db.models import (
    AssetPath,
    ClusterRow,
    EngineChange,
    FaceInstance,
    FaceSuggestion,
    ImageAsset,
    LibraryRow,
    PersonRow,
    StagedFace,
    StagedPhoto,
)
from image_search_service.db.queries import faces_with_decisions
from image_search_service.db.queries.engine_change import changes
from image_search_service.demo.library import make_demo_library
from image_search_service.library.engine import EngineBinding
from image_search_service.library.opening import Library
from image_search_service.services.decisions.replay import RebuildService
from image_search_service.services.decisions.service import ReviewService
from image_search_service.services.doctor.service import DoctorService
from image_search_service.services.engine_change import service as service_module
from image_search_service.services.engine_change.moving import (
    Move,
    Stay,
    engine_under_way,
    move_library,
)
from image_search_service.services.face_clustering_service import FaceClusteringService
from image_search_service.services.indexing.indexer import IndexService
from image_search_service.vector.face_qdrant import FaceQdrantClient
from tests.contract.other_engine import OtherEngine
from tests.support.served import no_bar
from tests.support.stores import STORES, library_on


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drawn")
    make_demo_library(folder, faces=40)
    return folder


@pytest.fixture
def album(drawn: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(drawn, tmp_path / "album"))


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


def move(library: Library) -> Move:
    done = move_library(library.stores, "other", no_bar)
    assert isinstance(done, Move)
    return done


def decide(library: Library) -> ReviewService:
    return ReviewService(library.database, "test")


def faces(library: Library) -> dict[UUID, FaceInstance]:
    with library.database.read() as session:
        found = {face.id: face for face in session.scalars(select(FaceInstance))}
        session.expunge_all()
    return found


def groups(library: Library) -> list[tuple[UUID, list[UUID]]]:
    """Clusters with their faces, the largest first."""
    members: dict[UUID, list[UUID]] = {}
    for face in faces(library).values():
        if face.cluster_id is not None:
            members.setdefault(face.cluster_id, []).append(face.id)
    return sorted(members.items(), key=lambda each: (-len(each[1]), each[0]))


def said(library: Library) -> dict[UUID, Any]:
    """Everything that humans said of faces, by face, without their places."""
    with library.database.read() as session:
        spoken = list(faces_with_decisions.decided_faces_by_id(session, sorted(faces(library))))
    return {
        face.id: (
            face.person_id,
            face.group_id,
            face.is_face,
            sorted(face.rejected_for),
            sorted(face.pinned_for),
            face.apart,
        )
        for face in spoken
    }


def say_everything(library: Library) -> None:
    """One decision of each kind about faces."""
    by_size = groups(library)
    service = decide(library)
    person = service.name_cluster(str(by_size[0][0]), "Ada").person_id
    service.mark_cluster_not_person(str(by_size[1][0]), person)
    service.mark_clusters_different(str(by_size[2][0]), str(by_size[3][0]))
    service.group_faces(by_size[4][1][:2])
    service.not_a_face([by_size[5][1][0]])
    service.pin_prototype(person, by_size[0][1][0])
    service.set_cover_face(person, by_size[0][1][1])
    library.payload_sender.send()


def is_healthy(library: Library) -> bool:
    report = DoctorService(library.stores, alone=True).examine()
    return report.is_healthy and RebuildService(library.database).check().wrong == 0


def test_all_that_was_said_holds_of_the_same_faces(library: Library, other: OtherEngine) -> None:
    """Names, rejections, groups, pins, covers and differences stay with the ids of the faces; the places
    and embeddings are the new engine's."""
    say_everything(library)
    before, told = faces(library), said(library)
    done = move(library)
    after = faces(library)
    assert done.report.lost == []
    assert {face: said(library)[face] for face in told} == told
    assert len(after) == len(before) + done.report.faces["new"]
    assert done.report.faces["new"] > 0
    with library.database.read() as session:
        moments = {row[0]: row[1] for row in session.execute(select(ImageAsset.id, ImageAsset.taken_at))}
    assert all(face.taken_at == moments[face.asset_id] for face in after.values())
    assert all(after[face].box_width == pytest.approx(1.2 * before[face].box_width) for face in before)
    with library.database.read() as session:
        row = session.scalars(select(LibraryRow)).one()
    assert (row.engine_checksum, row.dimension) == (other.identity.checksum, other.identity.dimension)
    assert library.faces.count() == len(after)
    assert is_healthy(library)


def test_groups_keep_their_ids(local: Library, other: OtherEngine) -> None:
    """The new embeddings put the same faces together, and the groups keep their ids."""
    before = groups(local)
    done = move(local)
    assert done.kept_groups == len(before)
    after = dict(groups(local))
    assert all(set(members) <= set(after[cluster]) for cluster, members in before)


def test_history_and_undo_go_on(local: Library, other: OtherEngine) -> None:
    """A decision from before the move is taken back after it."""
    cluster, members = groups(local)[0]
    made = decide(local).name_cluster(str(cluster), "Ada")
    move(local)
    decide(local).undo(made.decision or 0)
    after = faces(local)
    assert all(after[face].person_id is None for face in members)
    assert is_healthy(local)


def test_what_nobody_spoke_of_and_is_not_found_is_dropped(library: Library, other: OtherEngine) -> None:
    """A face without a decision goes with its point and crop when the new engine does not find it."""
    grouped = [member for _, members in groups(library) for member in members]
    gone = faces(library)[alone_at_its_place(library, grouped)]
    other.blind_to = [gone.box.center]
    done = move(library)
    assert done.report.dropped == 1
    assert gone.id not in faces(library)
    assert not library.paths.crop(gone.id).exists()
    assert is_healthy(library)


def test_what_somebody_spoke_of_stays_and_is_reported(library: Library, other: OtherEngine) -> None:
    """A named face that the new engine does not find keeps its row, place and name, gets an embedding of
    the new engine from there, and is listed with its photo and name."""
    cluster, members = groups(library)[0]
    decide(library).name_cluster(str(cluster), "Ada")
    face = faces(library)[alone_at_its_place(library, members)]
    other.blind_to = [face.box.center]
    done = move(library)
    (lost,) = done.report.lost
    with library.database.read() as session:
        paths = session.scalars(select(AssetPath.path).where(AssetPath.asset_id == face.asset_id)).all()
    assert (lost.face_id, lost.person) == (face.id, "Ada")
    assert lost.path in paths
    kept = faces(library)[face.id]
    assert (kept.box, kept.person_id) == (face.box, face.person_id or kept.person_id)
    assert face.id in library.faces.get_embeddings_by_point_ids([face.id])
    assert is_healthy(library)


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


def test_a_failure_in_the_last_transaction_changes_nothing(
    local: Library, other: OtherEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Either all faces are the new engine's, or none is; the next call ends the move without reading."""
    before = {key: (face.box, face.position) for key, face in faces(local).items()}
    with monkeypatch.context() as patch, pytest.raises(UnavailableError):
        patch.setattr(changes, "bind_to_new_engine", _interrupt)
        move(local)
    assert {key: (face.box, face.position) for key, face in faces(local).items()} == before
    assert is_healthy(local)
    looked = other.looked_at
    move(local)
    assert other.looked_at == looked
    assert is_healthy(local)


def test_a_failure_after_the_last_transaction_leaves_work_for_the_next_call(
    local: Library, other: OtherEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library is the new engine's by then; the next call groups, and removes the former embeddings."""
    former = local.faces
    with monkeypatch.context() as patch, pytest.raises(UnavailableError):
        patch.setattr(FaceClusteringService, "group_if_stale", _interrupt)
        move(local)
    assert former.exists()
    local.stores.use_bound_engine()
    stay = move_library(local.stores, "other", no_bar)
    assert stay == Stay(other.identity, None)
    assert not former.exists()
    assert groups(local)
    with local.database.read() as session:
        assert not session.scalars(select(LibraryRow.grouping_stale)).one()
    assert is_healthy(local)


def test_a_move_is_given_up(local: Library, other: OtherEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Naming the library's own engine forgets what was found, and removes it from Qdrant and the disk."""
    monkeypatch.setattr(service_module.EngineChangeService, "_apply", _interrupt)
    with pytest.raises(UnavailableError):
        move(local)
    assert is_healthy(local)
    monkeypatch.setattr(EngineBinding, "open_other", lambda self, _name: (self.engine, {}))
    stay = move_library(local.stores, "synthetic", no_bar)
    assert isinstance(stay, Stay)
    assert stay.given_up == other.identity
    with local.database.read() as session:
        uid = session.scalars(select(LibraryRow.uid)).one()
        assert session.scalars(select(StagedPhoto.asset_id)).all() == []
    assert not local.collections.faces_of(other.identity, uid).exists()
    assert is_healthy(local)


def _interrupt(*_args: Any) -> None:
    raise UnavailableError("Interrupted.")


def test_another_target_is_refused_while_a_move_is_under_way(
    local: Library, other: OtherEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A third engine has to wait until the move is ended or given up, and the error says how."""
    with monkeypatch.context() as patch, pytest.raises(UnavailableError):
        patch.setattr(service_module.EngineChangeService, "_apply", _interrupt)
        move(local)
    third = OtherEngine()
    third.identity = type(other.identity)("synthetic", "0" * 64, third.identity.dimension)
    monkeypatch.setattr(EngineBinding, "open_other", lambda _self, _name: (third, {}))
    with pytest.raises(ConflictError, match="being moved") as refused:
        move(local)
    assert "give it up" in (refused.value.hint or "")


def test_photos_that_are_away_are_embedded_from_their_crops(
    local: Library, other: OtherEngine, album: Path
) -> None:
    """Without the photos, faces keep their places and names and are compared by what their crops show."""
    cluster, _ = groups(local)[0]
    decide(local).name_cluster(str(cluster), "Ada")
    before, told = faces(local), said(local)
    shutil.rmtree(album)
    done = move(local)
    assert {key: face.box for key, face in faces(local).items()} == {
        key: face.box for key, face in before.items()
    }
    assert said(local) == told
    assert done.report.unread > 0
    assert done.report.without_embedding == 0
    assert local.faces.count() == len(before)
    assert done.kept_groups > len(done.report.groups) / 2


def test_embeddings_that_got_lost_on_the_way_are_made_again(
    local: Library, other: OtherEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A move that goes on in a restored library finds no points of what was staged, and reads it again."""
    with monkeypatch.context() as patch, pytest.raises(UnavailableError):
        patch.setattr(service_module.EngineChangeService, "_apply", _interrupt)
        move(local)
    with local.database.read() as session:
        uid = session.scalars(select(LibraryRow.uid)).one()
    local.collections.faces_of(other.identity, uid).remove_collection()
    looked = other.looked_at
    move(local)
    assert other.looked_at > looked
    assert local.faces.count() == len(faces(local))
    assert is_healthy(local)


def alone_at_its_place(library: Library, members: Sequence[UUID]) -> UUID:
    """A face of these, in a photo that is read at its own size, near whose place no other photo has a face:
    an engine that is blind there loses one."""
    every = faces(library)
    centers = {face.id: face.box.center for face in every.values()}
    fits = (ImageAsset.width <= 1_280, ImageAsset.height <= 1_280)
    with library.database.read() as session:
        small = set(session.scalars(select(ImageAsset.id).where(*fits)))
    return next(
        member
        for member in members
        if every[member].asset_id in small
        and sum(math.dist(centers[member], center) < 4 for center in centers.values()) == 1
    )


def test_a_decision_at_the_last_moment_counts(
    local: Library, other: OtherEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A face that would be dropped and is named while the others are being read stays."""
    cluster, members = groups(local)[0]
    lost = alone_at_its_place(local, members)
    other.blind_to = [faces(local)[lost].box.center]
    check = service_module.EngineChangeService._reread_without_point

    def name_first(self: Any) -> bool:
        if faces(local)[lost].person_id is None:
            decide(local).name_cluster(str(cluster), "Ada")
        return check(self)

    monkeypatch.setattr(service_module.EngineChangeService, "_reread_without_point", name_first)
    done = move(local)
    assert [face.face_id for face in done.report.lost] == [lost]
    assert is_healthy(local)


def test_moving_back_and_forth_keeps_ids(library: Library, other: OtherEngine) -> None:
    """After three moves every face has the id that it had, and no id is used twice."""
    before = set(faces(library))
    move(library)
    second = OtherEngine()
    second.identity = type(other.identity)("synthetic", "1" * 64, second.identity.dimension)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(EngineBinding, "open_other", lambda _self, _name: (second, {}))
        move(library)
    move(library)
    assert before <= set(faces(library))
    with library.database.read() as session:
        moves = session.scalars(select(EngineChange)).all()
        assert len(moves) == 3
        assert all(each.finished_at is not None for each in moves)
    assert is_healthy(library)


def test_suggestions_are_found_anew(local: Library, other: OtherEngine) -> None:
    """What nobody has answered rests on the former embeddings and is withdrawn."""
    by_size = groups(local)
    person = decide(local).name_cluster(str(by_size[0][0]), "Ada").person_id
    face = by_size[1][1][0]
    with local.database.write() as session:
        session.add(
            FaceSuggestion(
                face_instance_id=face,
                person_id=person,
                state="pending",
                confidence=0.5,
                source="prototype",
                evidence=[],
            )
        )
    move(local)
    with local.database.read() as session:
        assert session.scalars(select(FaceSuggestion.state)).all() == ["expired"]
        assert session.scalars(select(PersonRow.name)).all() == ["Ada"]
        assert session.scalars(select(ClusterRow.id)).all()


def test_another_process_notices(local: Library, other: OtherEngine) -> None:
    """A process that has opened the former engine says that it has to be started again."""
    binding = EngineBinding(local.settings, local.database, local.paths.root, lambda _: None, no_bar)
    binding.require_row()
    move(local)
    with pytest.raises(ConflictError, match="moved the library"):
        binding.require_row()
