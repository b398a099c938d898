"""In which order questions come."""

from __future__ import annotations

import uuid

from image_search_service.db.models import ReviewSkip
from image_search_service.services.review.order import BEHIND, Draft, next_drafts
from image_search_service.services.review.questions import (
    QuestionKind,
    SeenQuestions,
    Subject,
    birth_id,
    cluster_id,
    page_id,
    pair_id,
    seen,
    subject_of,
)

NOTHING = SeenQuestions()
ADA, GRACE = uuid.uuid4(), uuid.uuid4()


def who(value: float) -> Draft:
    return Draft(cluster_id(uuid.uuid4(), None), QuestionKind.WHO, value)


def page(person: uuid.UUID, value: float) -> Draft:
    question = page_id(Subject.PERSON, person, [uuid.uuid4()])
    return Draft(question, QuestionKind.TICK_OFF, value, about=frozenset({person}))


def skipped(draft: Draft, times: int = 1, at_answer: int = 0) -> dict[str, ReviewSkip]:
    subject = subject_of(draft.id)
    return {subject: ReviewSkip(subject=subject, skips=times, at_answer=at_answer)}


def test_the_most_valuable_comes_first() -> None:
    """Questions are ordered by value, and no more are given than asked for."""
    low, high, middle = who(1), who(9), who(5)
    assert next_drafts([low, high, middle], {}, NOTHING, 0, 2) == [high, middle]


def test_what_was_seen_is_not_asked_again() -> None:
    """Never the same question twice in one sitting, even if nothing else is left."""
    asked, other = who(9), who(1)
    assert next_drafts([asked, other], {}, seen([asked.id]), 0, 5) == [other]
    assert next_drafts([asked], {}, seen([asked.id]), 0, 5) == []


def test_a_skipped_question_waits_behind_fifty_answers() -> None:
    """Until then it comes after all others, then by its value again."""
    asked, other = who(9), who(1)
    skips = skipped(asked, at_answer=100)
    assert next_drafts([asked, other], skips, NOTHING, 100 + BEHIND - 1, 5) == [other, asked]
    assert next_drafts([asked, other], skips, NOTHING, 100 + BEHIND, 5) == [asked, other]


def test_the_third_skip_sends_it_away() -> None:
    """Skipped three times within a month, it is not asked at all."""
    asked = who(9)
    assert next_drafts([asked], skipped(asked, 2), NOTHING, 500, 5) == [asked]
    assert next_drafts([asked], skipped(asked, 3), NOTHING, 500, 5) == []


def test_two_people_come_before_a_page_of_either() -> None:
    """Where two may be one, no page of either is shown until that is answered or was seen; others are."""
    two = Draft(pair_id(ADA, GRACE), QuestionKind.TWO_PEOPLE, 2, blocks=frozenset({ADA, GRACE}))
    other = page(uuid.uuid4(), 1)
    drafts = [page(ADA, 9), page(GRACE, 8), two, other]
    assert next_drafts(drafts, {}, NOTHING, 0, 9) == [two, other]
    assert next_drafts(drafts, {}, seen([two.id]), 0, 9) == [drafts[0], drafts[1], other]


def test_a_birth_date_is_asked_for_once() -> None:
    """One skip is enough: whoever does not know it now will not know it tomorrow."""
    asked = Draft(birth_id(ADA), QuestionKind.BIRTH_DATE, 3)
    assert next_drafts([asked], {}, NOTHING, 0, 5) == [asked]
    assert next_drafts([asked], skipped(asked), NOTHING, 500, 5) == []
