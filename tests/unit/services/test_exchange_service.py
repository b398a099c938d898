"""Names out of one library and into another."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, select, update

from image_search_service.core.errors import InvalidInputError
from image_search_service.db.models import (
    Decision,
    DecisionChange,
    FaceInstance,
    FaceSuggestion,
    Person,
    PersonPrototype,
)
from image_search_service.db.queries import library as library_queries
from image_search_service.db.session import Database, sqlite_url
from image_search_service.faces.engines.synthetic import SyntheticEngine
from image_search_service.services.exchange_service import ExchangeService
from image_search_service.services.rebuild_service import RebuildService
from image_search_service.services.review_service import ReviewService
from tests.support.round_trips import round_trips
from tests.support.world import World, migrated_database


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


@contextmanager
def other_engine(origin: Database, folder: Path) -> Iterator[Database]:
    """The same photos in another library, of whose faces nothing was said, found a little to the left."""
    folder.mkdir()
    with closing(sqlite3.connect(str(origin.url.database))) as source:
        source.execute("VACUUM INTO ?", (str(folder / "library.sqlite3"),))
    database = Database(sqlite_url(folder / "library.sqlite3"))
    with database.write() as session:
        for table in (DecisionChange, Decision, FaceSuggestion, PersonPrototype):
            session.execute(delete(table))
        session.execute(
            update(FaceInstance).values(
                person_id=None, assigned_by=None, is_face=True, box_x=FaceInstance.box_x - 3
            )
        )
        session.execute(delete(Person))
    yield database
    database.close()


def said(database: Database) -> Any:
    """What humans said, by photo and name, without ids."""
    lines = [json.loads(line) for line in ExchangeService(database, "test").export()]
    names = {line["id"]: line["name"] for line in lines if line["kind"] == "person"}
    people = [
        {key: line[key] for key in ("name", "hidden", "birth_date")}
        for line in lines
        if line["kind"] == "person"
    ]
    faces = {
        line["photo"]: (
            names.get(line["person"]),
            line["is_face"],
            [names[one] for one in line["rejected_for"]],
            [names[one] for one in line["pinned_for"]],
        )
        for line in lines
        if line["kind"] == "face"
    }
    return people, faces


def test_what_was_said_arrives(origin: Database, tmp_path: Path) -> None:
    """People, names, rejections, pins and what is no face are the same in a library of another engine."""
    lines = list(ExchangeService(origin, "test").export())
    with other_engine(origin, tmp_path / "other") as other:
        report = ExchangeService(other, "test").load(lines)
        assert said(other) == said(origin)
        assert (report.persons, report.persons_new, report.faces, report.matched) == (2, 2, 6, 6)
        assert RebuildService(other).check().wrong == 0
        again = ExchangeService(other, "test").load(lines)
        assert (again.changed, again.persons_new) == (0, 0)


def test_importing_is_a_decision_that_can_be_undone(origin: Database, tmp_path: Path) -> None:
    """What was imported can be taken back."""
    lines = list(ExchangeService(origin, "test").export())
    with other_engine(origin, tmp_path / "other") as other:
        before = said(other)
        ExchangeService(other, "test").load(lines)
        review = ReviewService(other, "test")
        for event in review.history():
            review.undo(event.decision.id)
        assert said(other) == before


def test_who_was_named_here_stays(origin: Database, tmp_path: Path) -> None:
    """A face that a human has given to somebody else in this library is not overruled by a file."""
    lines = list(ExchangeService(origin, "test").export())
    with other_engine(origin, tmp_path / "other") as other:
        with origin.read() as session:
            face = session.scalars(select(FaceInstance.id).where(FaceInstance.person_id.is_not(None))).first()
        assert isinstance(face, UUID)
        ReviewService(other, "test").split([face], "Emmy")
        assert ExchangeService(other, "test").load(lines).kept == 1
        with other.read() as session:
            owner = session.get_one(Person, session.get_one(FaceInstance, face).person_id)
            assert owner.name == "Emmy"


def test_other_photos_are_counted(origin: Database, tmp_path: Path) -> None:
    """A photo that is not here, and a face that is elsewhere in it, are told, and nothing else is lost."""
    header, *lines = ExchangeService(origin, "test").export()
    faces = [json.loads(line) for line in lines if '"face"' in line[:20]]
    faces[0]["photo"] = "0" * 64
    faces[1]["box"] = [0, 0, 0.1, 0.1]
    people = [line for line in lines if '"person"' in line[:20]]
    with other_engine(origin, tmp_path / "other") as other:
        report = ExchangeService(other, "test").load([header, *people, *map(json.dumps, faces)])
    assert (report.matched, report.unmatched, len(report.examples)) == (4, 2, 2)


@pytest.mark.parametrize(
    ("lines", "number"),
    [
        (["{"], 1),
        (['{"kind": "header", "format": "other", "version": 1}'], 1),
        (['{"kind": "header", "format": "image-search-service people", "version": 2}'], 1),
        ([None, '{"kind": "person", "id": "7", "name": "Ada"}'], 2),
        ([None, '{"kind": "face", "photo": "ab", "box": [0, 0, 1]}'], 2),
        ([None, '{"kind": "face", "photo": "ab", "box": [0, 0, 1, 1], "person": "unknown"}'], 2),
    ],
)
def test_what_is_no_export_is_refused(origin: Database, lines: list[str | None], number: int) -> None:
    """The line that is wrong is named, and nothing has changed."""
    before, header = said(origin), next(ExchangeService(origin, "test").export())
    with pytest.raises(InvalidInputError, match=f"Line {number} "):
        ExchangeService(origin, "test").load([line or header for line in lines])
    assert said(origin) == before


def test_round_trips(origin: Database) -> None:
    """Exporting costs three statements a page of 500 faces, and one for the persons."""
    with round_trips(origin.engine) as trips:
        list(ExchangeService(origin, "test").export())
    assert trips.statements == 1 + 1 + 2 * 3
