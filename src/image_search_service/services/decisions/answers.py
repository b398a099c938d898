"""Answers to questions about many faces at once: each answer is one decision with one undo."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from image_search_service.core.decisions import Fact, Key
from image_search_service.core.errors import InvalidInputError, NotFoundError
from image_search_service.db.models import ClusterRow
from image_search_service.db.queries import clusters
from image_search_service.db.queries.decisions import before_decision
from image_search_service.db.session import Session
from image_search_service.recognition.review_queue import own_similarity
from image_search_service.services.decisions.base import DecisionService
from image_search_service.services.decisions.facts import (
    Facts,
    cluster_rows,
    facts_assigning,
    facts_rejecting_former,
    facts_unassigning,
    former_clusters,
    grouped,
    pending,
    rejected_for,
    require,
)
from image_search_service.services.decisions.log import RecordedDecision
from image_search_service.services.decisions.naming import Namesake, NamingDecision, Who, named_person
from image_search_service.services.decisions.service import GroupDecision
from image_search_service.services.people.versions import refuse_changed

MOST_KEPT = 24
"""Number of accepted, and of rejected, suggestions whose similarities a decision keeps for learning."""
Groups = dict[uuid.UUID, list[uuid.UUID]]
"""The faces of each cluster."""


class AnswerService(DecisionService):
    """Records answers. Raises what ``ReviewService`` raises. versions: those of the clusters, in their order,
    or none. question: the id of the question, kept with the decision."""

    def answer(
        self,
        person_id: uuid.UUID,
        accept: Sequence[uuid.UUID],
        reject: Sequence[uuid.UUID],
        *,
        based_on: int | None = None,
        version: str | None = None,
        question: str | None = None,
    ) -> RecordedDecision:
        """Accept some suggestions for a person and reject others.

        version: of all the person's pending suggestions. Raises InvalidInputError for suggestions of another
        person.
        """
        if set(accept) & set(reject) or not (accept or reject):
            raise InvalidInputError("Each suggestion is accepted or rejected, and there is one at least.")
        with self._deciding() as session:
            require(session, [person_id])
            if version is not None:
                waiting = before_decision.pending_by_face(session, person_id).values()
                refuse_changed(f"What is suggested for the person {person_id}", version, list(waiting))
            right, wrong = pending(session, accept), pending(session, reject)
            if any(person != person_id for _, person in [*right, *wrong]):
                raise InvalidInputError("A suggestion is for another person.", hint="Answer for one person.")
            faces = [face for face, _ in right]
            facts = facts_assigning(faces, person_id)
            facts |= {Key(Fact.REJECTED, face, person_id): True for face, _ in wrong}
            details = {
                **former_clusters(session, faces),
                "answer": {
                    "person": str(person_id),
                    "accepted": len(right),
                    "rejected": len(wrong),
                    "seen": _resemblances(session, accept, reject),
                },
                **_asked(question),
            }
            return self._decide(session, "answer", facts, based_on, details)

    def name_clusters(
        self,
        cluster_ids: Sequence[uuid.UUID],
        who: str | uuid.UUID,
        *,
        except_faces: Sequence[uuid.UUID] = (),
        versions: Sequence[str] = (),
        based_on: int | None = None,
        question: str | None = None,
        namesake: Who = Namesake.ASK,
    ) -> NamingDecision:
        """Assign all faces of some clusters to one person, except ``except_faces``.

        who: a person's id, or a name; a person of a new name is created. namesake: whom a name means that
        somebody has already. except_faces: rejected for the
        person; several become a cluster of their own, a single one waits for the next grouping. Faces that
        were rejected for the person before stay where they are. Raises InvalidInputError for an exception
        that is in none of the clusters, or if no face is left, ConflictError if all were rejected.
        """
        with self._deciding() as session:
            rows, members = _groups(session, cluster_ids, versions)
            person_id, name, facts = _person(session, who, namesake)
            created = bool(facts)
            others = set(except_faces)
            every = [face for cluster_faces in members.values() for face in cluster_faces]
            away = set() if created else rejected_for(session, every, person_id) - others
            faces = [face for face in every if face not in others and face not in away]
            _require_members(others, members, faces)
            facts |= _of_others(session, sorted(others), person_id)
            facts |= facts_assigning(faces, person_id, newcomer=created)
            details = {
                "named": [str(row.id) for row in rows],
                "clusters": cluster_rows(rows),
                **_asked(question),
            }
            made = self._decide(session, "name_clusters", facts, based_on, details)
            return NamingDecision(person_id, name, len(faces), created, made.id, len(away))

    def join_clusters(
        self, cluster_ids: Sequence[uuid.UUID], versions: Sequence[str] = (), based_on: int | None = None
    ) -> GroupDecision:
        """Join clusters into the one with most faces; no job takes it apart again."""
        if len(set(cluster_ids)) < 2:
            raise InvalidInputError("Joining takes two clusters at least.")
        with self._deciding() as session:
            rows, members = _groups(session, cluster_ids, versions)
            target = max(rows, key=lambda row: (len(members[row.id]), row.id)).id
            moved = [
                face
                for cluster, cluster_faces in members.items()
                if cluster != target
                for face in cluster_faces
            ]
            facts = grouped(session, moved, target, members[target])
            details = {"joined": [str(row.id) for row in rows], "clusters": cluster_rows(rows)}
            made = self._decide(session, "join_clusters", facts, based_on, details)
            return GroupDecision(target, sum(map(len, members.values())), made.id)

    def set_aside(
        self,
        cluster_ids: Sequence[uuid.UUID] = (),
        face_ids: Sequence[uuid.UUID] = (),
        *,
        aside: bool = True,
        versions: Sequence[str] = (),
        based_on: int | None = None,
    ) -> RecordedDecision:
        """Set strangers' faces aside: they leave all lists, searches, groupings and suggestions until
        somebody takes this back (``aside=False``) or names them.

        A cluster that is set aside as a whole stays a cluster.
        """
        if not (cluster_ids or face_ids):
            raise InvalidInputError("It takes a cluster or a face to set aside.")
        with self._deciding() as session:
            rows, members = _groups(session, cluster_ids, versions)
            faces = sorted(
                {*face_ids, *(face for cluster_faces in members.values() for face in cluster_faces)}
            )
            facts: Facts = {Key(Fact.FACE_SET_ASIDE, face): {"aside": aside} for face in faces}
            if aside:
                facts |= facts_unassigning(faces) | facts_rejecting_former(session, faces, None)
                facts |= {Key(Fact.FACE_IS_FACE, face): True for face in faces}
            details = {**former_clusters(session, faces), "set_aside": [str(row.id) for row in rows]}
            kind = "set_aside" if aside else "unset_aside"
            return self._decide(session, kind, facts, based_on, details)


def _groups(
    session: Session, cluster_ids: Sequence[uuid.UUID], versions: Sequence[str]
) -> tuple[list[ClusterRow], Groups]:
    """The clusters in their order, each once, and their faces. Raises StaleVersionError."""
    if versions and len(versions) != len(cluster_ids):
        raise InvalidInputError("There is a version for each cluster, or none.")
    clusters_by_id = before_decision.clusters_by_id(session, cluster_ids)
    missing = [id_ for id_ in cluster_ids if id_ not in clusters_by_id]
    if missing:
        raise NotFoundError(f"There is no cluster {missing[0]}.", hint="It may have been named since.")
    members = clusters.members_of(session, cluster_ids)
    seen = dict(zip(cluster_ids, versions, strict=False))
    for cluster_id in clusters_by_id:
        refuse_changed(f"The group {cluster_id}", seen.get(cluster_id), members.get(cluster_id, []))
    return list(clusters_by_id.values()), {
        cluster_id: members.get(cluster_id, []) for cluster_id in clusters_by_id
    }


def _person(session: Session, who: str | uuid.UUID, namesake: Who) -> tuple[uuid.UUID, str, Facts]:
    if isinstance(who, str):
        return named_person(session, who, namesake)
    require(session, [who])
    return who, before_decision.person_rows(session, [who])[who].name, {}


def _require_members(others: set[uuid.UUID], members: Groups, left: Sequence[uuid.UUID]) -> None:
    strangers = others - {face for cluster_faces in members.values() for face in cluster_faces}
    if strangers:
        raise InvalidInputError(f"The face {min(strangers)} is in none of the clusters.")
    if not left:
        raise InvalidInputError("No face is left to be named.", hint="Set the group aside, or split it.")


def _of_others(session: Session, faces: Sequence[uuid.UUID], person_id: uuid.UUID) -> Facts:
    """The facts for the excepted faces: rejected for the person, and if several, a group of their own."""
    facts: Facts = grouped(session, faces, uuid.uuid4(), []) if len(faces) > 1 else {}
    return facts | {Key(Fact.REJECTED, face, person_id): True for face in faces}


def _asked(question: str | None) -> Mapping[str, Any]:
    return {} if question is None else {"question": question}


def _resemblances(
    session: Session, accept: Sequence[uuid.UUID], reject: Sequence[uuid.UUID]
) -> list[list[float | bool | None]]:
    """For some of the suggestions the similarity to the person's centroid, the margin, and whether accepted;
    the chances of later suggestions are learned from it."""
    suggestions = before_decision.suggestions(session, [*accept[:MOST_KEPT], *reject[:MOST_KEPT]])
    return [
        [
            own_similarity(suggestion.confidence, suggestion.second_similarity, suggestion.margin),
            suggestion.margin,
            suggestion.id in accept,
        ]
        for suggestion in suggestions.values()
    ]
