"""Decisions: what somebody says of faces and persons, and what has been said."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import BeforeValidator, Field, StrictBool

from image_search_service.api.schemas.common import Answer, Page, RequestBody
from image_search_service.core.decisions import Change, Fact
from image_search_service.core.types import SearchMethod
from image_search_service.services.decisions.history import ListedDecision
from image_search_service.services.decisions.log import RecordedDecision
from image_search_service.services.decisions.service import GroupDecision, NamingDecision

FaceIds = Annotated[
    list[UUID], Field(min_length=1, max_length=10_000, description="Faces; repeats count once.")
]
Name = Annotated[str, Field(min_length=1, max_length=200, examples=["Ada Lovelace"])]


class DecisionBody(RequestBody):
    """The base of everything that is decided."""

    based_on_decision: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = Field(
        default=None,
        description="The newest decision that was seen, `id` of `GET /decisions`; if what is decided on has "
        "changed since, the answer is 409. Null: whatever has changed.",
        examples=[None],
    )


Version = Annotated[str, Field(max_length=40)] | None
OF_CLUSTER: Final = (
    "The cluster's `version` as it was seen: if it has other faces by now, the answer is 409. Null: "
    "whatever faces it has."
)


class NameCluster(DecisionBody):
    """All faces of a cluster are somebody's."""

    cluster_id: UUID
    name: Name
    version: Version = Field(default=None, description=OF_CLUSTER, examples=[None])


ClusterIds = Annotated[list[UUID], Field(max_length=500)]
Versions = Annotated[list[Annotated[str, Field(max_length=40)]], Field(max_length=500)]
OF_CLUSTERS: Final = (
    "The clusters' `version`s as they were seen, in their order: if one has others by now, the answer is "
    "409. Empty: whatever faces they have."
)
QuestionId = Annotated[
    str | None,
    Field(
        max_length=400,
        description="The `id` of the question of `GET /review/next` that this answers: what is kept of it "
        "makes later questions better.",
        examples=[None],
    ),
]
FindMore = Annotated[
    SearchMethod | None,
    Field(
        description="Then look for more faces of these persons, as jobs; null: do not.", examples=["centroid"]
    ),
]


class AnswerSuggestions(DecisionBody):
    """Of suggestions for one person some are right, and others are wrong for good."""

    person_id: UUID
    accept: list[UUID] = Field(default=[], max_length=10_000, description="Suggestions that are right.")
    reject: list[UUID] = Field(default=[], max_length=10_000, description="Suggestions that are wrong.")
    version: Version = Field(
        default=None,
        description="The `version` of all that waits for the person as it was seen; if something else waits "
        "by now, the answer is 409. Null: whatever waits.",
        examples=[None],
    )
    question_id: QuestionId = None
    find_more: FindMore = SearchMethod.MULTI_PROTOTYPE


class NameClusters(DecisionBody):
    """All faces of some clusters are one person's: of `person_id`, or of whoever has this `name`."""

    cluster_ids: ClusterIds = Field(min_length=1)
    versions: Versions = Field(default=[], description=OF_CLUSTERS, examples=[[]])
    name: Name | None = Field(default=None, description="Who is made if nobody has this name.")
    person_id: UUID | None = Field(default=None, description="Instead of a name.", examples=[None])
    except_face_ids: list[UUID] = Field(
        default=[],
        max_length=10_000,
        description="Faces of somebody else: several become a cluster of their own, one alone is left to the "
        "next grouping.",
        examples=[[]],
    )
    question_id: QuestionId = None
    find_more: FindMore = SearchMethod.MULTI_PROTOTYPE


class JoinClusters(DecisionBody):
    """Clusters are one, and no job takes it apart again."""

    cluster_ids: ClusterIds = Field(min_length=2)
    versions: Versions = Field(default=[], description=OF_CLUSTERS, examples=[[]])


class SetAside(DecisionBody):
    """Nobody needs to know whose these faces are."""

    cluster_ids: ClusterIds = Field(default=[])
    versions: Versions = Field(default=[], description=OF_CLUSTERS, examples=[[]])
    face_ids: list[UUID] = Field(default=[], max_length=10_000, examples=[[]])
    aside: StrictBool = Field(default=True, description="False: they are asked about again.")


class DeletePerson(DecisionBody):
    """Somebody without a face."""

    person_id: UUID


class GroupFaces(DecisionBody):
    """Faces are taken out of their persons and clusters, into another cluster or a new one."""

    face_ids: FaceIds
    cluster_id: UUID | None = Field(default=None, description="Null: a new one.", examples=[None])
    version: Version = Field(default=None, description=OF_CLUSTER, examples=[None])


class AssignFaces(DecisionBody):
    """Faces are a person's, whosever they are now."""

    face_ids: FaceIds
    person_id: UUID


class SplitFaces(DecisionBody):
    """Faces are taken out of their person or cluster, for somebody of this name, who is made if need be."""

    face_ids: FaceIds
    name: Name


class FaceSelection(DecisionBody):
    """Something is said of these faces."""

    face_ids: FaceIds


class SuggestionSelection(DecisionBody):
    """Something is said of suggestions: of these, or of all that wait for a person."""

    suggestion_ids: list[UUID] = Field(default=[], max_length=10_000)
    person_id: UUID | None = Field(
        default=None, description="Instead of ids: everything that waits for them."
    )
    version: Version = Field(
        default=None,
        description="With `person_id`: the `version` of what waits for them as it was seen; if something "
        "else waits by now, the answer is 409. Null: whatever waits.",
        examples=[None],
    )
    find_more: SearchMethod | None = Field(
        default=None,
        description="Then look for more faces of these persons, as jobs; null: do not.",
        examples=[None],
    )


class CreatePerson(RequestBody):
    """Somebody of whom no face is known yet."""

    name: Name


class RenamePerson(DecisionBody):
    person_id: UUID
    name: Name


class HidePerson(DecisionBody):
    person_id: UUID
    hidden: StrictBool


def _written_out(value: object) -> object:
    """Pydantic would take a number for days; the documentation promises text."""
    if value is not None and not isinstance(value, str):
        raise ValueError("a date is text such as 1815-12-10")
    return value


class SetBirthDate(DecisionBody):
    person_id: UUID
    birth_date: Annotated[date | None, BeforeValidator(_written_out)] = Field(examples=["1815-12-10"])


class SetCoverFace(DecisionBody):
    """The face to show for a person; it has to be theirs."""

    person_id: UUID
    face_id: UUID


class PinPrototype(DecisionBody):
    """Whether the face stands for the person in searches, whatever jobs would choose."""

    person_id: UUID
    face_id: UUID
    pinned: StrictBool = True


class MergePersons(DecisionBody):
    """These persons are one."""

    person_ids: list[UUID] = Field(min_length=1, max_length=500)
    into: UUID = Field(description="Who stays.")


class MarkDifferent(DecisionBody):
    """Two persons, two clusters, or a person and a cluster: two in all."""

    person_ids: list[UUID] = Field(default=[], max_length=2)
    cluster_ids: list[UUID] = Field(default=[], max_length=2, examples=[[]])
    versions: list[Annotated[str, Field(max_length=40)]] = Field(
        default=[],
        max_length=2,
        description="The clusters' `version`s as they were seen, in their order: if one has other faces by "
        "now, the answer is 409. Empty: whatever faces they have.",
        examples=[[]],
    )
    different: StrictBool = Field(
        default=True, description="False takes it back, of persons; of clusters, undo the decision instead."
    )


class DecisionResult(Answer):
    """A decision that was made."""

    decision_id: int | None = Field(
        description="Its number, to undo it with; null: everything was so already.", examples=[17]
    )
    changes: int = Field(description="Facts that it changed.", examples=[12])
    faces: int = Field(description="Faces that it changed.", examples=[12])
    job_ids: list[UUID] = Field(default=[], description="Jobs that look for more faces, if asked for.")

    @classmethod
    def of(cls, made: RecordedDecision, job_ids: Sequence[UUID] = ()) -> DecisionResult:
        return cls(decision_id=made.id, changes=made.changes, faces=made.faces, job_ids=list(job_ids))


class PersonDecisionResult(Answer):
    """A decision that named somebody."""

    decision_id: int | None = Field(examples=[17])
    person_id: UUID
    name: str = Field(examples=["Ada Lovelace"])
    created: bool = Field(description="Whether the person is new.")
    faces: int = Field(description="Faces that were given to them.", examples=[12])
    job_ids: list[UUID] = Field(default=[], description="Jobs that look for more of their faces.")

    @classmethod
    def of(cls, named: NamingDecision, job_ids: Sequence[UUID] = ()) -> PersonDecisionResult:
        return cls(
            decision_id=named.decision,
            person_id=named.person_id,
            name=named.name,
            created=named.created,
            faces=named.faces,
            job_ids=list(job_ids),
        )


class GroupDecisionResult(Answer):
    """A decision that put faces together."""

    decision_id: int | None = Field(examples=[17])
    cluster_id: UUID = Field(description="The cluster that they are in.")
    faces: int = Field(description="Faces that stay together in it.", examples=[12])

    @classmethod
    def of(cls, made: GroupDecision) -> GroupDecisionResult:
        return cls(decision_id=made.decision, cluster_id=made.cluster_id, faces=made.faces)


class PersonReference(Answer):
    """A person that a decision is about."""

    id: UUID
    name: str = Field(examples=["Ada Lovelace"])


class DecisionEvent(Answer):
    """Something that was decided."""

    id: int = Field(examples=[17])
    kind: str = Field(examples=["name_cluster"])
    actor: str = Field(description="Who decided.", examples=["ada"])
    at: datetime
    undoes: int | None = Field(description="The decision that this one takes back.", examples=[None])
    changes: int = Field(description="Facts that it changed.", examples=[12])
    faces: int = Field(description="Faces that these facts are of.", examples=[12])
    persons: list[PersonReference] = Field(
        description="Whom it is about, at most ten of them, by today's names."
    )
    details: dict[str, Any] = Field(description="What it was about besides.")

    @classmethod
    def of(cls, event: ListedDecision) -> DecisionEvent:
        decision = event.decision
        return cls(
            id=decision.id,
            kind=decision.kind,
            actor=decision.actor,
            at=decision.at,
            undoes=decision.undoes,
            changes=event.changes,
            faces=event.faces,
            persons=[PersonReference(id=person, name=name) for person, name in event.persons.items()],
            details=decision.details,
        )


class DecisionPage(Page[DecisionEvent]):
    """Decisions, the newest first."""


class ChangedFact(Answer):
    """One fact that a decision changed."""

    fact: Fact = Field(examples=["face_person"])
    subject_id: UUID = Field(description="The face or person that it is of.")
    other_id: UUID | None = Field(
        description="Of facts about two: the person, or the difference between two groups."
    )
    old: Any = Field(description="What it was before; null: nobody had said anything.")
    new: Any = Field(description="What it was then.")

    @classmethod
    def of(cls, change: Change) -> ChangedFact:
        key = change.key
        return cls(fact=key.fact, subject_id=key.id, other_id=key.other, old=change.old, new=change.new)


class ChangePage(Page[ChangedFact]):
    """What a decision changed, in its order."""


class DecisionDetail(Answer):
    """A decision and some of what it changed."""

    decision: DecisionEvent
    changes: ChangePage
