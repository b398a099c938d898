"""Questions of the review queue."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from image_search_service.api.schemas.common import Answer, LocalTime, RequestBody
from image_search_service.api.schemas.faces import BoxAnswer, crop_url, shown_path
from image_search_service.core.types import Likeness
from image_search_service.services.review import questions as found

Year = Annotated[int | None, Field(description="Null if no photo has a date.", examples=[2009])]
QUESTION_ID = "Send it back as `seen`, and with the answer; its text is opaque."


class ReviewFace(Answer):
    """A face that a question shows."""

    id: UUID
    crop_url: str = Field(description="A small picture of the face, JPEG.")
    asset_id: UUID = Field(description="The photo that shows the face.")
    taken_at: LocalTime | None = Field(description="Local time where it was taken.")
    path: str | None = Field(
        description="A file of the photo; null when all of them are missing.",
        examples=["/photos/2019/garden.jpg"],
    )
    box: BoxAnswer
    photo_width: int = Field(examples=[1024])
    photo_height: int = Field(examples=[768])
    least_alike: bool = Field(
        description="Whether the face is one of the two that resemble the rest of the cluster least."
    )

    @classmethod
    def of(cls, face: found.QuestionFace) -> ReviewFace:
        box = BoxAnswer(x=face.box.x, y=face.box.y, width=face.box.width, height=face.box.height)
        return cls(
            id=face.id,
            crop_url=crop_url(face.id),
            asset_id=face.asset_id,
            taken_at=face.taken_at,
            path=None if face.path is None else shown_path(face.path),
            box=box,
            photo_width=face.photo_width,
            photo_height=face.photo_height,
            least_alike=face.least_alike,
        )


def _faces(faces: Sequence[found.QuestionFace]) -> list[ReviewFace]:
    return [ReviewFace.of(face) for face in faces]


class ReviewPerson(Answer):
    """A person with a picture."""

    id: UUID
    name: str = Field(examples=["Ada Lovelace"])
    cover_url: str | None = Field(description="Null for a person without a face.")

    @classmethod
    def of(cls, person: found.PersonCard) -> ReviewPerson:
        return cls(id=person.id, name=person.name, cover_url=_cover(person.cover))


def _cover(face_id: UUID | None) -> str | None:
    return None if face_id is None else crop_url(face_id)


class ReviewCluster(Answer):
    """A group without a name."""

    id: UUID
    size: int = Field(description="Number of faces.", examples=[34])
    version: str = Field(description="Hand it back with the answer.", examples=["34-9f86d081884c7d65"])
    confidence: float = Field(description="Mean similarity of its faces, −1 to 1.", examples=[0.62])
    first_year: Year
    last_year: Year

    @classmethod
    def of(cls, cluster: found.QuestionCluster) -> ReviewCluster:
        return cls(
            id=cluster.id,
            size=cluster.size,
            version=cluster.version,
            confidence=cluster.confidence,
            first_year=cluster.first_year,
            last_year=cluster.last_year,
        )


class ReviewCompanion(Answer):
    """A person who is in photos of the cluster."""

    person_id: UUID
    name: str = Field(examples=["Grace Hopper"])


class ReviewProposal(Answer):
    """A person whom a cluster may be."""

    person_id: UUID
    name: str = Field(examples=["Ada Lovelace"])
    cover_url: str | None
    similarity: float = Field(
        description="Of the cluster's mean to the person's centroid, −1 to 1.", examples=[0.61]
    )
    likeness: Likeness = Field(description="`similarity` in a word.")
    chance: float = Field(
        description="Probability that it is this person, 0 to 1, learned from the answers so far.",
        examples=[0.97],
    )


class _ClusterQuestion(Answer):
    id: str = Field(description=QUESTION_ID)
    version: str = Field(description="The cluster's version.", examples=["34-9f86d081884c7d65"])
    value: float = Field(description="Faces that get a name for each second of work.", examples=[4.2])
    cluster: ReviewCluster
    faces: list[ReviewFace] = Field(description="At most twelve: the clearest, then the two least alike.")
    photos: list[UUID] = Field(description="At most three photos that show the cluster's faces.")
    with_: list[ReviewCompanion] = Field(
        alias="with", description="Persons who are in the cluster's photos most often."
    )
    proposals: list[ReviewProposal] = Field(description="At most five, the most alike first.")


class WhoQuestion(_ClusterQuestion):
    """Who is this? Answered by `name-clusters`."""

    kind: Literal["who"] = "who"


class IsThisQuestion(_ClusterQuestion):
    """Is this the first of the proposals? Answered by `name-clusters`."""

    kind: Literal["is_this"] = "is_this"


class ReviewSuggestion(Answer):
    """A suggestion on a page of them."""

    id: UUID
    face_id: UUID
    crop_url: str
    asset_id: UUID
    taken_at: LocalTime | None
    likeness: Likeness
    margin: float | None = Field(
        description="Similarity to the person's centroid minus that to the second best person's."
    )
    chance: float = Field(description="Probability that the suggestion is right, 0 to 1.", examples=[0.97])


class TickOffQuestion(Answer):
    """Which of these are right? All are ticked; answered by `answer`."""

    id: str = Field(description=QUESTION_ID)
    kind: Literal["tick_off"] = "tick_off"
    version: str = Field(
        description="The version of all pending suggestions for the person.", examples=["3-9f86d081884c7d65"]
    )
    value: float
    person: ReviewPerson
    suggestions: list[ReviewSuggestion] = Field(description="At most 24, the surest first.")


class PairedPerson(Answer):
    """One of two persons who look alike."""

    kind: Literal["person"] = "person"
    id: UUID
    name: str
    cover_url: str | None
    size: int = Field(description="Number of faces.")
    version: str
    faces: list[ReviewFace] = Field(description="At most six, by time.")

    @classmethod
    def of(cls, side: found.PairSide) -> PairedPerson:
        person = ReviewPerson.of(side.person)
        return cls(
            id=person.id,
            name=person.name,
            cover_url=person.cover_url,
            size=side.size,
            version=side.version,
            faces=_faces(side.faces),
        )


class TwoPeopleQuestion(Answer):
    """Are these two people, or one? Answered by `mark-different` or `merge-persons`."""

    id: str = Field(description=QUESTION_ID)
    kind: Literal["two_people"] = "two_people"
    version: None = None
    value: float
    left: PairedPerson
    right: PairedPerson
    shared_photos: int = Field(description="Number of photos that show both, which speaks for two people.")
    photo_ids: list[UUID] = Field(description="Some of the photos that show both.")
    similarity: float | None


class BirthDateQuestion(Answer):
    """When was this person born? Answered by `set-birth-date`."""

    id: str = Field(description=QUESTION_ID)
    kind: Literal["birth_date"] = "birth_date"
    version: None = None
    value: float
    person: ReviewPerson
    faces: list[ReviewFace] = Field(description="The faces in the person's first and last photo.")


class AsideCluster(Answer):
    """A cluster that is probably of a stranger."""

    id: UUID
    version: str
    size: int
    crop_url: str


class SetAsideQuestion(Answer):
    """Are these strangers? Answered by `set-aside`."""

    id: str = Field(description=QUESTION_ID)
    kind: Literal["set_aside"] = "set_aside"
    version: None = None
    value: float
    clusters: list[AsideCluster] = Field(description="At most 24.")


AnyQuestion = Annotated[
    WhoQuestion | IsThisQuestion | TickOffQuestion | TwoPeopleQuestion | BirthDateQuestion | SetAsideQuestion,
    Field(discriminator="kind"),
]


class ReviewProgress(Answer):
    """How many faces have a name."""

    named: int = Field(description="Faces with a name.", examples=[11204])
    faces: int = Field(description="All faces.", examples=[13000])
    waiting: int = Field(description="Pending suggestions.", examples=[212])


class ReviewQuestions(Answer):
    """What to ask next, the best first; none if there is nothing to ask."""

    questions: list[AnyQuestion]
    progress: ReviewProgress

    @classmethod
    def of(cls, next_: found.NextQuestions) -> ReviewQuestions:
        progress = ReviewProgress(
            named=next_.progress.named, faces=next_.progress.faces, waiting=next_.progress.waiting
        )
        return cls(questions=[_question(question) for question in next_.questions], progress=progress)


def _question(question: found.Question) -> AnyQuestion:
    if question.cluster is not None:
        return _about_cluster(question, question.cluster)
    if question.left is not None and question.right is not None:
        return TwoPeopleQuestion(
            id=question.id,
            value=question.value,
            left=PairedPerson.of(question.left),
            right=PairedPerson.of(question.right),
            shared_photos=question.shared_photos,
            photo_ids=list(question.photo_ids),
            similarity=question.similarity,
        )
    if question.person is None:
        rows = [
            AsideCluster(id=row.id, version=row.version, size=row.size, crop_url=crop_url(face))
            for row, face in question.clusters
        ]
        return SetAsideQuestion(id=question.id, value=question.value, clusters=rows)
    person = ReviewPerson.of(question.person)
    if question.kind is found.QuestionKind.BIRTH_DATE:
        return BirthDateQuestion(
            id=question.id, value=question.value, person=person, faces=_faces(question.faces)
        )
    return TickOffQuestion(
        id=question.id,
        version=question.version or "",
        value=question.value,
        person=person,
        suggestions=[_suggestion(each) for each in question.suggestions],
    )


def _about_cluster(question: found.Question, cluster: found.QuestionCluster) -> WhoQuestion | IsThisQuestion:
    fields = {
        "id": question.id,
        "version": cluster.version,
        "value": question.value,
        "cluster": ReviewCluster.of(cluster),
        "faces": _faces(question.faces),
        "photos": list(question.photos),
        "with": [ReviewCompanion(person_id=each.id, name=each.name) for each in question.with_persons],
        "proposals": [_proposal(each) for each in question.proposals],
    }
    kind = IsThisQuestion if question.kind is found.QuestionKind.IS_THIS else WhoQuestion
    return kind.model_validate(fields)


def _proposal(proposal: found.Proposal) -> ReviewProposal:
    person = ReviewPerson.of(proposal.person)
    return ReviewProposal(
        person_id=person.id,
        name=person.name,
        cover_url=person.cover_url,
        similarity=round(proposal.similarity, 6),
        likeness=proposal.likeness,
        chance=round(proposal.chance, 4),
    )


def _suggestion(suggestion: found.QuestionSuggestion) -> ReviewSuggestion:
    return ReviewSuggestion(
        id=suggestion.id,
        face_id=suggestion.face_id,
        crop_url=crop_url(suggestion.face_id),
        asset_id=suggestion.asset_id,
        taken_at=suggestion.taken_at,
        likeness=suggestion.likeness,
        margin=suggestion.margin,
        chance=round(suggestion.chance, 4),
    )


class SkipQuestion(RequestBody):
    """A question that the user does not want to answer now."""

    question_id: str = Field(min_length=1, max_length=found.MOST_OF_AN_ID)
