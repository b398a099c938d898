"""Records decisions about faces and persons. Each decision is an event that can be undone."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from image_search_service.core.decisions import Fact, Key
from image_search_service.core.errors import InvalidInputError, NotFoundError
from image_search_service.db.queries import clusters
from image_search_service.db.queries.decisions import before_decision
from image_search_service.db.session import Session
from image_search_service.services.decisions.facts import (
    Facts,
    cluster_rows,
    facts_assigning,
    facts_moving,
    facts_rejecting_former,
    facts_separating,
    facts_unassigning,
    former_clusters,
    grouped,
    pending,
    refuse_two_persons,
    rejected_for,
    require,
)
from image_search_service.services.decisions.log import RecordedDecision, undo
from image_search_service.services.decisions.naming import (
    Namesake,
    NamingDecision,
    Who,
    named_person,
    refuse_taken_names,
)
from image_search_service.services.decisions.persons import PersonDecisionService
from image_search_service.services.people.lookup import find_cluster
from image_search_service.services.people.versions import refuse_changed


@dataclass(frozen=True, slots=True)
class GroupDecision:
    """The result of grouping faces by hand. cluster_id: the cluster that they are in."""

    cluster_id: uuid.UUID
    faces: int
    decision: int | None


class ReviewService(PersonDecisionService):
    """Records decisions of ``actor``, whose name is stored with each.

    ``decision`` or ``id`` of a result is the decision's number, None if it changed nothing.
    who: who is meant by a name that somebody has already.

    Every method raises NotFoundError for an unknown id or name, and ConflictError when one of the facts has
    changed since ``based_on``, the last decision seen, or when ``version`` (``services/people/versions.py``)
    is not the present one of the cluster or suggestions.
    """

    # Faces

    def name_cluster(
        self,
        cluster: str,
        name: str,
        based_on: int | None = None,
        version: str | None = None,
        *,
        who: Who = Namesake.ASK,
    ) -> NamingDecision:
        """Assign all faces of a cluster to a person, who is created if the name is new; faces that were
        rejected for the person stay where they are.

        cluster: its id, or the first characters of it. Raises InvalidInputError, NameTakenError, and
        ConflictError if all of its faces were rejected for the person.
        """
        with self._deciding() as session:
            row = find_cluster(session, cluster)
            members = clusters.faces_of_cluster(session, row.id)
            refuse_changed(f"The group {row.id}", version, members)
            person_id, name, facts = named_person(session, name, who)
            created = bool(facts)
            away = set() if created else rejected_for(session, members, person_id)
            named = [face for face in members if face not in away]
            details = {"cluster": str(row.id), "clusters": cluster_rows([row])}
            facts |= facts_assigning(named, person_id, newcomer=created)
            made = self._decide(session, "name_cluster", facts, based_on, details)
            return NamingDecision(person_id, name, len(named), created, made.id, len(away))

    def assign_faces(
        self, face_ids: Sequence[uuid.UUID], person_id: uuid.UUID, based_on: int | None = None
    ) -> RecordedDecision:
        """Assign faces to a person, wherever they are now; they are rejected for their former persons."""
        with self._deciding() as session:
            require(session, [person_id])
            facts = facts_moving(session, face_ids, person_id)
            return self._decide(session, "assign", facts, based_on, former_clusters(session, face_ids))

    def split(
        self,
        face_ids: Sequence[uuid.UUID],
        name: str,
        based_on: int | None = None,
        *,
        who: Who = Namesake.ASK,
    ) -> NamingDecision:
        """Move faces out of a person or cluster to the person of this name, who is created if the name is
        new. Raises NameTakenError."""
        with self._deciding() as session:
            person_id, name, facts = named_person(session, name, who)
            facts |= facts_moving(session, face_ids, person_id)
            made = self._decide(session, "split", facts, based_on, former_clusters(session, face_ids))
            created = Key(Fact.PERSON_NAME, person_id) in facts
            return NamingDecision(person_id, name, len(set(face_ids)), created, made.id)

    def group_faces(
        self,
        face_ids: Sequence[uuid.UUID],
        cluster: str | None = None,
        based_on: int | None = None,
        version: str | None = None,
    ) -> GroupDecision:
        """Move faces out of their persons and clusters into another cluster, or into a new one.

        No job moves them, or the cluster's other faces, out of it again, or joins it with the clusters that
        they come from. cluster: as above; None for a new one.
        """
        with self._deciding() as session:
            target = uuid.uuid4() if cluster is None else find_cluster(session, cluster).id
            members = clusters.faces_of_cluster(session, target)
            refuse_changed(f"The group {target}", version, members)
            facts = grouped(session, face_ids, target, members)
            details = former_clusters(session, face_ids) | {"cluster": str(target)}
            made = self._decide(session, "group_faces", facts, based_on, details)
            return GroupDecision(target, len({*face_ids, *members}), made.id)

    def unassign_faces(self, face_ids: Sequence[uuid.UUID], based_on: int | None = None) -> RecordedDecision:
        """Take faces away from their persons and reject them for these."""
        with self._deciding() as session:
            facts = facts_unassigning(face_ids) | facts_rejecting_former(session, face_ids, None)
            return self._decide(session, "unassign", facts, based_on)

    def not_a_face(self, face_ids: Sequence[uuid.UUID], based_on: int | None = None) -> RecordedDecision:
        """Mark as not a face: they lose their persons and are not shown."""
        facts = facts_unassigning(face_ids) | {Key(Fact.FACE_IS_FACE, face): False for face in face_ids}
        with self._deciding() as session:
            return self._decide(session, "not_a_face", facts, based_on, former_clusters(session, face_ids))

    # Suggestions

    def accept(self, suggestion_ids: Sequence[uuid.UUID], based_on: int | None = None) -> RecordedDecision:
        """Assign the faces to the persons they are suggested for. Raises ConflictError for a decided
        suggestion."""
        with self._deciding() as session:
            return self._accept(session, suggestion_ids, based_on)

    def reject(self, suggestion_ids: Sequence[uuid.UUID], based_on: int | None = None) -> RecordedDecision:
        """Reject the suggestions for good. Raises ConflictError for a decided one."""
        with self._deciding() as session:
            return self._reject(session, suggestion_ids, based_on)

    def accept_all(
        self, person_id: uuid.UUID, based_on: int | None = None, version: str | None = None
    ) -> RecordedDecision:
        """Accept all pending suggestions for a person."""
        with self._deciding() as session:
            return self._accept(session, _waiting(session, person_id, version), based_on)

    def reject_all(
        self, person_id: uuid.UUID, based_on: int | None = None, version: str | None = None
    ) -> RecordedDecision:
        """Reject all pending suggestions for a person."""
        with self._deciding() as session:
            return self._reject(session, _waiting(session, person_id, version), based_on)

    def waiting_for(self, person_id: uuid.UUID, face_ids: Sequence[uuid.UUID]) -> list[uuid.UUID]:
        """The suggestions of these faces for a person. Raises NotFoundError for a face without a pending
        one."""
        with self._database.read() as session:
            waiting = before_decision.pending_by_face(session, person_id)
        missing = [face for face in face_ids if face not in waiting]
        if missing:
            raise NotFoundError(f"The face {missing[0]} is not suggested for the person {person_id}.")
        return [waiting[face] for face in face_ids]

    def _accept(
        self, session: Session, suggestion_ids: Sequence[uuid.UUID], based_on: int | None
    ) -> RecordedDecision:
        pairs = pending(session, suggestion_ids)
        refuse_two_persons(pairs)
        require(session, [person for _, person in pairs])
        facts: Facts = {}
        for face, person in pairs:
            facts |= facts_assigning([face], person)
        taken = former_clusters(session, [face for face, _ in pairs])
        return self._decide(session, "accept", facts, based_on, taken)

    def _reject(
        self, session: Session, suggestion_ids: Sequence[uuid.UUID], based_on: int | None
    ) -> RecordedDecision:
        pairs = pending(session, suggestion_ids)
        facts = {Key(Fact.REJECTED, face, person): True for face, person in pairs}
        return self._decide(session, "reject", facts, based_on)

    # Groups

    def mark_clusters_different(
        self, a: str, b: str, based_on: int | None = None, versions: Sequence[str] = ()
    ) -> RecordedDecision:
        """Mark the faces of two clusters as of different people: no job puts faces of both together.

        ``a``, ``b``: ids, or the first characters of them; versions: of the two clusters, if any. It holds
        for the faces that are in them now, whatever happens to the clusters, until it is undone.
        """
        with self._deciding() as session:
            first, second = find_cluster(session, a), find_cluster(session, b)
            if first.id == second.id:
                raise InvalidInputError("A group is not different from itself.", hint="Split it instead.")
            members_of_both = [clusters.faces_of_cluster(session, row.id) for row in (first, second)]
            for cluster, members, version in zip((first, second), members_of_both, versions, strict=False):
                refuse_changed(f"The group {cluster.id}", version, members)
            details = {"different": [str(first.id), str(second.id)]}
            return self._decide(
                session, "mark_different", facts_separating(*members_of_both), based_on, details
            )

    def mark_cluster_not_person(
        self,
        cluster: str,
        person_id: uuid.UUID,
        based_on: int | None = None,
        version: str | None = None,
    ) -> RecordedDecision:
        """Reject all faces of a cluster for a person."""
        with self._deciding() as session:
            require(session, [person_id])
            row = find_cluster(session, cluster)
            members = clusters.faces_of_cluster(session, row.id)
            refuse_changed(f"The group {row.id}", version, members)
            facts = {Key(Fact.REJECTED, face, person_id): True for face in members}
            return self._decide(session, "mark_different", facts, based_on, {"different": [str(row.id)]})

    # Taking back

    def undo(self, decision_id: int, *, another: bool = False) -> RecordedDecision:
        """Undo a decision; see ``log.undo``.

        Raises NameTakenError if somebody else has got a name since that it would bring back, unless they are
        another of that name.
        """
        with self._deciding() as session:
            check = None if another else refuse_taken_names
            return undo(session, decision_id, self._actor, check)


def _waiting(session: Session, person_id: uuid.UUID, version: str | None) -> list[uuid.UUID]:
    """The pending suggestions for a person. Raises StaleVersionError."""
    require(session, [person_id])
    waiting = list(before_decision.pending_by_face(session, person_id).values())
    refuse_changed(f"What is suggested for the person {person_id}", version, waiting)
    return waiting
