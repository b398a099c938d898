"""Faces that a human set aside or marked as no face are not found, and take no place from those that are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from image_search_service.db.models import FaceSuggestion
from image_search_service.library.opening import Library
from image_search_service.services.decisions.answers import AnswerService
from image_search_service.services.decisions.service import ReviewService
from image_search_service.services.doctor.findings import Kind
from image_search_service.services.doctor.service import DoctorService
from image_search_service.services.suggestions.search import SuggestionService
from tests.support.served import add_faces, add_person, alike, directions
from tests.support.stores import STORES, library_on
from tests.support.world import World

METHODS = ["find_more", "find_more_multi_prototype", "find_more_centroid"]


@pytest.fixture(params=STORES)
def library(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Library]:
    with library_on(request.param, tmp_path) as opened:
        yield opened


class Crowd:
    """Ada, twelve strangers who look just like her, and four faces of hers that look less like her."""

    def __init__(self, library: Library) -> None:
        (look,) = directions(1, seed=5)
        with library.database.write() as session:
            world = World(session)
            self.ada = add_person(world, "Ada").id
            add_faces(library, world, alike(look, 8), person_id=self.ada)
            strangers = add_faces(library, world, alike(look, 12, spread=0.1, seed=1))
            self.strangers = [face.id for face in strangers]
            self.hers = {face.id for face in add_faces(library, world, alike(look, 4, seed=2))}


def suggested(library: Library) -> set[UUID]:
    with library.database.read() as session:
        return set(session.scalars(select(FaceSuggestion.face_instance_id)))


@pytest.mark.parametrize("method", METHODS)
def test_hidden_faces_take_no_place(library: Library, method: str) -> None:
    """A search for four finds the four that are left, however many hidden ones are more alike."""
    crowd = Crowd(library)
    AnswerService(library.database, "test").set_aside(face_ids=crowd.strangers[:8])
    ReviewService(library.database, "test").not_a_face(crowd.strangers[8:])
    library.payload_sender.send()
    run = getattr(SuggestionService(library.stores), method)(crowd.ada, limit=4)
    assert (run.created, suggested(library)) == (4, crowd.hers)
    assert Kind.WRONG_PAYLOAD not in DoctorService(library.stores).examine().findings
    library.faces.update_hidden(dict.fromkeys(crowd.strangers, False))
    found = DoctorService(library.stores, alone=True).examine(repair=True).findings[Kind.WRONG_PAYLOAD]
    assert (found.found, found.repaired) == (12, 12)
    assert Kind.WRONG_PAYLOAD not in DoctorService(library.stores).examine().findings


def test_what_qdrant_was_not_told_yet_is_left_out_all_the_same(library: Library) -> None:
    """Before the payload has arrived SQL leaves hidden faces out."""
    crowd = Crowd(library)
    AnswerService(library.database, "test").set_aside(face_ids=crowd.strangers)
    SuggestionService(library.stores).find_more(crowd.ada)
    assert suggested(library) == crowd.hers


def test_a_face_taken_back_is_found_again(library: Library) -> None:
    """An undo shows the faces again, to searches, too."""
    crowd = Crowd(library)
    made = AnswerService(library.database, "test").set_aside(face_ids=crowd.strangers)
    library.payload_sender.send()
    assert made.id is not None
    ReviewService(library.database, "test").undo(made.id)
    library.payload_sender.send()
    SuggestionService(library.stores).find_more(crowd.ada)
    assert suggested(library) == crowd.hers | set(crowd.strangers)
