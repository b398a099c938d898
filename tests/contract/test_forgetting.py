"""Photos that are forgotten, brought back and erased, on every database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import delete, select

from image_search_service.core.errors import ConflictError
from image_search_service.core.records.photos import AbsentState
from image_search_service.core.types import Box
from image_search_service.db.models import AssetPath, DecisionChange, FaceInstance, ImageAsset, PersonRow
from image_search_service.db.queries import erasure, unread_files
from image_search_service.db.session import Database
from image_search_service.services.decisions.replay import RebuildService
from image_search_service.services.decisions.service import ReviewService
from image_search_service.services.forgetting.service import ForgettingService
from tests.support.databases import DATABASES, open_database
from tests.support.world import World

BOX = Box(10, 10, 20, 20)


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with open_database(request.param, tmp_path) as database:
        yield database


def faces_of(database: Database, path: str) -> list[UUID]:
    with database.read() as session:
        statement = select(FaceInstance.id).join(AssetPath, AssetPath.asset_id == FaceInstance.asset_id)
        return list(session.scalars(statement.where(AssetPath.path == Path(path))))


def hidden(database: Database) -> set[Path]:
    with database.read() as session:
        statement = select(AssetPath.path).join(ImageAsset, ImageAsset.id == AssetPath.asset_id)
        return set(session.scalars(statement.where(ImageAsset.replaced)))


def test_photos_of_a_folder_are_forgotten_brought_back_and_erased(database: Database) -> None:
    """Only what lay below the folder, and lies nowhere else; erased, no row and no event speaks of it."""
    with database.write() as session:
        world = World(session)
        for path in ("/drive/a.jpg", "/drive/b.jpg", "/drive2/c.jpg"):
            world.cluster([world.face(world.photo(path))])
    review, forgetting = ReviewService(database, "test"), ForgettingService(database, "test")
    face, other = faces_of(database, "/drive/a.jpg")[0], faces_of(database, "/drive2/c.jpg")[0]
    ada = review.split([face, other], "Ada").person_id
    review.set_cover_face(ada, other)
    review.set_cover_face(ada, face)
    assert forgetting.mark(Path("/drive"), AbsentState.AWAY).photos == 2
    assert (forgetting.forget().photos, forgetting.plan().away) == (0, 2)
    forgetting.mark(Path("/drive"), AbsentState.GONE)
    done = forgetting.forget()
    assert (done.photos, done.faces) == (2, 2)
    assert hidden(database) == {Path("/drive/a.jpg"), Path("/drive/b.jpg")}
    assert done.decision is not None
    review.undo(done.decision)
    assert hidden(database) == set()
    forgetting.forget([Path("/drive")])
    with database.write() as session:
        photos = erasure.forgotten_photos(session, [Path("/drive")])
        assert (len(photos.assets), len(photos.faces)) == (2, 2)
        assert erasure.forgotten_photos(session, [Path("/drive2")]).assets == []
        erasure.erase(session, photos)
    with database.read() as session:
        assert list(session.scalars(select(AssetPath.path))) == [Path("/drive2/c.jpg")]
        assert session.get_one(PersonRow, ada).cover_face_id == other
        left = set(session.scalars(select(DecisionChange.subject_id)))
    assert left == {ada, other}
    assert RebuildService(database).check().wrong == 0
    with pytest.raises(ConflictError, match="never changed"), database.write() as session:
        session.execute(delete(DecisionChange))


def test_what_could_not_be_read_is_replaced_below_the_folders_of_a_run(database: Database) -> None:
    """Each run stores anew what waits below its folders, and leaves the rest."""
    with database.write() as session:
        unread_files.replace_unread(session, [Path("/a")], [(Path("/a/1"), "x"), (Path("/a/2"), "x")])
        unread_files.replace_unread(session, [Path("/ab")], [(Path("/ab/1"), "x")])
        unread_files.replace_unread(session, [Path("/a")], [(Path("/a/2"), "y")])
    with database.read() as session:
        page = unread_files.unread_page(session, 0, 10)
        assert {(item.path, item.reason) for item in page} == {(Path("/ab/1"), "x"), (Path("/a/2"), "y")}
        assert unread_files.count_unread(session) == 2
