"""What the review queue reads, on SQLite and on PostgreSQL; statements that are made once take any ids."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from image_search_service.db.models import FaceSuggestion
from image_search_service.db.queries import library
from image_search_service.db.queries.review import answers, clusters, persons
from image_search_service.db.session import Database
from image_search_service.recognition.engines.synthetic import SyntheticEngine
from tests.support.databases import DATABASES, open_database
from tests.support.served import add_person
from tests.support.world import World


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    with open_database(request.param, tmp_path) as database:
        with database.write() as session:
            library.bind_engine(session, SyntheticEngine.identity, {})
        yield database


def test_only_faces_that_count_are_counted(database: Database) -> None:
    """Faces with a name and faces: neither those marked as none nor those of photos that were replaced."""
    with database.write() as session:
        world = World(session)
        ada = add_person(world, "Ada").id
        shown, gone = world.photo("/shown.jpg"), world.photo("/gone.jpg")
        faces = [world.face(photo, at) for photo in (shown, gone) for at in range(4)]
        for face in (faces[0], faces[4]):
            face.person_id = ada
        for face in (faces[3], faces[7]):
            face.is_face = False
        gone.replaced = True
        session.flush()
        assert answers.progress(session) == (1, 3, 0)


def test_suggestions_that_cannot_be_right_any_more_make_room(database: Database) -> None:
    """As many as asked for are found, although the best ones are of faces that have a name by now."""
    with database.write() as session:
        world = World(session)
        ada, grace = (add_person(world, name) for name in ("Ada", "Grace"))
        for number in range(12):
            owner = grace.id if number < 6 else None
            face = world.face(world.photo(f"/{number}.jpg"), person_id=owner)
            session.add(
                FaceSuggestion(
                    face_instance_id=face.id, person_id=ada.id, state="pending",
                    confidence=0.9 - number / 100, margin=0.5 - number / 100, source="centroid", evidence=[],
                )
            )  # fmt: skip
        session.flush()
        found = persons.best_waiting(session, [ada.id, grace.id], 4)
        assert [round(suggestion.confidence, 2) for suggestion in found] == [0.84, 0.83, 0.82, 0.81]


def test_faces_of_clusters_and_whose_they_cannot_be(database: Database) -> None:
    """The clearest faces, persons in their photos, and clusters in crowds."""
    with database.write() as session:
        world = World(session)
        ada = add_person(world, "Ada")
        crowds = [world.photo(f"/{number}.jpg") for number in range(2)]
        pair = [world.face(crowd) for crowd in crowds]
        for crowd in crowds:
            for position in range(1, 8):
                world.face(crowd, position)
        world.face(crowds[0], 8, person_id=ada.id)
        cluster = world.cluster(pair)
        assert len(clusters.clearest_faces(session, [cluster.id], 1)) == 1
        barred = clusters.barred_persons(session, [face.id for face in pair])
        assert barred == {pair[0].id: {ada.id}}
        assert clusters.persons_beside(session, [cluster.id]) == {cluster.id: [(ada.id, 1)]}
        (small,) = clusters.small_clusters(session, 3, 8.0, 10)
        assert (small.cluster.id, small.share_of_height) == (cluster.id, 0.2)
        assert clusters.small_clusters(session, 3, 9.0, 10) == []
        assert clusters.persons_beside(session, [uuid.uuid4()]) == {}
