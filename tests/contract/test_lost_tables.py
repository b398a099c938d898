"""The tables can be lost: what was said follows from the events."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from image_search_service.core.errors import NotFoundError
from image_search_service.services.decisions.replay import RebuildService
from image_search_service.services.decisions.service import ReviewService
from tests.contract.decided_library import DecidedLibrary


@pytest.fixture
def library() -> Iterator[DecidedLibrary]:
    """Fifteen faces; no decision yet."""
    opened = DecidedLibrary()
    opened.begin()
    yield opened
    opened.close()


def test_of_somebody_taken_back_everything_comes_back(library: DecidedLibrary) -> None:
    """Somebody was made, hidden, called different, a face was rejected for them, and then they were taken
    back: after the tables were lost they are rebuilt, and undoing the undo makes them again, still hidden."""
    review = ReviewService(library.database, "test")
    face = library.looks[0][0]
    other = review.create_person("Grace").person_id
    ada = review.create_person("Ada")
    review.set_hidden(ada.person_id, True)
    review.mark_different(ada.person_id, other)
    review.assign_faces([face], ada.person_id)
    review.unassign_faces([face])
    assert ada.decision is not None
    undone = review.undo(ada.decision)
    assert undone.id is not None
    said = library.see().said

    library.forget()
    service = RebuildService(library.database)
    service.rebuild()

    assert library.see().said == said
    assert service.check().wrong == 0
    with pytest.raises(NotFoundError):
        review.set_hidden(ada.person_id, False)
    review.undo(undone.id)
    assert (ada.person_id.hex, "Ada", None, 1, None, None, None) in library.see().said["persons"]
