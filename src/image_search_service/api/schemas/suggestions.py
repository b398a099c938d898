"""Suggestions, and the options of searches for more."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import Field, StrictFloat, StrictInt

from image_search_service.api.schemas.common import Answer, LocalTime, Page, RequestBody, Slice
from image_search_service.api.schemas.faces import crop_url
from image_search_service.core.records import suggestions as records
from image_search_service.core.records.suggestions import (
    DatedSuggestion,
    SuggestionCount,
    SuggestionRecord,
)
from image_search_service.core.types import Likeness
from image_search_service.services.suggestions import similar
from image_search_service.services.suggestions.search import ExplainedSuggestion

PersonIds = list[UUID]
MAX_PERSONS = 10_000


class Evidence(Answer):
    """What a suggested face resembles: a prototype's face, or the person's centroid."""

    face_instance_id: UUID | None = None
    centroid_id: UUID | None = None
    similarity: float = Field(description="Cosine similarity, −1 to 1.", examples=[0.58])


class Suggestion(Answer):
    """A face that may be a person, waiting for a decision."""

    id: UUID
    face_instance_id: UUID
    crop_url: str = Field(description="A small picture of the face, JPEG.")
    confidence: float = Field(description="The best similarity, −1 to 1.", examples=[0.58])
    source: str = Field(description="How it was found.", examples=["centroid"])
    evidence: list[Evidence] = Field(description="What the face resembles, the most similar first.")
    threshold: float | None = Field(
        description="The threshold when the suggestion was made, −1 to 1.", examples=[0.44]
    )
    second_person_id: UUID | None = Field(
        description="The other person whose centroid the face resembles most; null without one.",
        examples=[None],
    )
    second_similarity: float | None = Field(
        description="Similarity to the second person's centroid, −1 to 1.", examples=[0.21]
    )
    margin: float | None = Field(
        description="How much more it resembles the person's own centroid, negative if less; null if they "
        "have none.",
        examples=[0.37],
    )
    created_at: datetime

    @classmethod
    def of(cls, suggestion: SuggestionRecord) -> Suggestion:
        return cls(**_suggestion_fields(suggestion))


def _suggestion_fields(suggestion: SuggestionRecord) -> dict[str, Any]:
    return {
        "id": suggestion.id,
        "face_instance_id": suggestion.face_instance_id,
        "crop_url": crop_url(suggestion.face_instance_id),
        "confidence": suggestion.confidence,
        "source": suggestion.source,
        "evidence": [_evidence(item) for item in suggestion.evidence],
        "threshold": suggestion.threshold,
        "second_person_id": suggestion.second_person_id,
        "second_similarity": suggestion.second_similarity,
        "margin": suggestion.margin,
        "created_at": suggestion.created_at,
    }


class PersonSuggestion(Suggestion):
    """A face that may be a certain person."""

    face_id: UUID = Field(description="The same as `face_instance_id`.")
    asset_id: UUID = Field(description="The photo that shows the face.")
    taken_at: LocalTime | None = Field(
        description="When the photo was taken: local time, as cameras write it."
    )
    likeness: Likeness = Field(description="`confidence` in a word.", examples=["quite"])

    @classmethod
    def of_person(cls, item: DatedSuggestion) -> PersonSuggestion:
        return cls(
            **_suggestion_fields(item.suggestion),
            face_id=item.suggestion.face_instance_id,
            asset_id=item.asset_id,
            taken_at=item.taken_at,
            likeness=item.likeness,
        )


class PersonSuggestionSlice(Slice[PersonSuggestion]):
    """Pending suggestions for a person, those with the largest margin to the second best person first."""

    version: str = Field(
        description="Changes with the pending suggestions; send it along to answer all of them at once.",
        examples=["4-9f86d081884c7d65"],
    )


class SimilarFace(Answer):
    """A confirmed face of the person that the suggested face resembles."""

    face_instance_id: UUID
    crop_url: str = Field(description="A small picture of the face, JPEG.")
    similarity: float = Field(description="Cosine similarity, −1 to 1.", examples=[0.58])


class SuggestionReasons(Answer):
    """Why a face may be a person, and who is the second best person."""

    suggestion: Suggestion
    state: str = Field(
        description="pending, accepted, rejected, superseded or expired.", examples=["pending"]
    )
    person_id: UUID
    person_name: str = Field(examples=["Ada Lovelace"])
    second_person_name: str | None = Field(examples=["Grace Hopper"])
    needed: float = Field(
        description="Similarity to the person's centroid from which the face would have been assigned.",
        examples=[0.66],
    )
    resembles: list[SimilarFace] = Field(description="Confirmed faces, the most similar first, five at most.")

    @classmethod
    def of(cls, explained: ExplainedSuggestion) -> SuggestionReasons:
        return cls(
            suggestion=Suggestion.of(explained.suggestion),
            state=explained.suggestion.state,
            person_id=explained.suggestion.person_id,
            person_name=explained.person_name,
            second_person_name=explained.second_name,
            needed=explained.needed,
            resembles=[
                SimilarFace(
                    face_instance_id=face.face_id, crop_url=crop_url(face.face_id), similarity=face.similarity
                )
                for face in explained.resembles
            ],
        )


def _evidence(item: dict[str, Any]) -> Evidence:
    return Evidence(
        face_instance_id=item.get("face_instance_id"),
        centroid_id=item.get("centroid_id"),
        similarity=item["similarity"],
    )


class SuggestionGroup(Answer):
    """A person, how many suggestions wait for them, and the best of these."""

    person_id: UUID
    person_name: str = Field(examples=["Ada Lovelace"])
    pending: int = Field(description="Number of pending suggestions for this person.", examples=[4])
    suggestions: list[Suggestion]
    version: str = Field(
        description="Changes with the pending suggestions; send it along to answer all of them at once.",
        examples=["4-9f86d081884c7d65"],
    )

    @classmethod
    def of(cls, group: records.SuggestionGroupRecord) -> SuggestionGroup:
        return cls(
            person_id=group.person_id,
            person_name=group.name,
            pending=group.pending,
            suggestions=[Suggestion.of(suggestion) for suggestion in group.suggestions],
            version=group.version,
        )


class SuggestionGroupPage(Page[SuggestionGroup]):
    """Persons for whom suggestions wait, those with most of them first."""


class SuggestionStats(Answer):
    """How many suggestions there are, by state and by source."""

    by_state: dict[str, int] = Field(examples=[{"pending": 12, "accepted": 40, "rejected": 3}])
    pending_by_source: dict[str, int] = Field(examples=[{"centroid": 9, "prototype": 3}])
    persons_with_pending: int = Field(examples=[5])

    @classmethod
    def of(cls, counts: list[SuggestionCount], persons: int) -> SuggestionStats:
        by_state: dict[str, int] = {}
        for count in counts:
            by_state[count.state] = by_state.get(count.state, 0) + count.suggestions
        pending = {count.source: count.suggestions for count in counts if count.state == "pending"}
        return cls(by_state=by_state, pending_by_source=pending, persons_with_pending=persons)


class PersonForFace(Answer):
    """A person whom a face resembles."""

    person_id: UUID
    person_name: str = Field(examples=["Ada Lovelace"])
    similarity: float = Field(description="To the person's centroid, −1 to 1.", examples=[0.61])
    margin: float | None = Field(
        description="Difference to the similarity of the next person; null without another person.",
        examples=[0.23],
    )


class FaceSuggestions(Answer):
    """Persons whom a face resembles, the most similar first; without those that it was rejected for, and
    those who have another face in the photo."""

    face_id: UUID
    suggestions: list[PersonForFace]

    @classmethod
    def of(cls, face_id: UUID, persons: list[similar.ResembledPerson]) -> FaceSuggestions:
        return cls(
            face_id=face_id,
            suggestions=[
                PersonForFace(
                    person_id=person.person_id,
                    person_name=person.name,
                    similarity=person.similarity,
                    margin=person.margin,
                )
                for person in persons
            ],
        )


class ForPersons(RequestBody):
    """Which persons."""

    person_ids: PersonIds | None = Field(
        default=None, min_length=1, max_length=MAX_PERSONS, description="Ids of persons; null: all persons."
    )


class FindMoreRequest(ForPersons):
    """The persons to look for, and how many suggestions to make."""

    limit: StrictInt = Field(
        default=50, ge=1, le=1_000, description="Largest number of new suggestions for each person."
    )
    min_confidence: StrictFloat | None = Field(
        default=None,
        ge=-1,
        le=1,
        allow_inf_nan=False,
        description="Smallest similarity; null: chosen by engine and number of faces without a name.",
    )


class ExpireRequest(RequestBody):
    """The age from which suggestions are withdrawn."""

    older_than_days: StrictInt = Field(default=30, ge=1, le=36_500, examples=[30])
