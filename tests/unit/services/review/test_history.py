"""What the last decisions teach."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from image_search_service.db.models import DecisionRow
from image_search_service.recognition.review_queue import AnsweredProposal
from image_search_service.services.review.history import learned
from image_search_service.services.review.questions import Subject

ADA, GRACE, CLUSTER = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


def decision(number: int, undoes: int | None = None, **details: Any) -> DecisionRow:
    return DecisionRow(id=number, kind="x", actor="ada", at=NOON, undoes=undoes, details=details)


def answer(number: int, right: int, wrong: int) -> DecisionRow:
    said = {"person": str(ADA), "accepted": right, "rejected": wrong, "seen": [[0.6, 0.1, True]]}
    return decision(number, persons=[str(ADA)], answer=said)


def named(number: int, person: uuid.UUID) -> DecisionRow:
    question = f"{Subject.CLUSTER}.{CLUSTER.hex}.{ADA.hex}.0_612.0_105"
    return decision(number, persons=[str(person)], question=question)


def test_the_last_two_pages_of_a_person_count() -> None:
    """Right ones and all of them, the newest first; what was wrong counts over all pages."""
    found = learned([answer(4, 24, 0), answer(3, 20, 4), answer(2, 1, 9)])
    assert found.pages == {ADA: [(24, 24), (20, 24)]}
    assert (found.rejected[ADA], found.answered[ADA], found.latest) == (13, 58, 4)


def test_a_named_group_says_whether_the_proposal_was_right() -> None:
    """It was if the group got that person's name."""
    assert learned([named(2, ADA), named(1, GRACE)]).proposals == [
        AnsweredProposal(0.612, 0.105, True),
        AnsweredProposal(0.612, 0.105, False),
    ]


def test_a_page_says_of_each_suggestion_whether_it_was_right() -> None:
    """What was kept of the suggestions of a page teaches as proposals do."""
    assert learned([answer(1, 1, 0)]).proposals == [AnsweredProposal(0.6, 0.1, True)]


def test_what_was_taken_back_teaches_nothing() -> None:
    """Neither the decision nor its undoing."""
    found = learned([decision(2, undoes=1, persons=[str(ADA)]), answer(1, 3, 3)])
    assert (found.pages, found.proposals) == ({}, [])


def test_other_details_are_passed_over() -> None:
    """A decision from an imported file may say anything there."""
    odd = [
        decision(1, persons="nobody", answer={"person": None}, question=7),
        decision(2, persons=[3], answer=[1], question="x.y"),
    ]
    assert learned(odd).proposals == []
