"""Decisions: the bodies of requests, and what is answered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final
from uuid import UUID

from pydantic import Field, StrictBool, StrictInt

from image_search_service.api.schemas.common import Answer, RequestBody
from image_search_service.core.names import LONGEST_NAME
from image_search_service.core.types import SearchMethod
from image_search_service.services.decisions.log import RecordedDecision
from image_search_service.services.decisions.name_lists import NamedList
from image_search_service.services.decisions.naming import NamingDecision
from image_search_service.services.decisions.service import GroupDecision

FaceIds = Annotated[
    list[UUID], Field(min_length=1, max_length=10_000, description="Faces; repeats count once.")
]
Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME, examples=["Ada Lovelace"])]


SAME: Final = (
    "Of a name that somebody has: the person who is meant. Without `same` or `another` the answer is 409, "
    "with all who have it."
)
ANOTHER: Final = "Of a name that somebody has: a new person of the same name is meant."
Same = Annotated[UUID | None, Field(description=SAME, examples=[None])]
Another = Annotated[StrictBool, Field(description=ANOTHER)]


class DecisionBody(RequestBody):
    """The base of the body of every decision."""

    based_on_decision: Annotated[StrictInt, Field(ge=0, le=2**31 - 1)] | None = Field(
        default=None,
        description="The newest decision that was seen, `id` of `GET /decisions`; if what is decided on has "
        "changed since, the answer is 409. Null: whatever has changed.",
        examples=[None],
    )


Version = Annotated[str, Field(max_length=40)] | None
OF_CLUSTER: Final = (
    "The cluster's `version` as it was seen: if it has other faces by now, the answer is 409. Null: no check."
)


class NameCluster(DecisionBody):
    """Assign all faces of a cluster to a person."""

    cluster_id: UUID
    name: Name
    same: Same = None
    another: Another = False
    version: Version = Field(default=None, description=OF_CLUSTER, examples=[None])


ClusterIds = Annotated[list[UUID], Field(max_length=500)]
Versions = Annotated[list[Annotated[str, Field(max_length=40)]], Field(max_length=500)]
OF_CLUSTERS: Final = (
    "The clusters' `version`s as they were seen, in their order: if one has others by now, the answer is "
    "409. Empty: no check."
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
    """Accept some suggestions for one person, and reject others."""

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
    """Assign all faces of some clusters to `person_id`, or to the person with this `name`."""

    cluster_ids: ClusterIds = Field(min_length=1)
    versions: Versions = Field(default=[], description=OF_CLUSTERS, examples=[[]])
    name: Name | None = Field(
        default=None, description="The person's name; the person is created if there is none."
    )
    person_id: UUID | None = Field(default=None, description="Instead of a name.", examples=[None])
    same: Same = None
    another: Another = False
    except_face_ids: list[UUID] = Field(
        default=[],
        max_length=10_000,
        description="Faces of somebody else: several become a cluster of their own, one alone is left to the "
        "next grouping.",
        examples=[[]],
    )
    question_id: QuestionId = None
    find_more: FindMore = SearchMethod.MULTI_PROTOTYPE


class AnswerLostFace(DecisionBody):
    """Say which face a lost face is now, or that it is none."""

    lost_face_id: UUID = Field(description="The first of `face_ids` of the conflict `lost_face`.")
    face_id: UUID | None = Field(
        default=None, description="The face that it is now; null if it is none.", examples=[None]
    )


class JoinClusters(DecisionBody):
    """Join clusters; no job splits them again."""

    cluster_ids: ClusterIds = Field(min_length=2)
    versions: Versions = Field(default=[], description=OF_CLUSTERS, examples=[[]])


class SetAside(DecisionBody):
    """Set faces aside whose persons do not matter."""

    cluster_ids: ClusterIds = Field(default=[])
    versions: Versions = Field(default=[], description=OF_CLUSTERS, examples=[[]])
    face_ids: list[UUID] = Field(default=[], max_length=10_000, examples=[[]])
    aside: StrictBool = Field(
        default=True, description="False: take it back, so that they are asked about again."
    )


class GroupFaces(DecisionBody):
    """Take faces out of their persons and clusters, and put them into another cluster or a new one."""

    face_ids: FaceIds
    cluster_id: UUID | None = Field(
        default=None, description="The cluster to put them into; null: a new one.", examples=[None]
    )
    version: Version = Field(default=None, description=OF_CLUSTER, examples=[None])


class AssignFaces(DecisionBody):
    """Assign faces to a person, whomever they are assigned to now."""

    face_ids: FaceIds
    person_id: UUID


class SplitFaces(DecisionBody):
    """Take faces out of their person or cluster, for the person of this name, who is created if there is
    none."""

    face_ids: FaceIds
    name: Name
    same: Same = None
    another: Another = False


class FaceSelection(DecisionBody):
    """The faces that the decision is about."""

    face_ids: FaceIds


class SuggestionSelection(DecisionBody):
    """The suggestions that the decision is about: those listed, or all pending ones of a person."""

    suggestion_ids: list[UUID] = Field(default=[], max_length=10_000)
    person_id: UUID | None = Field(
        default=None, description="Instead of ids: all pending suggestions for this person."
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


class DecisionResult(Answer):
    """A recorded decision."""

    decision_id: int | None = Field(
        description="The decision's number, to undo it; null: nothing had to be changed.", examples=[17]
    )
    changes: int = Field(description="Number of facts that changed.", examples=[12])
    faces: int = Field(description="Number of faces that changed.", examples=[12])
    job_ids: list[UUID] = Field(default=[], description="Jobs that look for more faces, if asked for.")

    @classmethod
    def of(cls, made: RecordedDecision, job_ids: Sequence[UUID] = ()) -> DecisionResult:
        return cls(decision_id=made.id, changes=made.changes, faces=made.faces, job_ids=list(job_ids))


class PersonDecisionResult(Answer):
    """A recorded decision that assigned faces to a person by name."""

    decision_id: int | None = Field(examples=[17])
    person_id: UUID
    name: str = Field(examples=["Ada Lovelace"])
    created: bool = Field(description="Whether the person is new.")
    faces: int = Field(description="Number of faces that were assigned to the person.", examples=[12])
    faces_kept_away: int = Field(
        default=0,
        description="Number of faces left without the name, since they were rejected for the person.",
        examples=[0],
    )
    job_ids: list[UUID] = Field(default=[], description="Jobs that look for more of their faces.")

    @classmethod
    def of(cls, named: NamingDecision, job_ids: Sequence[UUID] = ()) -> PersonDecisionResult:
        return cls(
            decision_id=named.decision,
            person_id=named.person_id,
            name=named.name,
            created=named.created,
            faces=named.faces,
            faces_kept_away=named.kept_away,
            job_ids=list(job_ids),
        )


class ListedPersonResult(Answer):
    """A person whom a name of a list means."""

    person_id: UUID
    name: str = Field(description="As the person is called.", examples=["Ada Lovelace"])
    created: bool = Field(description="Whether the person is new.")


class RefusedNameResult(Answer):
    """A name of a list that nobody can have."""

    name: str
    reason: str


class NameListResult(Answer):
    """A recorded decision that created the persons of a list."""

    decision_id: int | None = Field(
        description="The decision's number, to undo it; null: nobody is new.", examples=[17]
    )
    persons: list[ListedPersonResult] = Field(description="In the list's order, each once.")
    refused: list[RefusedNameResult] = Field(
        description="Names that cannot be, each with the reason; they do not stop the others."
    )

    @classmethod
    def of(cls, made: NamedList) -> NameListResult:
        return cls(
            decision_id=made.decision,
            persons=[
                ListedPersonResult(person_id=person.id, name=person.name, created=person.created)
                for person in made.persons
            ],
            refused=[RefusedNameResult(name=each.name, reason=each.reason) for each in made.refused],
        )


class GroupDecisionResult(Answer):
    """A recorded decision that put faces together."""

    decision_id: int | None = Field(examples=[17])
    cluster_id: UUID = Field(description="The cluster that the faces are in.")
    faces: int = Field(description="Number of faces that were put together.", examples=[12])

    @classmethod
    def of(cls, made: GroupDecision) -> GroupDecisionResult:
        return cls(decision_id=made.decision, cluster_id=made.cluster_id, faces=made.faces)
