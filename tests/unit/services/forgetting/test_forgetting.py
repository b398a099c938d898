"""P3: photos that were deleted from the disk can be forgotten, and erased."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import delete, select

from image_search_service.core.errors import ConflictError, UnavailableError
from image_search_service.core.records.photos import AbsentState
from image_search_service.db.models import DecisionChange, FaceInstance, PersonRow
from image_search_service.db.queries import events
from image_search_service.services.decisions.replay import RebuildService
from image_search_service.services.doctor.service import DoctorService
from image_search_service.services.forgetting.erasing import ErasingService
from image_search_service.services.photos.pictures import PictureService
from tests.unit.services.forgetting.shown import Shown


def delete_photos_of(shown: Shown, name: str) -> list[Path]:
    """Delete all photos that show somebody, and their copies; returns their paths."""
    gone = [path for path in shown.photos_of(name) if path is not None]
    contents = {path.read_bytes() for path in gone}
    for path in shown.folder.rglob("*"):
        if path.is_file() and path.read_bytes() in contents:
            path.unlink()
    shown.index()
    return gone


def test_p3_deleted_photos_are_forgotten_and_brought_back(shown: Shown) -> None:
    """Forgetting takes photos and faces out of all counts and lists, and undoing it brings all of it back."""
    photos, _, faces = shown.counts()
    of_ada = shown.faces_of("Ada")
    gone = len(delete_photos_of(shown, "Ada"))
    assert shown.counts() == (photos - gone, gone, faces)
    plan = shown.forgetting.plan()
    done = shown.forgetting.forget()
    assert (
        (plan.photos, plan.faces, plan.away) == (done.photos, done.faces, done.away) == (gone, done.faces, 0)
    )
    assert done.decision is not None
    assert done.faces >= of_ada > 0
    assert shown.counts() == (photos - gone, 0, faces - done.faces)
    assert (shown.faces_of("Ada"), shown.photos_of("Ada"), None in shown.paths()) == (0, [], False)
    assert shown.forgetting.forget().decision is None
    assert RebuildService(shown.opened.database).check().wrong == 0
    shown.review.undo(done.decision)
    assert (shown.counts(), shown.faces_of("Ada")) == ((photos - gone, gone, faces), of_ada)
    assert RebuildService(shown.opened.database).check().wrong == 0


def test_p3_a_forgotten_photo_that_comes_back_has_its_names(shown: Shown) -> None:
    """What was said of a forgotten photo holds when a file of it is back; missing again it is out again."""
    photos, _, faces = shown.counts()
    of_ada = shown.faces_of("Ada")
    path = next(path for path in shown.photos_of("Ada") if path is not None)
    content = path.read_bytes()
    gone = [copy for copy in shown.folder.rglob("*") if copy.is_file() and copy.read_bytes() == content]
    for copy in gone:
        copy.unlink()
    shown.index()
    forgotten = shown.forgetting.forget()
    assert (forgotten.photos, shown.faces_of("Ada") < of_ada) == (1, True)
    path.write_bytes(content)
    assert shown.index().photos_new == 0
    assert (shown.counts(), shown.faces_of("Ada")) == ((photos, 0, faces), of_ada)
    path.unlink()
    shown.index()
    assert shown.counts() == (photos - 1, 0, faces - forgotten.faces)


def test_p3_photos_on_a_drive_that_is_away_stay(shown: Shown) -> None:
    """A vanished root is away, and forgotten only when it is named or said to be gone for good."""
    photos, _, _ = shown.counts()
    shown.folder.rename(shown.folder.with_name("away"))
    shown.index(shown.folder)
    assert (shown.forgetting.forget().photos, shown.forgetting.plan().away) == (0, photos)
    named = shown.forgetting.forget([shown.folder])
    assert named.photos == photos
    assert named.decision is not None
    shown.review.undo(named.decision)
    shown.forgetting.mark(shown.folder, AbsentState.GONE)
    assert shown.forgetting.forget().photos == photos


def test_p3_erasing_leaves_nothing(shown: Shown) -> None:
    """Erasing removes rows, embeddings, pictures and what was said of the faces; it cannot be undone, and
    what remains is consistent."""
    stored, database = shown.stored(), shown.opened.database
    with database.read() as session:
        ada = session.scalars(select(PersonRow.id).filter_by(name="Ada")).one()
        faces = set(session.scalars(select(FaceInstance.id).filter_by(person_id=ada)))
        assets = set(session.scalars(select(FaceInstance.asset_id).filter_by(person_id=ada)))
    shown.review.set_cover_face(ada, next(iter(faces)))
    pictures = PictureService(shown.opened.stores)
    for asset in assets:
        pictures.picture(asset, 640)
    pictures.large_crop(next(iter(faces)), 512)
    gone = len(delete_photos_of(shown, "Ada"))
    done = shown.forgetting.forget()
    assert shown.stored() == stored  # until it is asked for
    erased = ErasingService(shown.opened.stores, "test").erase()
    assert (erased.photos, erased.faces, erased.facts > 0) == (gone, done.faces, True)
    assert shown.stored() == (stored[0] - done.faces, stored[1] - done.faces, stored[2] - gone)
    assert list(shown.opened.paths.pictures.rglob("*.jpg")) == []
    with database.read() as session:
        assert not faces & set(session.scalars(select(FaceInstance.id)))
        assert not (faces | assets) & set(session.scalars(select(DecisionChange.subject_id)))
        assert session.get_one(PersonRow, ada).cover_face_id is None
        last = events.latest_id(session)
    with pytest.raises(ConflictError, match="erased"):
        shown.review.undo(last)
    with database.write() as session, pytest.raises(Exception, match="never changed"):
        session.execute(delete(DecisionChange))
    assert RebuildService(database).check().wrong == 0
    assert DoctorService(shown.opened.stores).examine().is_healthy
    assert ErasingService(shown.opened.stores, "test").erase().photos == 0


def test_p3_erasing_while_qdrant_is_away(shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    """The outage is said; what is left in Qdrant and on the disk are orphans, which the doctor removes."""
    delete_photos_of(shown, "Ada")
    shown.forgetting.forget()

    def away(*_: object) -> None:
        raise UnavailableError("Qdrant does not answer.")

    with monkeypatch.context() as outage:
        outage.setattr(shown.opened.faces, "delete_faces", away)
        with pytest.raises(UnavailableError, match="does not answer"):
            ErasingService(shown.opened.stores, "test").erase()
    assert not DoctorService(shown.opened.stores, alone=True).examine().is_healthy
    assert DoctorService(shown.opened.stores, alone=True).examine(repair=True).is_healthy
    assert shown.stored()[0] == shown.stored()[1]


def test_p3_erased_photos_are_new_when_they_come_back(shown: Shown) -> None:
    """Of an erased photo nothing is known any more."""
    photos = shown.counts()[0]
    path = next(path for path in shown.photos_of("Ada") if path is not None)
    content = path.read_bytes()
    delete_photos_of(shown, "Ada")
    shown.forgetting.forget()
    ErasingService(shown.opened.stores, "test").erase()
    path.write_bytes(content)
    assert shown.index().photos_new == 1
    assert shown.faces_of("Ada") == 0
    assert shown.counts()[0] < photos
