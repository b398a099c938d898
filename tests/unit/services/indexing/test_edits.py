"""Names survive the editing of a photo."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from image_search_service.core.types import Box
from image_search_service.db.models import (
    AssetPath,
    ClusterRow,
    FaceInstance,
    FaceSuggestion,
    ImageAsset,
    PersonRow,
)
from image_search_service.db.queries.lost_faces import lost_names
from image_search_service.db.session import Session
from image_search_service.recognition.boxes import overlap
from image_search_service.services.decisions.history import HistoryService
from image_search_service.services.decisions.replay import RebuildService
from image_search_service.services.decisions.service import ReviewService
from image_search_service.services.indexing.edits import Carried, carry_over
from image_search_service.services.indexing.same_faces import ChangedFile, FoundFaces, SameFace
from tests.support.world import World, migrated_database

LEFT, RIGHT = Box(10, 10, 20, 20), Box(60, 10, 20, 20)


def edited(session: Session, old: ImageAsset, new: ImageAsset) -> Carried:
    """The file of the old photo holds the new one, which shows the same faces at the same positions."""
    faces = {
        photo.id: list(
            session.scalars(
                select(FaceInstance.id).filter_by(asset_id=photo.id).order_by(FaceInstance.position)
            )
        )
        for photo in (old, new)
    }
    same = [SameFace(*pair) for pair in zip(faces[old.id], faces[new.id], strict=True)]
    path = session.scalars(select(AssetPath).filter_by(asset_id=old.id)).one()
    path.asset_id = new.id
    session.flush()
    return carry_over(session, [ChangedFile(path.path, old.id, new.id)], FoundFaces(same))


def test_all_that_was_said_is_handed_on(tmp_path: Path) -> None:
    """A rejected pair does not come back because its photo was edited, and what is no face is none."""
    database = migrated_database(tmp_path)
    with database.write() as session:
        world = World(session)
        old, new = (world.photo(path, [LEFT, RIGHT]) for path in ("/old.jpg", "/new.jpg"))
        left, right = session.scalars(
            select(FaceInstance.id).filter_by(asset_id=old.id).order_by(FaceInstance.position)
        )
        other = world.face(world.photo("/other.jpg")).id
    review = ReviewService(database, "test")
    ada = review.split([left, other], "Ada").person_id
    review.unassign_faces([left])
    review.not_a_face([right])
    with database.write() as session:
        edited(session, old, new)
    with database.read() as session:
        first, second = session.scalars(
            select(FaceInstance).filter_by(asset_id=new.id).order_by(FaceInstance.position)
        )
        assert (first.person_id, first.is_face, second.is_face) == (None, True, False)
        rejected = select(FaceSuggestion.person_id).filter_by(face_instance_id=first.id, state="rejected")
        assert session.scalars(rejected).all() == [ada]
    assert RebuildService(database).check().wrong == 0
    database.close()


def test_a_face_named_already_keeps_its_person(tmp_path: Path) -> None:
    """What a human said of a face that could be seen stands, and that a name is lost by it is said."""
    database = migrated_database(tmp_path)
    with database.write() as session:
        world = World(session)
        old, new = (world.photo(path, [LEFT]) for path in ("/old.jpg", "/new.jpg"))
        faces = [
            session.scalars(select(FaceInstance.id).filter_by(asset_id=photo.id)).one()
            for photo in (old, new)
        ]
    review = ReviewService(database, "test")
    review.split([faces[0]], "Ada")
    grace = review.split([faces[1]], "Grace").person_id
    with database.write() as session:
        carried = edited(session, old, new)
        assert session.get_one(FaceInstance, faces[1]).person_id == grace
        assert [(name.name, name.face_id) for name in lost_names(session)] == [("Ada", faces[0])]
    assert (carried.kept, carried.lost) == (0, 1)
    database.close()


def test_who_said_it_is_handed_on_too(tmp_path: Path) -> None:
    """A name that a human gave stays a human's word, and the machine's guess a guess."""
    database = migrated_database(tmp_path)
    with database.write() as session:
        world = World(session)
        people = [PersonRow(name=name, name_key=name) for name in ("ada", "grace")]
        session.add_all(people)
        session.flush()
        old, new = (world.photo(path, [LEFT, RIGHT]) for path in ("/old.jpg", "/new.jpg"))
        for place, (person, by) in enumerate(zip(people, ("human", "machine"), strict=True)):
            face = session.scalars(select(FaceInstance).filter_by(asset_id=old.id, position=place)).one()
            face.person_id, face.assigned_by = person.id, by
        session.flush()
        edited(session, old, new)
        session.expire_all()
        rows = session.scalars(
            select(FaceInstance).filter_by(asset_id=new.id).order_by(FaceInstance.position)
        )
        assert [(row.person_id, row.assigned_by) for row in rows] == [
            (people[0].id, "human"),
            (people[1].id, "machine"),
        ]
    database.close()


@pytest.mark.parametrize(("x", "expected"), [(0.0, 1.0), (0.5, 1 / 3), (1.0, 0.0), (2.0, 0.0)])
def test_overlap_is_intersection_over_union(x: float, expected: float) -> None:
    """Unit squares shifted by x."""
    assert overlap(Box(0, 0, 1, 1), Box(x, 0, 1, 1)) == pytest.approx(expected)


def test_the_faces_of_a_replaced_photo_leave_their_cluster(tmp_path: Path) -> None:
    """A cluster counts the faces that are shown, also after a decision on it was taken back."""
    database = migrated_database(tmp_path)
    with database.write() as session:
        world = World(session)
        old, new = (world.photo(path, [LEFT]) for path in ("/old.jpg", "/new.jpg"))
        faces = [session.scalars(select(FaceInstance).filter_by(asset_id=old.id)).one()]
        faces += [world.face(world.photo(f"/{number}.jpg")) for number in range(2)]
        cluster = world.cluster(faces).id
    review = ReviewService(database, "test")
    named = review.name_cluster(cluster.hex, "Ada").decision
    assert named is not None
    with database.write() as session:
        edited(session, old, new)
    review.undo(HistoryService(database).latest())
    review.undo(named)
    with database.read() as session:
        assert session.get_one(ClusterRow, cluster).size == 2
        assert session.get_one(FaceInstance, faces[0].id).cluster_id is None
    database.close()
