"""Records decisions about faces and persons. Each decision is an event that can be undone."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from image_search_service.core.decisions import Fact, Key, different
from image_search_service.core.errors import ConflictError, InvalidInputError, NotFoundError
from image_search_service.core.names import clean_name
from image_search_service.db.queries import clusters
from image_search_service.db.queries.decisions import before_decision
from image_search_service.db.session import Session
from image_search_service.services.decisions.base import DecisionService
from image_search_service.services.decisions.facts import (
    Facts,
    cluster_rows,
    facts_assigning,
    facts_moving,
    facts_rejecting_former,
    facts_separating,
    facts_unassigning,
    find_or_create_person,
    former_clusters,
    grouped,
    pending,
    refuse_two_persons,
    rejected_for,
    require,
    require_face_of,
    require_free_name,
)
from image_search_service.services.decisions.log import DecisionDraft, RecordedDecision, decide, undo
from image_search_service.services.people.lookup import find_cluster
from image_search_service.services.people.versions import refuse_changed


@dataclass(frozen=True, slots=True)
class NamingDecision:
    """The result of naming. created: whether the person is new. decision: its number, for undo. kept_away:
    faces of the group that stay without this name, since they were rejected for the person."""

    person_id: uuid.UUID
    name: str
    faces: int
    created: bool
    decision: int | None
    kept_away: int = 0


@dataclass(frozen=True, slots=True)
class GroupDecision:
    """The result of grouping faces by hand. cluster_id: the cluster that they are in."""

    cluster_id: uuid.UUID
    faces: int
    decision: int | None


class ReviewService(DecisionService):
    """Records decisions.

    Every method raises NotFoundError for an unknown id or name, and ConflictError when one of the facts has
    changed since ``based_on``, the last decision seen, or when ``version`` (``services/people/versions.py``)
    is not the present one of the cluster or suggestions.
    """

    # Faces

    def name_cluster(
        self, cluster: str, name: str, based_on: int | None = None, version: str | None = None
    ) -> NamingDecision:
        """Assign all faces of a cluster to a person, who is created if the name is new; faces that were
        rejected for the person stay where they are.

        cluster: its id, or the first characters of it. Raises InvalidInputError, and ConflictError if all of
        its faces were rejected for the person.
        """
        shown, _ = clean_name(name)
        with self._deciding() as session:
            row = find_cluster(session, cluster)
            members = clusters.faces_of_cluster(session, row.id)
            refuse_changed(f"The group {row.id}", version, members)
            person_id, name, facts = find_or_create_person(session, shown)
            away = rejected_for(session, members, person_id)
            named = [face for face in members if face not in away]
            details = {"cluster": str(row.id), "clusters": cluster_rows([row])}
            made = decide(
                session,
                DecisionDraft(
                    "name_cluster",
                    self._actor,
                    facts | facts_assigning(named, person_id),
                    based_on,
                    details,
                ),
            )
            return NamingDecision(person_id, name, len(named), bool(facts), made.id, len(away))

    def assign_faces(
        self, face_ids: Sequence[uuid.UUID], person_id: uuid.UUID, based_on: int | None = None
    ) -> RecordedDecision:
        """Assign faces to a person, wherever they are now; they are rejected for their former persons."""
        with self._deciding() as session:
            require(session, [person_id])
            facts = facts_moving(session, face_ids, person_id)
            return self._decide(session, "assign", facts, based_on, former_clusters(session, face_ids))

    def split(self, face_ids: Sequence[uuid.UUID], name: str, based_on: int | None = None) -> NamingDecision:
        """Move faces out of a person or cluster to the person of this name, who is created if the name is
        new."""
        shown, _ = clean_name(name)
        with self._deciding() as session:
            person_id, name, facts = find_or_create_person(session, shown)
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

    # Persons

    def create_person(self, name: str) -> NamingDecision:
        """Create a person without faces. Raises ConflictError if the name is taken."""
        shown, key = clean_name(name)
        with self._deciding() as session:
            require_free_name(session, key)
            person_id, name, facts = find_or_create_person(session, shown)
            made = self._decide(session, "create_person", facts, None)
            return NamingDecision(person_id, name, 0, True, made.id)

    def delete_person(self, person_id: uuid.UUID, based_on: int | None = None) -> RecordedDecision:
        """Delete a person without faces.

        Raises ConflictError for a person with faces; faces of replaced photos do not count.
        """
        with self._deciding() as session:
            require(session, [person_id])
            shown, replaced = before_decision.faces_shown_and_replaced(session, person_id)
            if shown:
                raise ConflictError(
                    f"The person {person_id} has {shown} faces.", hint="Unassign them first, or merge."
                )
            facts = facts_unassigning(replaced)
            facts |= {Key(Fact.PERSON_NAME, person_id): None, Key(Fact.PERSON_GONE, person_id): True}
            return self._decide(session, "delete_person", facts, based_on)

    def rename_person(self, person_id: uuid.UUID, name: str, based_on: int | None = None) -> RecordedDecision:
        """Rename a person. Raises ConflictError if the name is taken; use ``merge_persons`` to join two."""
        shown, key = clean_name(name)
        with self._deciding() as session:
            require(session, [person_id])
            require_free_name(session, key, person_id=person_id)
            return self._decide(session, "rename_person", {Key(Fact.PERSON_NAME, person_id): shown}, based_on)

    def set_hidden(self, person_id: uuid.UUID, hidden: bool, based_on: int | None = None) -> RecordedDecision:
        """Whether a person is left out of lists."""
        kind = "hide_person" if hidden else "unhide_person"
        return self._about_person(kind, Key(Fact.PERSON_HIDDEN, person_id), hidden, based_on)

    def set_birth_date(
        self, person_id: uuid.UUID, born: date | None, based_on: int | None = None
    ) -> RecordedDecision:
        value = None if born is None else born.isoformat()
        return self._about_person("set_birth_date", Key(Fact.PERSON_BIRTH, person_id), value, based_on)

    def set_cover_face(
        self, person_id: uuid.UUID, face_id: uuid.UUID, based_on: int | None = None
    ) -> RecordedDecision:
        """Choose the face that is shown for a person. Raises InvalidInputError for a face that is not
        theirs."""
        with self._deciding() as session:
            require_face_of(session, face_id, person_id)
            facts = {Key(Fact.PERSON_COVER, person_id): str(face_id)}
            return self._decide(session, "set_cover_face", facts, based_on)

    def pin_prototype(
        self,
        person_id: uuid.UUID,
        face_id: uuid.UUID,
        pinned: bool = True,
        based_on: int | None = None,
    ) -> RecordedDecision:
        """Pin a face as a prototype of the person, which jobs keep, or unpin it. Raises InvalidInputError as
        above."""
        with self._deciding() as session:
            require_face_of(session, face_id, person_id)
            facts = {Key(Fact.PINNED, face_id, person_id): pinned}
            return self._decide(session, "pin_prototype" if pinned else "unpin_prototype", facts, based_on)

    def merge_persons(
        self, person_ids: Sequence[uuid.UUID], into: uuid.UUID, based_on: int | None = None
    ) -> RecordedDecision:
        """Merge persons: their faces, rejections and pins become those of ``into``.

        Raises ConflictError for two who were marked as different.
        """
        others = sorted(set(person_ids) - {into})
        if not others:
            raise InvalidInputError("Merging takes at least one person besides the one that stays.")
        with self._deciding() as session:
            require(session, [into, *others])
            known = before_decision.statements_about(session, [into, *others])
            if known.different_among:
                raise ConflictError(
                    "These were said to be different persons.", hint="Undo that decision first."
                )
            facts = facts_assigning(known.faces_of(others), into, known.origins)
            facts |= {Key(Fact.PERSON_GONE, person): str(into) for person in others}
            facts |= {Key(Fact.REJECTED, face, into): True for face in known.rejected_for(others)}
            facts |= {Key(Fact.PINNED, face, into): True for face in known.pinned_for(others)}
            facts |= {different(into, person): True for person in known.different_from(others)}
            return self._decide(session, "merge_persons", facts, based_on)

    def mark_different(
        self, a: uuid.UUID, b: uuid.UUID, are: bool = True, based_on: int | None = None
    ) -> RecordedDecision:
        """Mark two persons as different, so that they cannot be merged."""
        if a == b:
            raise InvalidInputError("Nobody is different from themselves.")
        with self._deciding() as session:
            require(session, [a, b])
            kind = "mark_different" if are else "unmark_different"
            return self._decide(session, kind, {different(a, b): are}, based_on)

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

    def undo(self, decision_id: int) -> RecordedDecision:
        """Undo a decision; see ``log.undo``."""
        with self._deciding() as session:
            return undo(session, decision_id, self._actor)

    def _about_person(self, kind: str, key: Key, value: Any, based_on: int | None) -> RecordedDecision:
        with self._deciding() as session:
            require(session, [key.id])
            return self._decide(session, kind, {key: value}, based_on)


def _waiting(session: Session, person_id: uuid.UUID, version: str | None) -> list[uuid.UUID]:
    """The pending suggestions for a person. Raises StaleVersionError."""
    require(session, [person_id])
    waiting = list(before_decision.pending_by_face(session, person_id).values())
    refuse_changed(f"What is suggested for the person {person_id}", version, waiting)
    return waiting
