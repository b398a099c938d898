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
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from image_search_service.core.errors import InvalidInputError
from image_search_service.core.types import Box
from image_search_service.db.models import (
    AssetPath,
    FaceDifference,
    FaceInstance,
    FaceSuggestion,
    ImageAsset,
    PersonDifference,
    PersonPrototype,
    PersonRow,
)
from image_search_service.db.queries import library as library_queries
from image_search_service.db.session import Database, sqlite_url
from image_search_service.recognition.engines.synthetic import SyntheticEngine
from image_search_service.services.decisions.history import HistoryService
from image_search_service.services.decisions.replay import RebuildService
from image_search_service.services.decisions.service import ReviewService
from image_search_service.services.exchange.lines import VERSION
from image_search_service.services.exchange.service import ExchangeService
from tests.support.round_trips import round_trips
from tests.support.world import World, forget_decisions, migrated_database


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
        forget_decisions(session)
        for table in (FaceSuggestion, PersonPrototype):
            session.execute(delete(table))
        session.execute(
            update(FaceInstance).values(
                person_id=None, assigned_by=None, is_face=True, box_x=FaceInstance.box_x - 3
            )
        )
        session.execute(delete(PersonRow))
    yield database
    database.close()


def said(database: Database) -> Any:
    """What humans said, by photo and name, without ids."""
    lines = [json.loads(line) for line in ExchangeService(database, "test").export()]
    names = {line["id"]: line["name"] for line in lines if line["kind"] == "person"}
    people = [
        {key: line[key] for key in ("name", "hidden", "birth_date")}
        for line in lines
        if line["kind"] == "person" and line["gone"] is False
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
    return people, {photo: what for photo, what in faces.items() if what != (None, True, [], [])}


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


def test_somebody_who_was_taken_back_arrives_as_such(origin: Database, tmp_path: Path) -> None:
    """That somebody was made, hidden and taken back moves to another library, where it can be undone."""
    review = ReviewService(origin, "test")
    made = review.create_person("Emmy")
    review.set_hidden(made.person_id, True)
    assert made.decision is not None
    review.undo(made.decision)
    lines = list(ExchangeService(origin, "test").export())
    with other_engine(origin, tmp_path / "other") as other:
        ExchangeService(other, "test").load(lines)
        assert said(other) == said(origin)
        assert RebuildService(other).check().wrong == 0
        there = ReviewService(other, "test")
        there.undo(HistoryService(other).latest())
        assert {"name": "Emmy", "hidden": True, "birth_date": None} in said(other)[0]


def test_importing_is_a_decision_that_can_be_undone(origin: Database, tmp_path: Path) -> None:
    """What was imported can be taken back."""
    lines = list(ExchangeService(origin, "test").export())
    with other_engine(origin, tmp_path / "other") as other:
        before = said(other)
        ExchangeService(other, "test").load(lines)
        review = ReviewService(other, "test")
        for event in HistoryService(other).page():
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
            owner = session.get_one(PersonRow, session.get_one(FaceInstance, face).person_id)
            assert owner.name == "Emmy"


def test_other_photos_are_counted(origin: Database, tmp_path: Path) -> None:
    """A photo that is not here, and a face that is elsewhere in it, are told, and nothing else is lost."""
    header, *lines = ExchangeService(origin, "test").export()
    faces = [json.loads(line) for line in lines if '"face"' in line[:20]]
    faces[0]["photo"] = "0" * 64
    faces[1]["box"] = [0, 0, 0.1, 0.1]
    people = [line for line in lines if '"person"' in line[:20]]
    with other_engine(origin, tmp_path / "other") as other:
        report = ExchangeService(other, "test").load([header, *people, *map(json.dumps, faces), lines[-1]])
    assert (report.matched, report.unmatched, len(report.examples)) == (4, 2, 2)


@pytest.mark.parametrize(
    ("lines", "number"),
    [
        (["{"], 1),
        (['{"kind": "header", "format": "other", "version": 1}'], 1),
        (['{"kind": "header", "format": "image-search-service people", "version": 3}'], 1),
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
    """Exporting costs four statements a page of 500 faces, two a page of decisions, and a few besides."""
    with round_trips(origin.engine) as trips:
        list(ExchangeService(origin, "test").export())
    faces, decisions = 4, 2  # a page that is not full is the last
    assert trips.statements == 3 + faces + decisions


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


def people_of(database: Database) -> list[PersonRow]:
    with database.read() as session:
        return list(session.scalars(select(PersonRow).where(~PersonRow.deleted)))


def history(database: Database) -> list[tuple[str, str, Any, bool, int]]:
    return [
        (
            event.decision.kind,
            event.decision.actor,
            event.decision.at,
            event.decision.undoes is not None,
            event.changes,
        )
        for event in HistoryService(database).page(limit=200)
    ]


def untold(line: str) -> Any:
    """A line without ids of faces and boxes, which differ between libraries."""
    document = json.loads(line)
    for key in ("box", "cover") + (("id",) if document["kind"] == "face" else ()):
        document.pop(key, None)
    if document["kind"] == "decision":
        del document["id"], document["undoes"], document["details"]
        document["changes"] = sorted(str(change[0]) for change in document["changes"])
    return json.dumps(document, sort_keys=True)


def test_decisions_move_with_their_history(eventful: Database, tmp_path: Path) -> None:
    """A library in which nothing was decided gets the decisions themselves, and each can be undone there."""
    lines = list(ExchangeService(eventful, "test").export())
    with new_faces(eventful, tmp_path / "other") as other:
        report = ExchangeService(other, "test").load(lines)
        assert report.history
        assert report.decisions == len(history(eventful))
        assert history(other) == history(eventful)
        moved = list(ExchangeService(other, "test").export())
        assert sorted(map(untold, moved)) == sorted(map(untold, lines))
        assert RebuildService(other).check().wrong == 0
        merge = next(
            event.decision.id
            for event in HistoryService(other).page(limit=200)
            if event.decision.kind == "merge_persons"
        )
        ReviewService(other, "test").undo(merge)
        assert "Mary" in {person.name for person in people_of(other)}
        again = ExchangeService(other, "test").load(lines)
        assert not again.history


def test_importing_twice_changes_nothing_more(eventful: Database, tmp_path: Path) -> None:
    """What is known here already is no change, differences and covers included."""
    lines = list(ExchangeService(eventful, "test").export())
    with new_faces(eventful, tmp_path / "other") as other:
        ExchangeService(other, "test").load(lines)
        before = history(other)
        assert ExchangeService(other, "test").load(lines).changed == 0
        assert history(other) == before
    assert ExchangeService(eventful, "test").load(lines).changed == 0


def test_present_state_joins_what_is_here(eventful: Database, tmp_path: Path) -> None:
    """A library with decisions of its own takes the state: names, differences, sides and covers."""
    lines = list(ExchangeService(eventful, "test").export())
    with new_faces(eventful, tmp_path / "other") as other:
        ReviewService(other, "test").create_person("Somebody else")
        report = ExchangeService(other, "test").load(lines)
        assert not report.history
        assert {person.name for person in people_of(other)} == {
            "Ada Lovelace",
            "Grace",
            "Emmy",
            "Somebody else",
        }
        with other.read() as session:
            assert len(session.scalars(select(PersonDifference)).all()) == 1
            assert len(session.scalars(select(FaceDifference)).all()) == 4
            covers = session.scalars(select(PersonRow.cover_face_id).where(PersonRow.name == "Emmy")).all()
        assert covers[0] is not None
        assert RebuildService(other).check().wrong == 0


def test_what_was_said_here_stands(eventful: Database, tmp_path: Path) -> None:
    """Faces said here to be none, rejected here for the person, or on both sides of a difference stay."""
    lines = list(ExchangeService(eventful, "test").export())
    with new_faces(eventful, tmp_path / "other") as other:
        first, second, third = faces_at(other, ["/0.jpg", "/1.jpg", "/more2.jpg"])
        review = ReviewService(other, "test")
        review.not_a_face([first])
        ada = review.split([second], "Ada Lovelace").person_id
        review.unassign_faces([second])
        review.split([third], "Emmy")
        report = ExchangeService(other, "test").load(lines)
        assert report.kept == 4  # two of Emmy's are on the other side of a face that is Emmy's here
        with other.read() as session:
            assert not session.get_one(FaceInstance, first).is_face
            assert session.get_one(FaceInstance, second).person_id is None
            assert {one.person_id for one in session.scalars(select(FaceInstance))} >= {None}
        assert ada in {person.id for person in people_of(other)}
        assert RebuildService(other).check().wrong == 0


def faces_at(database: Database, paths: list[str]) -> list[UUID]:
    with database.read() as session:
        found = {
            str(path): face
            for path, face in session.execute(
                select(AssetPath.path, FaceInstance.id).join(
                    FaceInstance, FaceInstance.asset_id == AssetPath.asset_id
                )
            )
        }
    return [found[path] for path in paths]


@contextmanager
def new_faces(origin: Database, folder: Path) -> Iterator[Database]:
    """The same photos in a library that found their faces itself: other ids, boxes a little to the left."""
    folder.mkdir()
    database = migrated_database(folder)
    with origin.read() as old, database.write() as session:
        library_queries.bind_engine(session, SyntheticEngine.identity, {})
        world = World(session)
        rows = old.execute(
            select(ImageAsset.content_hash, AssetPath.path, FaceInstance)
            .join(AssetPath, AssetPath.asset_id == ImageAsset.id)
            .join(FaceInstance, FaceInstance.asset_id == ImageAsset.id)
        )
        for content_hash, path, face in rows:
            photo = world.photo(str(path))
            photo.content_hash = content_hash
            world.face(photo, box=Box(face.box_x - 2, face.box_y, face.box_width, face.box_height))
    yield database
    database.close()


@settings(max_examples=60)
@given(data=st.data())
def test_damaged_files_change_nothing(eventful: Database, data: st.DataObject) -> None:
    """Whatever is wrong with a line, it is told with its number and nothing is taken over."""
    lines = list(ExchangeService(eventful, "test").export())
    number = data.draw(st.integers(0, len(lines) - 1))
    document = json.loads(lines[number])
    key = data.draw(st.sampled_from(sorted(document)))
    document[key] = data.draw(
        st.none() | st.integers() | st.text(max_size=5) | st.lists(st.floats(), max_size=5) | st.booleans()
    )
    damaged = [*lines[:number], json.dumps(document), *lines[number + 1 :]]
    before = len(history(eventful))
    told = ""
    try:
        ExchangeService(eventful, "test").load(damaged)
    except InvalidInputError as error:
        told = error.message
    assert not told or (told.startswith("Line ") and len(history(eventful)) == before)


def test_a_history_that_cannot_be(eventful: Database, tmp_path: Path) -> None:
    """Decisions that contradict each other are refused, and nothing is half done."""
    lines = list(ExchangeService(eventful, "test").export())
    documents = [json.loads(line) for line in lines]
    for document in documents:
        if document["kind"] == "decision":
            for change in document["changes"]:
                if change[0] == "person_name":
                    change[4] = "The same for all"
    with new_faces(eventful, tmp_path / "other") as other:
        with pytest.raises(InvalidInputError, match="contradict"):
            ExchangeService(other, "test").load(map(json.dumps, documents))
        assert history(other) == []
        assert people_of(other) == []


def test_a_file_of_an_unreleased_format(origin: Database) -> None:
    """A file of a format that no released version wrote is refused, and says what to do."""
    header, *lines = ExchangeService(origin, "test").export()
    older = header.replace(f'"version": {VERSION}', '"version": 1')
    with pytest.raises(InvalidInputError, match="format 1, which no released version") as refused:
        ExchangeService(origin, "test").load([older, *lines])
    assert str(VERSION) in str(refused.value.hint)
