"""Chooses which questions come next from drafts, skips, and what the user has seen. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from image_search_service.db.models import ReviewSkip
from image_search_service.services.review.questions import QuestionKind, SeenQuestions, Subject, subject_of

BEHIND = 50
"""Answers after which a question that was skipped is as good as any other."""
SKIPS_UNTIL_AWAY = 3
AWAY_DAYS = 30
"""After so many skips a question is not asked for so long."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A question as far as its place in the queue needs it. blocks: persons of whom no page is shown before
    it has been answered. about: persons whose suggestions it shows. content: what filling it needs."""

    id: str
    kind: QuestionKind
    value: float
    content: Any = None
    blocks: frozenset[Any] = field(default_factory=frozenset)
    about: frozenset[Any] = field(default_factory=frozenset)


def next_drafts(
    drafts: Iterable[Draft], skips: Mapping[str, ReviewSkip], seen: SeenQuestions, latest: int, limit: int
) -> list[Draft]:
    """The most valuable first; skipped ones behind all others until fifty answers have been given.

    Never one that was seen, or is away. Where two people may be one, that comes before any page of either.
    """
    remaining = [draft for draft in drafts if not _is_over(draft, skips, seen)]
    blocked = {person for draft in remaining for person in draft.blocks}
    free = [
        draft for draft in remaining if not (draft.kind is QuestionKind.TICK_OFF and draft.about & blocked)
    ]
    free.sort(key=lambda draft: (_is_behind(draft, skips, latest), -draft.value, draft.id))
    return _one_each(free)[:limit]


def _is_over(draft: Draft, skips: Mapping[str, ReviewSkip], seen: SeenQuestions) -> bool:
    """Whether it was seen in this sitting, or skipped for long. A birth date is asked for once."""
    subject = subject_of(draft.id)
    skip = skips.get(subject)
    once = subject.startswith(f"{Subject.BIRTH}.")
    return subject in seen.subjects or (skip is not None and (once or skip.skips >= SKIPS_UNTIL_AWAY))


def _is_behind(draft: Draft, skips: Mapping[str, ReviewSkip], latest: int) -> bool:
    skip = skips.get(subject_of(draft.id))
    return skip is not None and latest - skip.at_answer < BEHIND


def _one_each(drafts: Sequence[Draft]) -> list[Draft]:
    """Of several questions about one subject the first."""
    return list({subject_of(draft.id): draft for draft in reversed(drafts)}.values())[::-1]
