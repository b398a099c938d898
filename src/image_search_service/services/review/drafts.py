"""Makes drafts of questions from clusters and suggestions. Pure functions."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from image_search_service.db.models import ClusterRow
from image_search_service.db.queries.review.clusters import SmallCluster
from image_search_service.db.queries.review.persons import AgeSpan, NamedCover, WaitingSuggestion
from image_search_service.recognition.review_queue import (
    KNOWN_STRANGERS,
    PAGE_PRECISION,
    SINGLE_PRECISION,
    Chances,
    expected_precision,
    is_sure,
    own_similarity,
    value_of_birth_date,
    value_of_naming,
    value_of_page,
    value_of_setting_aside,
)
from image_search_service.recognition.thresholds import Thresholds
from image_search_service.services.review.history import ReviewHistory
from image_search_service.services.review.nearest import ComparedCluster
from image_search_service.services.review.order import Draft
from image_search_service.services.review.questions import (
    PersonCard,
    Proposal,
    QuestionKind,
    SeenQuestions,
    Subject,
    birth_id,
    cluster_id,
    page_id,
    pair_id,
)

SHOWN_FACES = 12
SHOWN_PROPOSALS = 5
PAGE = 24
"""Suggestions, or clusters to set aside, on one page."""
LEAST_ASIDE = 6
"""Clusters that are worth a page."""
CROWD, SMALL = 8.0, 0.1
"""Strangers: in photos of so many faces, and no taller than this share of the photo."""
MOST_OF_STRANGERS = 3
CLOSE_SHARE, LEAST_CLOSE = 0.05, 2
"""Two look alike if more than this share of the suggestions of one, and so many, may be the other's."""
OFTEN_REJECTED, REJECTED_SHARE = 5, 0.2
LONG_YEARS = 3
"""A birth date is asked for if suggestions are so often wrong and photos span more years."""


@dataclass(frozen=True, slots=True)
class ClusterContent:
    compared: ComparedCluster
    proposals: Sequence[Proposal]


@dataclass(frozen=True, slots=True)
class PageContent:
    person: PersonCard
    suggestions: Sequence[tuple[WaitingSuggestion, float]]


@dataclass(frozen=True, slots=True)
class PairContent:
    left: PersonCard
    right: PersonCard
    similarity: float | None


def card(person: NamedCover) -> PersonCard:
    return PersonCard(person.id, person.name, person.cover)


def cluster_drafts(
    compared: Iterable[ComparedCluster], cards: Mapping[uuid.UUID, NamedCover], chances: Chances
) -> list[Draft]:
    """*Is this Ada?* where it is nearly sure, else *Who is this?* with those who might be it."""
    drafts = []
    for compared_cluster in compared:
        proposals = proposals_of(compared_cluster, cards, chances)
        first = proposals[0] if proposals else None
        chance = first.chance if first else 0.0
        size = compared_cluster.cluster.size
        kind = QuestionKind.IS_THIS if is_sure(size, chance) else QuestionKind.WHO
        close = first is not None and first.margin is not None and first.margin < chances.thresholds.margin
        shown = min(size, SHOWN_FACES)
        value = value_of_naming(size, shown, chance, compared_cluster.alike, lookalike=close)
        content = ClusterContent(compared_cluster, proposals)
        drafts.append(Draft(cluster_id(compared_cluster.cluster.id, first), kind, value, content))
    return drafts


def proposals_of(
    compared_cluster: ComparedCluster, cards: Mapping[uuid.UUID, NamedCover], chances: Chances
) -> list[Proposal]:
    """At most five persons who are there, not hidden, and whom the group resembles enough to be shown. That
    the group resembles a hidden person more makes the others less likely."""
    thresholds = chances.thresholds
    near = [(cards[person], similarity) for person, similarity in compared_cluster.persons if person in cards]
    proposals: list[Proposal] = []
    for number, (found_card, similarity) in enumerate(near):
        if similarity < thresholds.suggest or len(proposals) == SHOWN_PROPOSALS:
            break
        if found_card.hidden:
            continue
        others = [score for other, (_, score) in enumerate(near) if other != number]
        margin = similarity - max(others) if others else None
        chance = chances.of(similarity, margin)
        word = thresholds.likeness(similarity)
        proposals.append(Proposal(card(found_card), similarity, margin, word, chance))
    return proposals


def similarity_of(suggestion: WaitingSuggestion) -> float:
    return own_similarity(suggestion.confidence, suggestion.second_similarity, suggestion.margin)


def chance_of(suggestion: WaitingSuggestion, chances: Chances) -> float:
    unknown = None if suggestion.second_person_id is None else 0.0
    return chances.of(similarity_of(suggestion), unknown if suggestion.margin is None else suggestion.margin)


def page_drafts(
    waiting: Sequence[WaitingSuggestion],
    cards: Mapping[uuid.UUID, NamedCover],
    chances: Chances,
    history: ReviewHistory,
    seen: SeenQuestions,
) -> list[Draft]:
    """*Tick off*: for each person a page of suggestions that are right mostly, or else a single one."""
    by_person: dict[uuid.UUID, list[tuple[WaitingSuggestion, float]]] = {}
    for suggestion in waiting:
        if not seen.has_shown(suggestion.id) and suggestion.person_id in cards:
            by_person.setdefault(suggestion.person_id, []).append(
                (suggestion, chance_of(suggestion, chances))
            )
    drafts = []
    for person, rows in by_person.items():
        rows.sort(key=lambda row: (-row[1], row[0].id))
        page = page_of(rows, history.pages.get(person, []))
        if page:
            value = value_of_page([chance for _, chance in page])
            question = page_id(Subject.PERSON, person, [suggestion.id for suggestion, _ in page])
            content = PageContent(card(cards[person]), page)
            drafts.append(Draft(question, QuestionKind.TICK_OFF, value, content, about=frozenset({person})))
    return drafts


def page_of(
    rows: Sequence[tuple[WaitingSuggestion, float]], last_pages: Sequence[tuple[int, int]]
) -> Sequence[tuple[WaitingSuggestion, float]]:
    """The longest beginning of the best that is expected to be right mostly; else the first, if it is rather
    right than wrong; else nothing."""
    for length in range(min(len(rows), PAGE), 1, -1):
        chances = [chance for _, chance in rows[:length]]
        if expected_precision(chances, last_pages) >= PAGE_PRECISION:
            return rows[:length]
    return rows[:1] if rows and rows[0][1] >= SINGLE_PRECISION else []


def close_pairs(
    waiting: Iterable[WaitingSuggestion], thresholds: Thresholds
) -> dict[frozenset[uuid.UUID], int]:
    """Pairs of persons of whom one's suggestions might as well be the other's, and how many."""
    every: Counter[uuid.UUID] = Counter()
    close: Counter[tuple[uuid.UUID, uuid.UUID]] = Counter()
    for suggestion in waiting:
        every[suggestion.person_id] += 1
        other = suggestion.second_person_id
        both = (
            suggestion.second_similarity is not None
            and suggestion.second_similarity >= thresholds.same_person
        )
        if (
            other is not None
            and other != suggestion.person_id
            and both
            and (suggestion.margin or 0.0) < thresholds.margin
        ):
            close[suggestion.person_id, other] += 1
    return {
        frozenset(pair): number
        for pair, number in close.items()
        if number >= LEAST_CLOSE and number > CLOSE_SHARE * every[pair[0]]
    }


def pair_drafts(
    pairs: Mapping[frozenset[uuid.UUID], float | None],
    pages: Sequence[Draft],
    cards: Mapping[uuid.UUID, NamedCover],
    different: set[frozenset[uuid.UUID]],
) -> list[Draft]:
    """*Two people?*, worth what it holds back: it comes before any page of either."""
    worth = {person: page.value for page in pages for person in page.about}
    drafts = []
    for pair, similarity in pairs.items():
        if pair in different or len(pair) != 2 or not pair <= cards.keys() or not pair & worth.keys():
            continue
        left, right = sorted(pair)
        value = max(worth.get(left, 0.0), worth.get(right, 0.0))
        content = PairContent(card(cards[left]), card(cards[right]), similarity)
        drafts.append(Draft(pair_id(left, right), QuestionKind.TWO_PEOPLE, value, content, blocks=pair))
    return drafts


def often_rejected(history: ReviewHistory) -> list[uuid.UUID]:
    """Persons whose suggestions were often wrong lately."""
    return sorted(
        person
        for person, wrong in history.rejected.items()
        if wrong >= OFTEN_REJECTED and wrong >= REJECTED_SHARE * history.answered[person]
    )


def birth_drafts(
    spans: Iterable[AgeSpan], cards: Mapping[uuid.UUID, NamedCover], history: ReviewHistory
) -> list[Draft]:
    """*Birth date?* of persons whose photos span years."""
    return [
        Draft(
            birth_id(span.person_id),
            QuestionKind.BIRTH_DATE,
            value_of_birth_date(history.rejected[span.person_id]),
            card(cards[span.person_id]),
        )
        for span in spans
        if span.person_id in cards and (span.last - span.first).days > LONG_YEARS * 365.25
    ]


def without_strangers(drafts: Iterable[Draft], aside: Iterable[Draft]) -> list[Draft]:
    """Questions about groups, worth less where they are probably of strangers."""
    strangers = {row.id for page in aside for row in page.content}
    return [
        replace(draft, value=draft.value * KNOWN_STRANGERS)
        if draft.kind is QuestionKind.WHO and draft.content.compared.cluster.id in strangers
        else draft
        for draft in drafts
    ]


def aside_drafts(crowded: Iterable[SmallCluster], seen: SeenQuestions) -> list[Draft]:
    """*Set aside*: one page of groups that are probably strangers. crowded: clusters in crowds."""
    strangers: list[ClusterRow] = [
        item.cluster
        for item in crowded
        if item.share_of_height <= SMALL and not seen.has_shown(item.cluster.id)
    ][:PAGE]
    if len(strangers) < LEAST_ASIDE:
        return []
    value = value_of_setting_aside(sum(cluster.size for cluster in strangers), len(strangers))
    question = page_id(Subject.ASIDE, None, [cluster.id for cluster in strangers])
    return [Draft(question, QuestionKind.SET_ASIDE, value, strangers)]
