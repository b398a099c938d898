"""A library moves to another engine, and what humans said of its faces moves along."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import select

from image_search_service.db.models import (
    AssetPath,
    ClusterRow,
    EngineChange,
    FaceSuggestion,
    ImageAsset,
    LibraryRow,
    PersonRow,
)
from image_search_service.library.engine import EngineBinding
from image_search_service.library.opening import Library
from image_search_service.recognition.boxes import SAME_FACE, overlap
from image_search_service.services.engine_change import service as service_module
from image_search_service.services.indexing.by_hand import HandFaceService
from image_search_service.services.indexing.indexer import IndexService
from tests.contract.engine_change.moved_library import (
    alone_at_its_place,
    decide,
    faces,
    groups,
    is_healthy,
    move,
    said,
    say_everything,
)
from tests.contract.engine_change.other_engine import OtherEngine


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


@pytest.mark.depth
def test_groups_keep_their_ids(local: Library, other: OtherEngine) -> None:
    """The new embeddings put the same faces together, and the groups keep their ids."""
    before = groups(local)
    done = move(local)
    assert done.kept_groups == len(before)
    after = dict(groups(local))
    assert all(set(members) <= set(after[cluster]) for cluster, members in before)


@pytest.mark.depth
def test_history_and_undo_go_on(local: Library, other: OtherEngine) -> None:
    """A decision from before the move is taken back after it."""
    cluster, members = groups(local)[0]
    made = decide(local).name_cluster(str(cluster), "Ada")
    move(local)
    decide(local).undo(made.decision or 0)
    after = faces(local)
    assert all(after[face].person_id is None for face in members)
    assert is_healthy(local)


@pytest.mark.depth
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


@pytest.mark.depth
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


@pytest.mark.depth
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


@pytest.mark.depth
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


@pytest.mark.depth
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


@pytest.mark.depth
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


@pytest.mark.depth
def test_faces_by_hand_stay(local: Library, other: OtherEngine, album: Path) -> None:
    """A face by hand stays in its place with its name, whether the new engine finds a face there or not, and
    gets an embedding of the new engine; no second face appears there."""
    found = next(face for face in faces(local).values() if face.quality_score > 0.5)
    decide(local).not_a_face([found.id])
    service = HandFaceService(local.stores, "test")
    box = found.box
    drawn = service.add(found.asset_id, (box.x, box.y, box.width, box.height), "Ada")
    Image.new("RGB", (200, 100), (90, 120, 90)).save(album / "blank.jpg")
    IndexService(local.stores).index([album])
    blank = service.add(service.photo_of_file(album / "blank.jpg"), (0.1, 0.1, 0.3, 0.6))
    before = faces(local)
    move(local)
    after = faces(local)
    for made in (drawn, blank):
        now = after[made.face_id]
        assert (now.by_hand, now.is_face, now.box) == (True, True, before[made.face_id].box)
        assert made.face_id in local.faces.get_embeddings_by_point_ids([made.face_id])
    assert after[drawn.face_id].person_id == drawn.person_id
    there = [face for face in after.values() if face.asset_id == found.asset_id and face.is_face]
    assert sum(overlap(face.box, box) >= SAME_FACE for face in there) == 1
    assert is_healthy(local)
