"""A name that loses its face and is answered, on every database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from image_search_service.core.types import Box
from image_search_service.db.models import AssetPath, FaceInstance
from image_search_service.db.queries.doctor.placed_faces import placed_page, placings
from image_search_service.db.queries.lost_faces import candidates, lost_at_paths, lost_names
from image_search_service.db.queries.photos import hide_unheld
from image_search_service.db.session import Database
from image_search_service.services.decisions.lost_faces import LostFaceService
from image_search_service.services.decisions.replay import RebuildService
from image_search_service.services.decisions.service import ReviewService
from image_search_service.services.indexing.edits import carry_over
from image_search_service.services.indexing.same_faces import ChangedFile, FoundFaces, SameFace
from tests.support.databases import DATABASES, open_database
from tests.support.world import World

BOX = Box(10, 10, 20, 20)


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with open_database(request.param, tmp_path) as database:
        yield database


def test_a_face_is_lost_answered_and_found_again(database: Database) -> None:
    """The file holds another photo: the name is missing, until somebody answers or the photo is back."""
    with database.write() as session:
        world = World(session)
        photos = [world.photo(f"/{number}.jpg", [BOX]) for number in range(2)]
        old, new = [photo.id for photo in photos]
        faces = {
            photo: session.scalars(select(FaceInstance.id).filter_by(asset_id=photo)).one()
            for photo in (old, new)
        }
        path_id = session.scalars(select(AssetPath.id).filter_by(asset_id=old)).one()
    review = ReviewService(database, "test")
    review.split([faces[old]], "Ada")
    with database.write() as session:
        session.get_one(AssetPath, path_id).asset_id = new
        session.flush()
        carried = carry_over(session, [ChangedFile(Path("/0.jpg"), old, new)], FoundFaces([]))
    assert (carried.kept, carried.lost) == (0, 1)
    with database.write() as session:
        hide_unheld(session)
        (lost,) = lost_names(session)
        assert (lost.face_id, lost.name, lost.path) == (faces[old], "Ada", Path("/0.jpg"))
        assert lost_at_paths(session, [path_id]) == [lost]
        assert candidates(session, [new]) == {new: [faces[new]]}
    answered = LostFaceService(database, "test").nowhere(faces[old])
    with database.read() as session:
        assert lost_names(session) == []
    assert answered.id is not None
    review.undo(answered.id)
    LostFaceService(database, "test").found(faces[old], faces[new])
    with database.write() as session:
        assert lost_names(session) == []
        (placed,) = placed_page(session, None, 10)
        assert placed.id == faces[new]
        assert placed_page(session, (placed.person_id, placed.id), 10) == []
        assert placings(session, [faces[new]])[faces[new]].kind == "lost_face_found"
        session.get_one(AssetPath, path_id).asset_id = old
        session.flush()
        back = carry_over(
            session, [ChangedFile(Path("/0.jpg"), new, old)], FoundFaces([SameFace(faces[new], faces[old])])
        )
    assert (back.kept, back.lost) == (1, 0)
    assert RebuildService(database).check().wrong == 0
