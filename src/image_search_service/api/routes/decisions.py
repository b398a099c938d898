"""Decisions: each is an event that is kept, and can be undone at any later time."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, BackgroundTasks, Depends, Path, Query

from image_search_service.api.deps import Actor, Jobs, Opened
from image_search_service.api.errors import problems
from image_search_service.api.pagination import CursorText, Limit, decode_cursor, next_cursor, whole_number
from image_search_service.api.schemas.decisions import (
    AnswerLostFace,
    AnswerSuggestions,
    AssignFaces,
    DecisionResult,
    FaceSelection,
    GroupDecisionResult,
    GroupFaces,
    JoinClusters,
    NameCluster,
    NameClusters,
    NameListResult,
    PersonDecisionResult,
    SetAside,
    SplitFaces,
    SuggestionSelection,
)
from image_search_service.api.schemas.history import (
    ChangedFact,
    ChangePage,
    DecidingActors,
    DecisionDetail,
    DecisionEvent,
    DecisionPage,
)
from image_search_service.api.schemas.person_decisions import (
    CreatePerson,
    CreatePersons,
    DeletePerson,
    HidePerson,
    MarkDifferent,
    MergePersons,
    PinPrototype,
    RenamePerson,
    SetBirthDate,
    SetCoverFace,
    SetNote,
)
from image_search_service.core.errors import InvalidInputError
from image_search_service.core.records.decisions import DecisionFilter
from image_search_service.services.decisions.answers import AnswerService
from image_search_service.services.decisions.history import HistoryService
from image_search_service.services.decisions.lost_faces import LostFaceService
from image_search_service.services.decisions.name_lists import NameListService
from image_search_service.services.decisions.naming import who_of
from image_search_service.services.decisions.service import ReviewService
from image_search_service.services.suggestions.follow_up import SearchesAfterDecision

router = APIRouter(prefix="/decisions", tags=["decisions"], responses=problems(404, 409))


async def _history(library: Opened) -> HistoryService:
    return HistoryService(library.database)


async def _answering(library: Opened, actor: Actor, background: BackgroundTasks) -> AnswerService:
    """As ``_deciding``."""
    background.add_task(library.payload_sender.send_if_it_answers)
    return AnswerService(library.database, actor)


async def _finding(library: Opened, actor: Actor, background: BackgroundTasks) -> LostFaceService:
    """As ``_deciding``."""
    background.add_task(library.payload_sender.send_if_it_answers)
    return LostFaceService(library.database, actor)


async def _deciding(library: Opened, actor: Actor, background: BackgroundTasks) -> ReviewService:
    """SQL has a decision when it is answered; Qdrant is told after that, or when it answers again."""
    background.add_task(library.payload_sender.send_if_it_answers)
    return ReviewService(library.database, actor)


async def _listing(library: Opened, actor: Actor) -> NameListService:
    return NameListService(library.database, actor)


DecisionId = Annotated[int, Path(ge=1, le=2**31 - 1, description="Its number.")]
History = Annotated[HistoryService, Depends(_history)]
Review = Annotated[ReviewService, Depends(_deciding)]
LostFaces = Annotated[LostFaceService, Depends(_finding)]
NameLists = Annotated[NameListService, Depends(_listing)]
Answers = Annotated[AnswerService, Depends(_answering)]


@router.get("")
def list_decisions(
    history: History,
    subject_id: Annotated[UUID | None, Query(description="A face or person that they are about.")] = None,
    actor: Annotated[
        str | None, Query(max_length=128, description="Who decided; `GET /decisions/actors` lists them.")
    ] = None,
    cursor: CursorText = None,
    limit: Limit = 50,
) -> DecisionPage:
    """Decisions, the newest first."""
    after = decode_cursor(cursor, whole_number, whole_number)
    which = DecisionFilter(subject_id, actor)
    events = history.page(after[0] if after else None, limit, which)
    return DecisionPage(
        items=[DecisionEvent.of(event) for event in events],
        next_cursor=next_cursor(events, limit, lambda event: (event.decision.id, 0)),
        total=history.count(which),
    )


@router.get("/actors")
def list_actors(history: History) -> DecidingActors:
    """Everybody who made decisions, those with the most first."""
    return DecidingActors.of(history.actors())


@router.get("/{decision_id}")
def get_decision(
    decision_id: DecisionId, history: History, cursor: CursorText = None, limit: Limit = 50
) -> DecisionDetail:
    """One decision and the facts that it changed, each with its old and new value; `cursor` and `limit` page
    through the facts."""
    after = decode_cursor(cursor, whole_number, whole_number)
    event = history.event(decision_id)
    changes = history.changes(decision_id, after[0] if after else 0, limit)
    page = ChangePage(
        items=[ChangedFact.of(change) for _, change in changes],
        next_cursor=next_cursor(changes, limit, lambda numbered: (numbered[0], 0)),
        total=event.changes,
    )
    return DecisionDetail(decision=DecisionEvent.of(event), changes=page)


@router.post("/{decision_id}/undo")
def undo(
    decision_id: DecisionId,
    review: Review,
    another: Annotated[
        bool, Query(description="Also if somebody else was given a name meanwhile that it brings back.")
    ] = False,
) -> DecisionResult:
    """Undo a decision; 409 names a later decision that changed the same facts, or who has a name now that it
    would bring back. An undo is a decision, too."""
    return DecisionResult.of(review.undo(decision_id, another=another))


@router.post("/name-cluster")
def name_cluster(body: NameCluster, review: Review) -> PersonDecisionResult:
    """Assign all faces of a cluster to the person of this name, who is created if there is none; 409 lists
    those who have the name, unless it is said who is meant."""
    who = who_of(body.same, body.another)
    return PersonDecisionResult.of(
        review.name_cluster(body.cluster_id.hex, body.name, body.based_on_decision, body.version, who=who)
    )


@router.post("/name-clusters")
def name_clusters(body: NameClusters, answers: Answers, jobs: Jobs) -> PersonDecisionResult:
    """Assign all faces of some clusters to one person, except those named in `except_face_ids`: one decision,
    one undo."""
    who = body.name if body.person_id is None else body.person_id
    if who is None or (body.name is not None and body.person_id is not None):
        raise InvalidInputError("Either name or person_id is needed, and not both.")
    searches = SearchesAfterDecision(jobs, body.find_more)
    made = answers.then(searches.submit).name_clusters(
        body.cluster_ids,
        who,
        except_faces=body.except_face_ids,
        versions=body.versions,
        based_on=body.based_on_decision,
        question=body.question_id,
        namesake=who_of(body.same, body.another),
    )
    return PersonDecisionResult.of(made, searches.send())


@router.post("/join-clusters")
def join_clusters(body: JoinClusters, answers: Answers) -> GroupDecisionResult:
    """Join clusters without a name: the largest takes the faces of the others."""
    return GroupDecisionResult.of(
        answers.join_clusters(body.cluster_ids, body.versions, body.based_on_decision)
    )


@router.post("/set-aside")
def set_aside(body: SetAside, answers: Answers) -> DecisionResult:
    """Set clusters or faces of strangers aside: they leave all lists, searches, groupings and suggestions
    until they are named or taken back."""
    made = answers.set_aside(
        body.cluster_ids,
        body.face_ids,
        aside=body.aside,
        versions=body.versions,
        based_on=body.based_on_decision,
    )
    return DecisionResult.of(made)


@router.post("/answer")
def answer(body: AnswerSuggestions, answers: Answers, jobs: Jobs) -> DecisionResult:
    """Accept some suggestions for a person and reject others: one decision, one undo."""
    searches = SearchesAfterDecision(jobs, body.find_more)
    made = answers.then(searches.submit).answer(
        body.person_id,
        body.accept,
        body.reject,
        based_on=body.based_on_decision,
        version=body.version,
        question=body.question_id,
    )
    return DecisionResult.of(made, searches.send())


@router.post("/lost-face")
def answer_lost_face(body: AnswerLostFace, lost: LostFaces) -> DecisionResult:
    """Say which face a lost face is now (`GET /conflicts` lists them), or that it is none."""
    if body.face_id is None:
        return DecisionResult.of(lost.nowhere(body.lost_face_id, body.based_on_decision))
    return DecisionResult.of(lost.found(body.lost_face_id, body.face_id, body.based_on_decision))


@router.post("/delete-person")
def delete_person(body: DeletePerson, review: Review) -> DecisionResult:
    """Delete a person without faces; 409 for a person who has faces."""
    return DecisionResult.of(review.delete_person(body.person_id, body.based_on_decision))


@router.post("/group")
def group_faces(body: GroupFaces, review: Review) -> GroupDecisionResult:
    """Take faces out of their persons or clusters and put them into another cluster or a new one. Jobs leave
    them there."""
    cluster = None if body.cluster_id is None else body.cluster_id.hex
    return GroupDecisionResult.of(
        review.group_faces(body.face_ids, cluster, body.based_on_decision, body.version)
    )


@router.post("/assign")
def assign(body: AssignFaces, review: Review) -> DecisionResult:
    """Assign faces to a person. A face that had another person is rejected for that one."""
    return DecisionResult.of(review.assign_faces(body.face_ids, body.person_id, body.based_on_decision))


@router.post("/split")
def split(body: SplitFaces, review: Review) -> PersonDecisionResult:
    """Take faces out of their persons or clusters and assign them to the person of this name; 409 lists those
    who have it, unless it is said who is meant."""
    who = who_of(body.same, body.another)
    return PersonDecisionResult.of(review.split(body.face_ids, body.name, body.based_on_decision, who=who))


@router.post("/unassign")
def unassign(body: FaceSelection, review: Review) -> DecisionResult:
    """Take faces away from their persons; they are not suggested for these persons again."""
    return DecisionResult.of(review.unassign_faces(body.face_ids, body.based_on_decision))


@router.post("/not-a-face")
def not_a_face(body: FaceSelection, review: Review) -> DecisionResult:
    """Mark faces as no faces."""
    return DecisionResult.of(review.not_a_face(body.face_ids, body.based_on_decision))


@router.post("/accept")
def accept(body: SuggestionSelection, review: Review, jobs: Jobs) -> DecisionResult:
    """Accept suggestions."""
    searches = SearchesAfterDecision(jobs, body.find_more)
    review = review.then(searches.submit)
    if (person_id := _one_way(body)) is not None:
        made = review.accept_all(person_id, body.based_on_decision, body.version)
    else:
        made = review.accept(body.suggestion_ids, body.based_on_decision)
    return DecisionResult.of(made, searches.send())


@router.post("/reject")
def reject(body: SuggestionSelection, review: Review, jobs: Jobs) -> DecisionResult:
    """Reject suggestions; they are not made again."""
    searches = SearchesAfterDecision(jobs, body.find_more)
    review = review.then(searches.submit)
    if (person_id := _one_way(body)) is not None:
        made = review.reject_all(person_id, body.based_on_decision, body.version)
    else:
        made = review.reject(body.suggestion_ids, body.based_on_decision)
    return DecisionResult.of(made, searches.send())


@router.post("/create-person")
def create_person(body: CreatePerson, review: Review) -> PersonDecisionResult:
    """Create a person without faces; 409 lists those who have the name, unless it is said that this is
    another."""
    return PersonDecisionResult.of(review.create_person(body.name, another=body.another))


@router.post("/create-persons")
def create_persons(body: CreatePersons, names: NameLists) -> NameListResult:
    """Create a person without faces for each name of a list: one decision, one undo. Whoever exists already
    is left alone."""
    return NameListResult.of(names.create_persons(body.names))


@router.post("/rename-person")
def rename_person(body: RenamePerson, review: Review) -> DecisionResult:
    """Rename a person; 409 lists those who have the name, unless it is said that this is another."""
    return DecisionResult.of(
        review.rename_person(body.person_id, body.name, body.based_on_decision, another=body.another)
    )


@router.post("/set-note")
def set_note(body: SetNote, review: Review) -> DecisionResult:
    """Set what tells a person from others of the same name; null removes it."""
    return DecisionResult.of(review.set_note(body.person_id, body.note, body.based_on_decision))


@router.post("/hide-person")
def hide_person(body: HidePerson, review: Review) -> DecisionResult:
    """Hide a person from lists, or show them again."""
    return DecisionResult.of(review.set_hidden(body.person_id, body.hidden, body.based_on_decision))


@router.post("/set-birth-date")
def set_birth_date(body: SetBirthDate, review: Review) -> DecisionResult:
    """Set the date of a person's birth; null removes it."""
    return DecisionResult.of(review.set_birth_date(body.person_id, body.birth_date, body.based_on_decision))


@router.post("/set-cover-face")
def set_cover_face(body: SetCoverFace, review: Review) -> DecisionResult:
    """Choose the face that is shown for a person."""
    return DecisionResult.of(review.set_cover_face(body.person_id, body.face_id, body.based_on_decision))


@router.post("/pin-prototype")
def pin_prototype(body: PinPrototype, review: Review) -> DecisionResult:
    """Pin a face as an example of its person that jobs do not replace, or unpin it."""
    made = review.pin_prototype(
        body.person_id, body.face_id, pinned=body.pinned, based_on=body.based_on_decision
    )
    return DecisionResult.of(made)


@router.post("/merge-persons")
def merge_persons(body: MergePersons, review: Review) -> DecisionResult:
    """Merge persons into one; 409 if two of them were marked as different."""
    return DecisionResult.of(review.merge_persons(body.person_ids, body.into, body.based_on_decision))


@router.post("/mark-different")
def mark_different(body: MarkDifferent, review: Review) -> DecisionResult:
    """Mark two persons, two clusters, or a cluster and a person as different people. They are not merged,
    grouped or suggested for each other."""
    persons, groups = body.person_ids, [cluster_id.hex for cluster_id in body.cluster_ids]
    if len(persons) + len(groups) != 2 or (groups and not body.different) or len(body.versions) > len(groups):
        raise InvalidInputError(
            "It takes two persons, two clusters, or one of each.",
            hint="To take back a difference between clusters, undo its decision.",
        )
    if not groups:
        made = review.mark_different(
            persons[0], persons[1], are=body.different, based_on=body.based_on_decision
        )
    elif not persons:
        made = review.mark_clusters_different(groups[0], groups[1], body.based_on_decision, body.versions)
    else:
        version = body.versions[0] if body.versions else None
        made = review.mark_cluster_not_person(groups[0], persons[0], body.based_on_decision, version)
    return DecisionResult.of(made)


def _one_way(body: SuggestionSelection) -> UUID | None:
    if (body.person_id is None) == (not body.suggestion_ids):
        raise InvalidInputError("Either suggestion_ids or person_id is needed, and not both.")
    if body.version is not None and body.person_id is None:
        raise InvalidInputError("A version belongs to person_id: suggestion_ids say what was seen.")
    return body.person_id
