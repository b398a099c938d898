"""What the machine guessed or asks ends where a human says otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest

from image_search_service.db.queries.review.persons import most_waiting
from image_search_service.faces.assigner import FaceAssigner
from image_search_service.services.centroid_service import CentroidService
from image_search_service.services.decisions.history import HistoryService
from image_search_service.services.decisions.service import ReviewService
from image_search_service.services.suggestions.catalogue import SuggestionCatalogue
from image_search_service.services.suggestions.prototypes import PrototypeService
from image_search_service.services.suggestions.search import SuggestionService
from tests.contract.decided_library import DecidedLibrary


@pytest.fixture
def library() -> Iterator[DecidedLibrary]:
    """Two of five faces that look alike are Ada's; the others are suggested for her."""
    opened = DecidedLibrary()
    opened.begin()
    review = ReviewService(opened.database, "test")
    ada = review.split(opened.looks[2][:2], "Ada").person_id
    PrototypeService(opened.stores).compute_prototypes()
    SuggestionService(opened.stores).find_more([ada], min_confidence=0.2)
    yield opened
    opened.close()


def waiting(library: DecidedLibrary) -> set[UUID]:
    return set(library.ids("SELECT face_instance_id FROM face_suggestions WHERE state = 'pending'"))


def test_what_is_no_face_does_not_wait(library: DecidedLibrary) -> None:
    """Nobody is asked whose a face is that was said to be none; when that is undone, it waits again."""
    asked, review = waiting(library), ReviewService(library.database, "test")
    face = library.looks[2][4]
    assert face in asked
    review.not_a_face([face])
    assert waiting(library) == asked - {face}
    review.undo(HistoryService(library.database).latest())
    assert waiting(library) == asked


def test_nothing_waits_for_somebody_who_is_gone(library: DecidedLibrary) -> None:
    """Nobody is asked about somebody who was merged; when that is undone, it waits again."""
    asked, review = waiting(library), ReviewService(library.database, "test")
    (ada,) = library.ids("SELECT id FROM persons")
    review.merge_persons([ada], review.create_person("Grace").person_id)
    assert waiting(library) == set()
    review.undo(HistoryService(library.database).latest())
    assert waiting(library) == asked


def test_s11_hidden_while_suggestions_wait(library: DecidedLibrary) -> None:
    """Nobody is asked about somebody who is hidden, in lists, questions and counts, until they are shown
    again (immich#3398)."""
    (ada,) = library.ids("SELECT id FROM persons")
    offered = what_is_offered(library)
    assert all(offered)
    review = ReviewService(library.database, "test")
    review.set_hidden(ada, hidden=True)
    assert not any(what_is_offered(library))
    review.set_hidden(ada, hidden=False)
    assert what_is_offered(library) == offered


def what_is_offered(library: DecidedLibrary) -> tuple[int, int, int, int]:
    """How often somebody is asked about: in the list of suggestions, in counts, and in the queue."""
    suggestions = SuggestionCatalogue(library.database, lambda: library.stores.thresholds)
    pending = sum(row.suggestions for row in suggestions.counts() if row.state == "pending")
    with library.database.read() as session:
        asked = most_waiting(session, 10)
    listed = suggestions.groups(None, 10, 10).items
    return len(listed), suggestions.persons_waiting(), pending, len(asked)


def test_what_is_no_face_is_nobodys_by_the_machine_either(library: DecidedLibrary) -> None:
    """A face that the machine gave to somebody is nobody's once it was said to be none."""
    FaceAssigner(library.stores, CentroidService(library.stores)).assign_new_faces()
    guessed = library.ids("SELECT id FROM face_instances WHERE assigned_by = 'machine'")
    assert guessed
    ReviewService(library.database, "test").not_a_face(guessed)
    assert library.ids("SELECT id FROM face_instances WHERE assigned_by = 'machine'") == []
