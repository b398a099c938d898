"""Which questions follow from what waits."""

from __future__ import annotations

import uuid
from collections import Counter
from datetime import datetime

import pytest

from image_search_service.db.models import ClusterRow
from image_search_service.db.queries.review.clusters import SmallCluster
from image_search_service.db.queries.review.persons import AgeSpan, NamedCover, WaitingSuggestion
from image_search_service.recognition.engines.calibrated import MOBILEFACENET
from image_search_service.recognition.review_queue import Chances
from image_search_service.services.review.drafts import (
    PAGE,
    aside_drafts,
    birth_drafts,
    close_pairs,
    cluster_drafts,
    often_rejected,
    page_drafts,
    pair_drafts,
)
from image_search_service.services.review.history import ReviewHistory
from image_search_service.services.review.nearest import ComparedCluster
from image_search_service.services.review.questions import (
    QuestionKind,
    SeenQuestions,
    seen,
)

THRESHOLDS = MOBILEFACENET.thresholds
CHANCES = Chances(THRESHOLDS)
ADA, GRACE = uuid.UUID(int=1), uuid.UUID(int=2)
CARDS = {ADA: NamedCover(ADA, "Ada", None), GRACE: NamedCover(GRACE, "Grace", None)}
SURE, DOUBTFUL, HOPELESS = 0.7, 0.49, 0.3
NOTHING = SeenQuestions()


def cluster(size: int = 5) -> ClusterRow:
    return ClusterRow(id=uuid.uuid4(), size=size, confidence=0.6, representative_face_id=uuid.uuid4())


def suggestion(similarity: float, margin: float = 0.2, person: uuid.UUID = ADA) -> WaitingSuggestion:
    return WaitingSuggestion(
        id=uuid.uuid4(),
        face_instance_id=uuid.uuid4(),
        person_id=person,
        confidence=similarity,
        second_person_id=GRACE if person == ADA else ADA,
        second_similarity=similarity - margin,
        margin=margin,
    )


def pages(waiting: list[WaitingSuggestion], history: ReviewHistory | None = None) -> list[int]:
    """How many suggestions each page has."""
    drafts = page_drafts(waiting, CARDS, CHANCES, history or ReviewHistory(), NOTHING)
    return [len(draft.content.suggestions) for draft in drafts]


def test_a_group_is_asked_about_by_name_only_if_that_is_nearly_sure() -> None:
    """One Enter for whom it resembles surely; else who it is, with those who might be it; nobody else."""
    compared = [
        ComparedCluster(cluster(), [(ADA, SURE), (GRACE, 0.2)]),
        ComparedCluster(cluster(), [(ADA, DOUBTFUL), (GRACE, 0.4)]),
        ComparedCluster(cluster(), [(ADA, 0.1)]),
    ]
    sure, doubtful, nobody = cluster_drafts(compared, CARDS, CHANCES)
    assert [draft.kind for draft in (sure, doubtful, nobody)] == ["is_this", "who", "who"]
    names = [[one.person.name for one in draft.content.proposals] for draft in (sure, doubtful, nobody)]
    assert names == [["Ada"], ["Ada", "Grace"], []]
    assert sure.value > doubtful.value > 0


def test_whoever_is_gone_is_not_proposed() -> None:
    """A centroid that is left of somebody who was merged proposes nobody, and takes no margin from others."""
    (draft,) = cluster_drafts(
        [ComparedCluster(cluster(), [(uuid.uuid4(), SURE), (ADA, SURE)])], CARDS, CHANCES
    )
    (only,) = draft.content.proposals
    assert (only.person.name, only.margin) == ("Ada", None)


def test_a_page_has_what_is_right_mostly() -> None:
    """Sure suggestions fill a page; doubtful ones come one by one; hopeless ones never."""
    assert pages([suggestion(SURE) for _ in range(PAGE + 5)]) == [PAGE]
    assert pages([suggestion(SURE), suggestion(SURE), suggestion(HOPELESS)]) == [2]
    assert pages([suggestion(DOUBTFUL) for _ in range(5)]) == [1]
    assert pages([suggestion(HOPELESS) for _ in range(5)]) == []


def test_pages_that_were_wrong_end_the_pages() -> None:
    """After two pages of which half was wrong, single suggestions are asked about."""
    history = ReviewHistory(pages={ADA: [(12, 24), (12, 24)]})
    assert pages([suggestion(SURE) for _ in range(PAGE)], history) == [1]


def test_suggestions_of_a_seen_page_are_not_shown_again() -> None:
    """The next page of the same person has others."""
    waiting = [suggestion(SURE) for _ in range(PAGE + 3)]
    (first,) = page_drafts(waiting, CARDS, CHANCES, ReviewHistory(), NOTHING)
    (second,) = page_drafts(waiting, CARDS, CHANCES, ReviewHistory(), seen([first.id]))
    shown = [{one.id for one, _ in draft.content.suggestions} for draft in (first, second)]
    assert (len(shown[0]), len(shown[1]), shown[0] & shown[1]) == (PAGE, 3, set())


def test_two_look_alike_whose_suggestions_might_be_the_others() -> None:
    """Close calls make a pair, if they are more than a few; not those that nobody resembles."""
    close = [suggestion(0.45, 0.01) for _ in range(3)]
    assert close_pairs([*close, *(suggestion(SURE) for _ in range(20))], THRESHOLDS) == {
        frozenset((ADA, GRACE)): 3
    }
    assert close_pairs(close[:1], THRESHOLDS) == {}
    assert close_pairs([suggestion(0.3, 0.01) for _ in range(9)], THRESHOLDS) == {}
    assert close_pairs([*close, *(suggestion(SURE) for _ in range(97))], THRESHOLDS) == {}


def test_two_people_hold_the_pages_of_either_back() -> None:
    """A pair is asked about if a page waits for it, and not if they were said to be two."""
    drafts = page_drafts([suggestion(SURE)], CARDS, CHANCES, ReviewHistory(), NOTHING)
    pair = frozenset((ADA, GRACE))
    (two,) = pair_drafts({pair: None}, drafts, CARDS, set())
    assert (two.kind, two.blocks, two.value) == (QuestionKind.TWO_PEOPLE, pair, drafts[0].value)
    assert pair_drafts({pair: None}, drafts, CARDS, {pair}) == []
    assert pair_drafts({pair: None}, [], CARDS, set()) == []


@pytest.mark.parametrize(("years", "asked"), [(2, False), (4, True)])
def test_a_birth_date_is_asked_for_where_suggestions_are_often_wrong(years: int, asked: bool) -> None:
    """If a person's photos span more than three years and their suggestions were often rejected."""
    history = ReviewHistory(rejected=Counter({ADA: 6, GRACE: 4}), answered=Counter({ADA: 20, GRACE: 5}))
    assert often_rejected(history) == [ADA]
    span = AgeSpan(ADA, datetime(2000, 1, 1), datetime(2000 + years, 1, 2))  # noqa: DTZ001 - as cameras have it
    assert bool(birth_drafts([span], CARDS, history)) is asked


def test_small_groups_in_crowds_are_probably_strangers() -> None:
    """Small faces in crowds make a page to set aside; large ones, few ones and those seen do not."""
    strangers = [SmallCluster(cluster(2), 0.05) for _ in range(30)]
    (draft,) = aside_drafts([*strangers, SmallCluster(cluster(2), 0.3)], NOTHING)
    assert draft.content == [one.cluster for one in strangers[:PAGE]]
    rest = aside_drafts(strangers, seen([draft.id]))
    assert rest[0].content == [one.cluster for one in strangers[PAGE:]]
    assert aside_drafts(strangers[:5], NOTHING) == []


def test_s11_a_group_that_resembles_somebody_hidden() -> None:
    """Somebody hidden is not proposed, and still counts where it is said how far another one is ahead."""
    compared = ComparedCluster(cluster(), [(ADA, SURE), (GRACE, SURE - 0.01)])
    (draft,) = cluster_drafts([compared], CARDS | {ADA: NamedCover(ADA, "Ada", None, hidden=True)}, CHANCES)
    (proposal,) = draft.content.proposals
    assert proposal.person.id == GRACE
    assert proposal.margin is not None
    assert proposal.margin < 0
