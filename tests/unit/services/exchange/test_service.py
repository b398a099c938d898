"""Names out of one library and into another."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from image_search_service.core.errors import InvalidInputError
from image_search_service.db.models import (
    FaceInstance,
    PersonRow,
)
from image_search_service.db.session import Database
from image_search_service.services.decisions.history import HistoryService
from image_search_service.services.decisions.naming import Namesake
from image_search_service.services.decisions.replay import RebuildService
from image_search_service.services.decisions.service import ReviewService
from image_search_service.services.exchange.lines import VERSION
from image_search_service.services.exchange.service import ExchangeService
from tests.support.round_trips import round_trips
from tests.unit.services.exchange.two_libraries import other_engine, said


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
        assert {"name": "Emmy", "hidden": True, "birth_date": None, "note": None} in said(other)[0]


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


def test_a_file_of_an_unreleased_format(origin: Database) -> None:
    """A file of a format that no released version wrote is refused, and says what to do."""
    header, *lines = ExchangeService(origin, "test").export()
    older = header.replace(f'"version": {VERSION}', '"version": 1')
    with pytest.raises(InvalidInputError, match="format 1, which no released version") as refused:
        ExchangeService(origin, "test").load([older, *lines])
    assert str(VERSION) in str(refused.value.hint)


@pytest.mark.parametrize("with_history", [True, False])
def test_s12_two_people_of_one_name_stay_two(origin: Database, tmp_path: Path, with_history: bool) -> None:
    """They arrive apart, with their notes; importing again makes nobody new."""
    review = ReviewService(origin, "test")
    with origin.read() as session:
        ada = session.scalars(select(PersonRow.id).where(PersonRow.name == "Ada")).one()
        faces = list(session.scalars(select(FaceInstance.id).where(FaceInstance.person_id == ada)))
    other_ada = review.split(faces[1:], "Ada", who=Namesake.ANOTHER).person_id
    review.set_note(other_ada, "cousin")
    lines = list(ExchangeService(origin, "test").export())
    if not with_history:
        lines = [line for line in lines if '"kind": "decision"' not in line]
    with other_engine(origin, tmp_path / "other") as other:
        ExchangeService(other, "test").load(lines)
        assert said(other)[0] == said(origin)[0]
        assert whose(other) == whose(origin)
        assert ExchangeService(other, "test").load(lines).persons_new == 0
        with other.read() as session:
            notes = session.scalars(select(PersonRow.note).where(PersonRow.name == "Ada", ~PersonRow.deleted))
            assert sorted(notes, key=str) == [None, "cousin"]
        assert RebuildService(other).check().wrong == 0


def whose(database: Database) -> dict[str, str | None]:
    """The name of each photo's face."""
    return {photo: name for photo, (name, *_) in said(database)[1].items() if name}
