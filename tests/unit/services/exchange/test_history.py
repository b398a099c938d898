"""Decisions move with their history, or join those of a library that has some."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st
from sqlalchemy import select

from image_search_service.core.errors import InvalidInputError
from image_search_service.db.models import (
    FaceDifference,
    FaceInstance,
    PersonDifference,
    PersonRow,
)
from image_search_service.db.session import Database
from image_search_service.services.decisions.history import HistoryService
from image_search_service.services.decisions.replay import RebuildService
from image_search_service.services.decisions.service import ReviewService
from image_search_service.services.exchange.service import ExchangeService
from tests.support.databases import depth
from tests.unit.services.exchange.two_libraries import faces_at, history, new_faces, people_of, untold


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


@pytest.mark.parametrize("examples", [10, depth(100)])
def test_damaged_files_change_nothing(eventful: Database, examples: int) -> None:
    """Whatever is wrong with a line, it is told with its number and nothing is taken over."""

    lines = list(ExchangeService(eventful, "test").export())

    @settings(max_examples=examples)
    @given(data=st.data())
    def changes_nothing(data: st.DataObject) -> None:
        number = data.draw(st.integers(0, len(lines) - 1))
        document = json.loads(lines[number])
        key = data.draw(st.sampled_from(sorted(document)))
        values = st.none() | st.integers() | st.text(max_size=5) | st.booleans()
        document[key] = data.draw(values | st.lists(st.floats(), max_size=5))
        damaged = [*lines[:number], json.dumps(document), *lines[number + 1 :]]
        before = len(history(eventful))
        told = ""
        try:
            ExchangeService(eventful, "test").load(damaged)
        except InvalidInputError as error:
            told = error.message
        assert not told or (told.startswith("Line ") and len(history(eventful)) == before)

    changes_nothing()


def test_a_history_that_cannot_be(eventful: Database, tmp_path: Path) -> None:
    """Decisions that contradict each other are refused, and nothing is half done."""
    lines = list(ExchangeService(eventful, "test").export())
    documents = [json.loads(line) for line in lines]
    for document in documents:
        if document["kind"] == "decision":
            for change in document["changes"]:
                if change[0] == "person_birth":
                    change[4] = "no date"
    with new_faces(eventful, tmp_path / "other") as other:
        with pytest.raises(InvalidInputError, match="contradict"):
            ExchangeService(other, "test").load(map(json.dumps, documents))
        assert history(other) == []
        assert people_of(other) == []
