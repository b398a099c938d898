"""The facts that each kind of decision sets, and checks that forbid a decision."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from image_search_service.core.decisions import Fact, Key, NameOrigin, named_by
from image_search_service.core.errors import ConflictError, InvalidInputError, NotFoundError
from image_search_service.db.models import ClusterRow, PersonRow
from image_search_service.db.queries import clusters, differences, suggestion_states
from image_search_service.db.queries.decisions import before_decision
from image_search_service.db.queries.differences import Side
from image_search_service.db.session import Session

Facts = dict[Key, Any]


def facts_assigning(
    face_ids: Sequence[uuid.UUID],
    person_id: uuid.UUID,
    origins: Mapping[uuid.UUID, NameOrigin] = MappingProxyType({}),
    *,
    newcomer: bool = False,
) -> Facts:
    """Assign faces to a person; earlier rejections for the person end, and each counts as a face again.

    origins: of faces of which nobody says here whose they are, such as those of a person who is merged.
    newcomer: the person is new, so that nothing was rejected for them.
    """
    facts: Facts = {
        Key(Fact.FACE_PERSON, face): named_by(person_id, origins.get(face, NameOrigin.HERE))
        for face in face_ids
    }
    if not newcomer:
        facts |= {Key(Fact.REJECTED, face, person_id): False for face in face_ids}
    return facts | {Key(Fact.FACE_IS_FACE, face): True for face in face_ids}


def facts_moving(session: Session, face_ids: Sequence[uuid.UUID], person_id: uuid.UUID) -> Facts:
    """Move faces to a person: they are rejected for their former persons, and leave differences with the
    person's other faces."""
    joined = _joined(session, face_ids, lambda side: side.person_id == person_id)
    return (
        facts_assigning(face_ids, person_id) | facts_rejecting_former(session, face_ids, person_id) | joined
    )


def _joined(session: Session, face_ids: Sequence[uuid.UUID], is_there: Callable[[Side], bool]) -> Facts:
    """End the differences between these faces and the faces for which ``is_there`` holds."""
    moved = set(face_ids)
    sides = [
        side for side in differences.sides_with(session, face_ids) if side.face_id in moved or is_there(side)
    ]
    held = {(side.difference_id, side.side) for side in sides}
    return {
        Key(Fact.APART, side.face_id, side.difference_id): None
        for side in sides
        if side.face_id in moved and (side.difference_id, 1 - side.side) in held
    }


def grouped(
    session: Session, face_ids: Sequence[uuid.UUID], target: uuid.UUID, members: Sequence[uuid.UUID]
) -> Facts:
    """Put faces and members into the cluster ``target``: they have no person, are rejected for their former
    persons, and differ from the faces left in the clusters that they come from."""
    moved, member_ids = set(face_ids), set(members)
    facts = facts_unassigning(face_ids) | facts_rejecting_former(session, face_ids, None)
    facts |= {Key(Fact.FACE_IS_FACE, face): True for face in face_ids}
    facts |= {Key(Fact.FACE_GROUP, face): {"group": str(target)} for face in [*face_ids, *members]}
    sources = {cluster.id for cluster in before_decision.clusters_of(session, face_ids)} - {target}
    for faces in clusters.members_of(session, sources).values():
        taken, left = (
            [member for member in faces if member in moved],
            [member for member in faces if member not in moved],
        )
        facts |= facts_separating(taken, left) if left else {}
    return facts | _joined(session, face_ids, lambda member: member.face_id in member_ids)


def facts_separating(first: Sequence[uuid.UUID], second: Sequence[uuid.UUID]) -> Facts:
    """Mark the faces of two groups as of different people."""
    difference = uuid.uuid4()
    return {
        Key(Fact.APART, face, difference): side
        for side, faces in enumerate((first, second))
        for face in faces
    }


def facts_unassigning(face_ids: Sequence[uuid.UUID]) -> Facts:
    return {Key(Fact.FACE_PERSON, face): {"person": None, "by": None} for face in face_ids}


def facts_rejecting_former(session: Session, face_ids: Sequence[uuid.UUID], to: uuid.UUID | None) -> Facts:
    """Reject faces for the persons that they are taken from, except ``to``."""
    former_persons = before_decision.owners(session, face_ids)
    return {Key(Fact.REJECTED, face, person): True for face, person in former_persons.items() if person != to}


def former_clusters(session: Session, face_ids: Sequence[uuid.UUID]) -> dict[str, Any]:
    """Details with the clusters that faces are taken out of, so that undoing can put them back."""
    return {"clusters": cluster_rows(before_decision.clusters_of(session, face_ids))}


def cluster_rows(clusters: Sequence[ClusterRow]) -> dict[str, Any]:
    return {
        str(cluster.id): {
            "confidence": cluster.confidence,
            "representative_face_id": str(cluster.representative_face_id),
        }
        for cluster in clusters
    }


def pending(session: Session, suggestion_ids: Sequence[uuid.UUID]) -> list[tuple[uuid.UUID, uuid.UUID]]:
    """Face and person of each suggestion. Raises NotFoundError, and ConflictError for a decided one."""
    suggestions = before_decision.suggestions(session, suggestion_ids)
    missing = sorted(set(suggestion_ids) - suggestions.keys())
    if missing:
        raise NotFoundError(f"There is no suggestion {missing[0]}.")
    decided = [suggestion for suggestion in suggestions.values() if suggestion.state != "pending"]
    if decided:
        raise ConflictError(f"The suggestion {decided[0].id} is {decided[0].state} already.")
    return [(suggestion.face_instance_id, suggestion.person_id) for suggestion in suggestions.values()]


def rejected_for(session: Session, face_ids: Sequence[uuid.UUID], person_id: uuid.UUID) -> set[uuid.UUID]:
    """Those of a group's faces that a human rejected for the person: naming the group does not name them.

    Raises ConflictError if they are all of them.
    """
    rejected = suggestion_states.rejected_pairs(session, face_ids)
    away = {face for face in face_ids if (face, person_id) in rejected}
    if away and len(away) == len(set(face_ids)):
        raise ConflictError(
            "All faces of the group were rejected for this person.",
            hint="If they are the person after all: image-search give FACE… --to NAME.",
        )
    return away


def refuse_two_persons(pairs: Sequence[tuple[uuid.UUID, uuid.UUID]]) -> None:
    twice = [face for face, number in Counter(face for face, _ in pairs).items() if number > 1]
    if twice:
        raise InvalidInputError(f"The face {twice[0]} cannot be two persons'.", hint="Accept one of them.")


def require(session: Session, person_ids: Sequence[uuid.UUID]) -> None:
    existing: dict[uuid.UUID, PersonRow] = before_decision.person_rows(session, person_ids)
    missing = sorted(set(person_ids) - existing.keys())
    if missing:
        raise NotFoundError(f"There is no person {', '.join(map(str, missing))}.")


def require_face_of(session: Session, face_id: uuid.UUID, person_id: uuid.UUID) -> None:
    require(session, [person_id])
    if before_decision.owners(session, [face_id]).get(face_id) != person_id:
        raise InvalidInputError(f"The face {face_id} is not the person's.", hint="Assign it to them first.")
