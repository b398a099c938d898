"""Learns from the last decisions what to ask next. Pure functions."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from image_search_service.db.models import DecisionRow
from image_search_service.recognition.review_queue import AnsweredProposal
from image_search_service.services.review.questions import proposed

LAST_PAGES = 2
"""Pages of a person from which it is learned how many of the next are right."""


@dataclass(slots=True)
class ReviewHistory:
    """proposals: what was proposed, and whether it was right. pages: of each person the right ones and all of
    the pages answered last. rejected: suggestions that were wrong. latest: the last decision's number."""

    proposals: list[AnsweredProposal] = field(default_factory=list)
    pages: dict[uuid.UUID, list[tuple[int, int]]] = field(default_factory=dict)
    rejected: Counter[uuid.UUID] = field(default_factory=Counter)
    answered: Counter[uuid.UUID] = field(default_factory=Counter)
    latest: int = 0


def learned(decisions: Sequence[DecisionRow]) -> ReviewHistory:
    """decisions: the newest first. What was taken back teaches nothing."""
    undone = {decision.undoes for decision in decisions if decision.undoes is not None}
    history = ReviewHistory(latest=max((decision.id for decision in decisions), default=0))
    for decision in decisions:
        if decision.id not in undone and decision.undoes is None:
            _learn(history, decision.details)
    return history


def _learn(history: ReviewHistory, details: Mapping[str, Any]) -> None:
    answer = details.get("answer")
    if isinstance(answer, Mapping):
        _learn_page(history, answer)
    asked = proposed(details["question"]) if isinstance(details.get("question"), str) else None
    if asked is not None:
        person, similarity, margin = asked
        named = _ids(details.get("persons"))
        history.proposals.append(AnsweredProposal(similarity, margin, named[:1] == [person]))


def _learn_page(history: ReviewHistory, answer: Mapping[str, Any]) -> None:
    persons = _ids([answer.get("person")])
    right, wrong = answer.get("accepted"), answer.get("rejected")
    if not persons or not isinstance(right, int) or not isinstance(wrong, int):
        return
    pages = history.pages.setdefault(persons[0], [])
    if len(pages) < LAST_PAGES:
        pages.append((right, right + wrong))
    history.rejected[persons[0]] += wrong
    history.answered[persons[0]] += right + wrong
    for proposal in answer.get("seen") or []:
        if isinstance(proposal, list) and len(proposal) == 3:
            history.proposals.append(
                AnsweredProposal(
                    float(proposal[0]), None if proposal[1] is None else float(proposal[1]), bool(proposal[2])
                )
            )


def _ids(texts: Any) -> list[uuid.UUID]:
    """Those that are ids; an imported decision may have other details."""
    try:
        return [uuid.UUID(text) for text in texts or []]
    except (ValueError, TypeError, AttributeError):
        return []
