"""Two libraries to export from: one with a few decisions, one with decisions of every kind."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from image_search_service.db.queries import library as library_queries
from image_search_service.db.session import Database
from image_search_service.recognition.engines.synthetic import SyntheticEngine
from image_search_service.services.decisions.service import ReviewService
from tests.support.world import World, migrated_database
from tests.unit.services.exchange.two_libraries import people_of


@pytest.fixture
def origin(tmp_path: Path) -> Iterator[Database]:
    """Two people with two faces each, one of which is pinned; a face rejected for one; one that is none."""
    (tmp_path / "origin").mkdir()
    database = migrated_database(tmp_path / "origin")
    with database.write() as session:
        library_queries.bind_engine(session, SyntheticEngine.identity, {})
        world = World(session)
        faces = [world.face(world.photo(f"/{number}.jpg")).id for number in range(7)]
    review = ReviewService(database, "test")
    ada = review.split(faces[:2], "Ada").person_id
    grace = review.split(faces[2:4], "Grace").person_id
    review.pin_prototype(ada, faces[0])
    review.set_birth_date(grace, date(1906, 12, 9))
    review.set_hidden(grace, True)
    review.assign_faces([faces[4]], ada)
    review.unassign_faces([faces[4]])
    review.not_a_face([faces[5]])
    yield database
    database.close()


@pytest.fixture
def eventful(origin: Database) -> Database:
    """Much was decided: a merge, its undoing, differences of both kinds, covers, a rename, a group's name."""
    review = ReviewService(origin, "ada")
    with origin.write() as session:
        world = World(session)
        faces = [world.face(world.photo(f"/more{number}.jpg")) for number in range(6)]
        groups = [world.cluster(faces[start : start + 2]).id.hex for start in (0, 2, 4)]
        ids = [face.id for face in faces]
    people = {person.name: person.id for person in people_of(origin)}
    review.mark_clusters_different(groups[0], groups[1])
    emmy = review.name_cluster(groups[0], "Emmy").person_id
    review.set_cover_face(emmy, ids[0])
    merge = review.merge_persons([people["Ada"]], people["Grace"]).id
    assert merge is not None
    review.undo(merge)
    mistake = review.create_person("Mistake").decision
    assert mistake is not None
    review.undo(mistake)
    review.mark_different(people["Ada"], emmy)
    review.rename_person(people["Ada"], "Ada Lovelace")
    mary = review.name_cluster(groups[2], "Mary").person_id
    review.merge_persons([mary], people["Grace"])
    return origin
