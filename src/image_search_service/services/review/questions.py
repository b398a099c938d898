"""The questions of the review queue: what each shows, and ids that tell what it was about.

An id is opaque to clients. Its parts, between dots, are the kind of its subject, the subject, and what was
shown or proposed, so that an id that a client sends back tells what its user has seen.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from image_search_service.core.errors import InvalidInputError
from image_search_service.core.types import Box, Likeness

DIGITS = 8
"""Of an id that only tells it from a few hundred others."""


class QuestionKind(StrEnum):
    """What is asked."""

    WHO = "who"
    IS_THIS = "is_this"
    TICK_OFF = "tick_off"
    TWO_PEOPLE = "two_people"
    BIRTH_DATE = "birth_date"
    SET_ASIDE = "set_aside"


class Subject(StrEnum):
    """What a question is about; the first part of its id."""

    CLUSTER = "cluster"
    PERSON = "person"
    PAIR = "pair"
    BIRTH = "birth"
    ASIDE = "aside"


@dataclass(frozen=True, slots=True)
class QuestionFace:
    """A face that is shown. taken_at: local time of the photo. path: a file of it, None if all are missing.
    least_alike: of the group."""

    id: uuid.UUID
    asset_id: uuid.UUID
    taken_at: datetime | None
    box: Box
    photo_width: int
    photo_height: int
    path: Path | None
    least_alike: bool = False


@dataclass(frozen=True, slots=True)
class PersonCard:
    """A person as they are shown. cover: a face, None if they have none."""

    id: uuid.UUID
    name: str
    cover: uuid.UUID | None


@dataclass(frozen=True, slots=True)
class Proposal:
    """A person that a cluster resembles. similarity: to their centroid, −1 to 1. margin: difference to the
    next person's similarity, None without a next person. chance: that it is this person, 0 to 1."""

    person: PersonCard
    similarity: float
    margin: float | None
    likeness: Likeness
    chance: float


@dataclass(frozen=True, slots=True)
class QuestionCluster:
    id: uuid.UUID
    size: int
    version: str
    confidence: float
    first_year: int | None = None
    last_year: int | None = None


@dataclass(frozen=True, slots=True)
class QuestionSuggestion:
    """A suggestion on a page of them."""

    id: uuid.UUID
    face_id: uuid.UUID
    asset_id: uuid.UUID
    taken_at: datetime | None
    likeness: Likeness
    margin: float | None
    similarity: float
    chance: float


@dataclass(frozen=True, slots=True)
class PairSide:
    """One of two who look alike."""

    person: PersonCard
    size: int
    version: str
    faces: Sequence[QuestionFace]


@dataclass(frozen=True, slots=True)
class Question:
    """value: faces that get a name for each second of work. What else is set depends on the kind."""

    id: str
    kind: QuestionKind
    value: float
    version: str | None = None
    cluster: QuestionCluster | None = None
    faces: Sequence[QuestionFace] = ()
    photos: Sequence[uuid.UUID] = ()
    with_persons: Sequence[PersonCard] = ()
    proposals: Sequence[Proposal] = ()
    person: PersonCard | None = None
    suggestions: Sequence[QuestionSuggestion] = ()
    left: PairSide | None = None
    right: PairSide | None = None
    shared_photos: int = 0
    photo_ids: Sequence[uuid.UUID] = ()
    similarity: float | None = None
    clusters: Sequence[tuple[QuestionCluster, uuid.UUID]] = ()


@dataclass(frozen=True, slots=True)
class SeenQuestions:
    """The questions that the user has seen in one sitting. pages: the first digits of the ids that pages
    showed."""

    clusters: frozenset[uuid.UUID] = frozenset()
    pages: frozenset[str] = frozenset()
    subjects: frozenset[str] = frozenset()

    def has_shown(self, item: uuid.UUID) -> bool:
        """Whether a page has shown this suggestion or cluster."""
        return item.hex[:DIGITS] in self.pages


def cluster_id(cluster: uuid.UUID, proposal: Proposal | None) -> str:
    """With the first proposal, so that its answer says whether that was right."""
    subject = f"{Subject.CLUSTER}.{cluster.hex}"
    if proposal is None:
        return subject
    margin = "" if proposal.margin is None else f"{proposal.margin:.3f}".replace(".", "_")
    similarity = f"{proposal.similarity:.3f}".replace(".", "_")
    return f"{subject}.{proposal.person.id.hex}.{similarity}.{margin}"


def page_id(subject: Subject, person: uuid.UUID | None, items: Iterable[uuid.UUID]) -> str:
    shown = "-".join(item.hex[:DIGITS] for item in items)
    return f"{subject}.{'' if person is None else person.hex}.{shown}"


def pair_id(a: uuid.UUID, b: uuid.UUID) -> str:
    first, second = sorted((a, b))
    return f"{Subject.PAIR}.{first.hex}{second.hex}"


def birth_id(person: uuid.UUID) -> str:
    return f"{Subject.BIRTH}.{person.hex}"


def subject_of(question_id: str) -> str:
    """The subject of a question id, without what the question showed. Raises InvalidInputError for other
    text."""
    kind, _, rest = question_id.partition(".")
    if kind not in tuple(Subject) or len(question_id) > MOST_OF_AN_ID:
        raise InvalidInputError(
            f"{question_id[:80]!r} is no question's id.", hint="GET /review/next has them."
        )
    return f"{kind}.{rest.partition('.')[0]}"


MOST_OF_AN_ID = 400


def seen(question_ids: Iterable[str]) -> SeenQuestions:
    """What these questions have shown. Raises InvalidInputError."""
    subjects, pages, clusters = set(), set(), set()
    for question_id in question_ids:
        subject = subject_of(question_id)
        parts = question_id.split(".")
        if parts[0] in (Subject.PERSON, Subject.ASIDE):
            pages |= set(parts[2].split("-")) if len(parts) > 2 else set()
            continue
        subjects.add(subject)
        if parts[0] == Subject.CLUSTER:
            clusters.add(_uuid(parts[1], question_id))
    return SeenQuestions(frozenset(clusters), frozenset(pages), frozenset(subjects))


def _uuid(text: str, question_id: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise InvalidInputError(f"{question_id[:80]!r} is no question's id.") from None


def proposed(question_id: str) -> tuple[uuid.UUID, float, float | None] | None:
    """The person that a question about a cluster proposed first, with similarity and margin; None for others,
    and for what is no question's id."""
    parts = question_id.split(".")
    if parts[0] != Subject.CLUSTER or len(parts) != 5:
        return None
    try:
        margin = float(parts[4].replace("_", ".")) if parts[4] else None
        return uuid.UUID(parts[2]), float(parts[3].replace("_", ".")), margin
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class NamingProgress:
    """named: faces with a name, of ``faces``. waiting: suggestions that nobody has answered."""

    named: int = 0
    faces: int = 0
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class NextQuestions:
    """The questions that come next, the best first."""

    questions: Sequence[Question] = field(default_factory=list)
    progress: NamingProgress = field(default_factory=NamingProgress)
