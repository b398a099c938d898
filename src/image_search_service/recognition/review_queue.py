"""The value of a question: faces that get a name for each second of work. Pure functions.

A key costs 0.28 s, a decision at least 1.35 s (Card, Moran, Newell: The Psychology of Human-Computer
Interaction, 1983), reading a face about 0.15 s.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from image_search_service.recognition.thresholds import Thresholds

THINK_SECONDS, FACE_SECONDS, KEY_SECONDS = 1.35, 0.15, 0.28
TYPED_KEYS = 8
"""Keys for a name that is not proposed: whole for somebody new, three or four if the name is in the list."""
REPAIR, REPAIR_OF_LOOKALIKES = 3.0, 10.0
"""What a face that gets a wrong name costs, in faces that get a right one: to find it and to take it out;
more where it hides among the faces of somebody who looks like its owner."""
FOLLOW = 0.5
"""What a face is worth that will then be a key away: less than one that gets its name now, so that of groups
that look alike the largest comes first."""
KNOWN_STRANGERS = 0.2
"""The chance that somebody knows a group that is probably of a stranger."""
ASIDE = 0.04
"""What a face is worth that is set aside instead of named."""

LEAST_SURE = 0.9
"""From this chance on a group is asked about by one person's name, which Enter accepts. Of 2,400 groups that
reach it 99.9 % were that person's, and 96 % of theirs reach it (5,103 photos of Labeled Faces in the Wild,
MobileFaceNet; 10 to 200 people known by half of their photos, and groups of strangers)."""
MOST_AT_STAKE = 1.0
"""Nor may Enter give more faces than this to the wrong person on average: a group of fifty has to be surer
than one of five. Otherwise the name is proposed, and a digit takes it."""
PAGE_PRECISION, SINGLE_PRECISION = 0.85, 0.5
"""Expected share of right suggestions from which a page of them is shown, and from which single ones are."""

INTERCEPT, OF_SIMILARITY, OF_MARGIN = -9.0, 8.8, 0.36
"""Logistic regression of "the most similar person is right", on the same photos: nearly the same of groups
(−9.3, 8.9, 0.35) and of single faces (−8.5, 8.7, 0.39)."""
MOST_MARGINS = 6.0
PRIOR_INFORMATION = 2.0
"""How much the answers so far have to say before they move the intercept: as much as eight answers to
questions that are as likely right as wrong."""
MOST_MOVED = 3.0


def own_similarity(confidence: float, second: float | None, margin: float | None) -> float:
    """A suggestion's similarity to its person's centroid, as far as known; else what it was found by."""
    return confidence if second is None or margin is None else second + margin


@dataclass(frozen=True, slots=True)
class AnsweredProposal:
    """A proposed person and whether the answer confirmed it. similarity: to their centroid, −1 to 1. margin:
    difference to the second best person's, None without one."""

    similarity: float
    margin: float | None
    right: bool


@dataclass(frozen=True, slots=True)
class Chances:
    """The chance that a proposed person is right, from similarity and margin. moved: by how much the answers
    so far have shifted the intercept."""

    thresholds: Thresholds
    moved: float = 0.0

    def of(self, similarity: float, margin: float | None) -> float:
        """0 to 1."""
        return 1 / (1 + math.exp(-self._logit(similarity, margin)))

    def _logit(self, similarity: float, margin: float | None) -> float:
        low, high = self.thresholds.suggest, self.thresholds.assign_to_centroid
        place = min(max((similarity - low) / (high - low), -1.0), 3.0)
        ahead = (
            MOST_MARGINS if margin is None else min(max(margin / self.thresholds.margin, 0.0), MOST_MARGINS)
        )
        return INTERCEPT + self.moved + OF_SIMILARITY * place + OF_MARGIN * ahead

    def calibrated(self, answers: Iterable[AnsweredProposal]) -> Chances:
        """With the intercept moved to where the answers say: one Newton step of the penalised likelihood."""
        surplus, information = 0.0, PRIOR_INFORMATION
        for answer in answers:
            chance = self.of(answer.similarity, answer.margin)
            surplus += float(answer.right) - chance
            information += chance * (1 - chance)
        moved = min(max(surplus / information, -MOST_MOVED), MOST_MOVED)
        return Chances(self.thresholds, self.moved + moved)


def is_sure(size: int, chance: float) -> bool:
    """Whether a group of ``size`` is asked about by the name of the person that it is with this chance."""
    return chance >= LEAST_SURE and (1 - chance) * size <= MOST_AT_STAKE


def value_of_naming(
    size: int, shown: int, chance: float, follow: float = 0.0, *, lookalike: bool = False
) -> float:
    """Of a group that a name is asked for; chance: that the first proposal is right, which is one key instead
    of a name. follow: faces that will then be a key away."""
    keys = chance + (1 - chance) * TYPED_KEYS
    harm = REPAIR_OF_LOOKALIKES if lookalike else REPAIR
    wrong = (1 - chance) * size * harm if is_sure(size, chance) else 0.0
    return (size + FOLLOW * follow - wrong) / _seconds(shown, keys)


def value_of_page(chances: Sequence[float], *, lookalike: bool = False) -> float:
    """Of a page of suggestions, all ticked: each wrong one is a key, and those overlooked are harm."""
    right = sum(chances)
    wrong = len(chances) - right
    overlooked = 0.05 * wrong * (REPAIR_OF_LOOKALIKES if lookalike else REPAIR)
    return (right - overlooked) / _seconds(len(chances), 1 + 2 * wrong)


def value_of_setting_aside(faces: int, shown: int) -> float:
    return ASIDE * faces / _seconds(shown, 1)


def value_of_birth_date(rejected: int) -> float:
    """A date removes suggestions from before it: as many as were rejected lately, perhaps."""
    return rejected / _seconds(2, TYPED_KEYS)


def _seconds(shown: int, keys: float) -> float:
    return THINK_SECONDS + FACE_SECONDS * shown + KEY_SECONDS * keys


def expected_precision(chances: Sequence[float], last_pages: Sequence[tuple[int, int]]) -> float:
    """Of a page of suggestions of one person, 0 to 1. last_pages: right ones and all of those pages of theirs
    that were answered last; the more these have, the less the model counts."""
    if not chances:
        return 0.0
    right, seen = sum(page[0] for page in last_pages), sum(page[1] for page in last_pages)
    model = sum(chances) / len(chances)
    return (right + model * _MODEL_COUNTS) / (seen + _MODEL_COUNTS)


_MODEL_COUNTS = 12
"""As many answers the model is worth: half a page."""
