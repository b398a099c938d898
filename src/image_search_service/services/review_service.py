"""What humans decide: who a face is, who a person is. Each decision is an event that can be undone."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from image_search_service.core.decisions import Fact, Key, different
from image_search_service.core.errors import ConflictError, InvalidInputError, NotFoundError
from image_search_service.core.names import clean_name
from image_search_service.db.models import Cluster, Decision, Person
from image_search_service.db.queries import apart, clusters, decisions, persons, review
from image_search_service.db.session import Database, Session
from image_search_service.services.decision_log import Decided, Wish, decide, undo
from image_search_service.services.people_service import find_cluster

Facts = dict[Key, Any]


@dataclass(frozen=True, slots=True)
class Named:
    """What naming did. ``created``: the person is new. ``decision``: its number, to undo it with."""

    person_id: uuid.UUID
    name: str
    faces: int
    created: bool
    decision: int | None


@dataclass(frozen=True, slots=True)
class Event:
    """A decision as it is listed. changes: how many facts it changed."""

    decision: Decision
    changes: int


class ReviewService:
    """Records decisions. Everything raises NotFoundError for who or what there is not, and ConflictError when
    ``made_on``, the last decision that was seen, is older than a change of the same facts."""

    def __init__(self, database: Database, actor: str) -> None:
        self._database = database
        self._actor = actor

    # Faces

    def name_cluster(self, cluster: str, name: str, made_on: int | None = None) -> Named:
        """Give all faces of a cluster to a person, who is created if nobody has this name.

        ``cluster``: its id, or the first characters of it. Raises InvalidInputError.
        """
        shown, _ = clean_name(name)
        with self._database.write() as session:
            decisions.take_turn(session)
            found = find_cluster(session, cluster)
            members = clusters.faces_of_cluster(session, found.id)
            person_id, name, facts = _somebody(session, shown)
            details = {"cluster": str(found.id), "clusters": _cluster_rows([found])}
            made = decide(
                session,
                Wish("name_cluster", self._actor, facts | _theirs(members, person_id), made_on, details),
            )
            return Named(person_id, name, len(members), bool(facts), made.id)

    def assign_faces(
        self, face_ids: Sequence[uuid.UUID], person_id: uuid.UUID, made_on: int | None = None
    ) -> Decided:
        """Give faces to a person, wherever they are now; from whom they are taken, they are rejected for."""
        with self._database.write() as session:
            _require(session, [person_id])
            facts = _given(session, face_ids, person_id)
            return self._decide(session, "assign", facts, made_on, taken_out_of(session, face_ids))

    def split(self, face_ids: Sequence[uuid.UUID], name: str, made_on: int | None = None) -> Named:
        """Take faces out of a person or cluster, for somebody of this name, who is created if need be."""
        shown, _ = clean_name(name)
        with self._database.write() as session:
            decisions.take_turn(session)
            person_id, name, facts = _somebody(session, shown)
            facts |= _given(session, face_ids, person_id)
            made = self._decide(session, "split", facts, made_on, taken_out_of(session, face_ids))
            created = Key(Fact.PERSON_NAME, person_id) in facts
            return Named(person_id, name, len(set(face_ids)), created, made.id)

    def unassign_faces(self, face_ids: Sequence[uuid.UUID], made_on: int | None = None) -> Decided:
        """Take faces away from their persons, for whom they are rejected from now on."""
        with self._database.write() as session:
            facts = _nobodys(face_ids) | _moved_away(session, face_ids, None)
            return self._decide(session, "unassign", facts, made_on)

    def not_a_face(self, face_ids: Sequence[uuid.UUID], made_on: int | None = None) -> Decided:
        """These are no faces: nobody's, and not shown as such."""
        facts = _nobodys(face_ids) | {Key(Fact.FACE_IS_FACE, face): False for face in face_ids}
        with self._database.write() as session:
            return self._decide(session, "not_a_face", facts, made_on, taken_out_of(session, face_ids))

    # Suggestions

    def accept(self, suggestion_ids: Sequence[uuid.UUID], made_on: int | None = None) -> Decided:
        """The faces are theirs for whom they were suggested. Raises ConflictError for one decided already."""
        with self._database.write() as session:
            pairs = _pending(session, suggestion_ids)
            _refuse_two_persons(pairs)
            _require(session, [person for _, person in pairs])
            facts: Facts = {}
            for face, person in pairs:
                facts |= _theirs([face], person)
            return self._decide(
                session, "accept", facts, made_on, taken_out_of(session, [face for face, _ in pairs])
            )

    def reject(self, suggestion_ids: Sequence[uuid.UUID], made_on: int | None = None) -> Decided:
        """The faces are not theirs, for good. Raises ConflictError for one decided already."""
        with self._database.write() as session:
            pairs = _pending(session, suggestion_ids)
            facts = {Key(Fact.REJECTED, face, person): True for face, person in pairs}
            return self._decide(session, "reject", facts, made_on)

    def accept_all(self, person_id: uuid.UUID, made_on: int | None = None) -> Decided:
        """Everything that waits for a person is theirs."""
        return self.accept(self._waiting(person_id), made_on)

    def reject_all(self, person_id: uuid.UUID, made_on: int | None = None) -> Decided:
        """Nothing that waits for a person is theirs."""
        return self.reject(self._waiting(person_id), made_on)

    def waiting_for(self, person_id: uuid.UUID, face_ids: Sequence[uuid.UUID]) -> list[uuid.UUID]:
        """The suggestions of these faces for a person. Raises NotFoundError for one that does not wait."""
        with self._database.read() as session:
            waiting = review.pending_by_face(session, person_id)
        missing = [face for face in face_ids if face not in waiting]
        if missing:
            raise NotFoundError(f"The face {missing[0]} is not suggested for the person {person_id}.")
        return [waiting[face] for face in face_ids]

    def _waiting(self, person_id: uuid.UUID) -> list[uuid.UUID]:
        with self._database.read() as session:
            _require(session, [person_id])
            return list(review.pending_by_face(session, person_id).values())

    # Persons

    def create_person(self, name: str) -> Named:
        """Somebody of whom no face is known yet. Raises ConflictError if there is somebody of this name."""
        shown, key = clean_name(name)
        with self._database.write() as session:
            decisions.take_turn(session)
            _refuse_taken(session, key)
            person_id, name, facts = _somebody(session, shown)
            made = self._decide(session, "create_person", facts, None)
            return Named(person_id, name, 0, True, made.id)

    def rename_person(self, person_id: uuid.UUID, name: str, made_on: int | None = None) -> Decided:
        """Raises ConflictError if somebody else has this name: two persons become one by merging."""
        shown, key = clean_name(name)
        with self._database.write() as session:
            decisions.take_turn(session)
            _require(session, [person_id])
            _refuse_taken(session, key, but=person_id)
            return self._decide(session, "rename_person", {Key(Fact.PERSON_NAME, person_id): shown}, made_on)

    def set_hidden(self, person_id: uuid.UUID, hidden: bool, made_on: int | None = None) -> Decided:
        """Whether a person is left out of lists."""
        kind = "hide_person" if hidden else "unhide_person"
        return self._about_person(kind, Key(Fact.PERSON_HIDDEN, person_id), hidden, made_on)

    def set_birth_date(self, person_id: uuid.UUID, born: date | None, made_on: int | None = None) -> Decided:
        value = None if born is None else born.isoformat()
        return self._about_person("set_birth_date", Key(Fact.PERSON_BIRTH, person_id), value, made_on)

    def set_cover_face(self, person_id: uuid.UUID, face_id: uuid.UUID, made_on: int | None = None) -> Decided:
        """Raises InvalidInputError for a face that is not theirs."""
        with self._database.write() as session:
            _require_theirs(session, face_id, person_id)
            facts = {Key(Fact.PERSON_COVER, person_id): str(face_id)}
            return self._decide(session, "set_cover_face", facts, made_on)

    def pin_prototype(
        self, person_id: uuid.UUID, face_id: uuid.UUID, pinned: bool = True, made_on: int | None = None
    ) -> Decided:
        """Whether a face stands for the person whatever jobs choose. Raises InvalidInputError as above."""
        with self._database.write() as session:
            _require_theirs(session, face_id, person_id)
            facts = {Key(Fact.PINNED, face_id, person_id): pinned}
            return self._decide(session, "pin_prototype" if pinned else "unpin_prototype", facts, made_on)

    def merge_persons(
        self, person_ids: Sequence[uuid.UUID], into: uuid.UUID, made_on: int | None = None
    ) -> Decided:
        """These persons are one: their faces, rejections and pins become those of ``into``.

        Raises ConflictError for two who were said to be different.
        """
        others = sorted(set(person_ids) - {into})
        if not others:
            raise InvalidInputError("Merging takes at least one person besides the one that stays.")
        with self._database.write() as session:
            decisions.take_turn(session)
            _require(session, [into, *others])
            known = review.said_of_persons(session, [into, *others])
            if known.different_among:
                raise ConflictError(
                    "These were said to be different persons.", hint="Undo that decision first."
                )
            facts = _theirs(known.faces_of(others), into)
            facts |= {Key(Fact.PERSON_GONE, one): str(into) for one in others}
            facts |= {Key(Fact.REJECTED, face, into): True for face in known.rejected_for(others)}
            facts |= {Key(Fact.PINNED, face, into): True for face in known.pinned_for(others)}
            facts |= {different(into, one): True for one in known.different_from(others)}
            return self._decide(session, "merge_persons", facts, made_on)

    def mark_different(
        self, a: uuid.UUID, b: uuid.UUID, are: bool = True, made_on: int | None = None
    ) -> Decided:
        """Two persons are two, so that nobody merges them."""
        if a == b:
            raise InvalidInputError("Nobody is different from themselves.")
        with self._database.write() as session:
            _require(session, [a, b])
            kind = "mark_different" if are else "unmark_different"
            return self._decide(session, kind, {different(a, b): are}, made_on)

    def mark_clusters_different(self, a: str, b: str, made_on: int | None = None) -> Decided:
        """The faces of two clusters are of different people: no job puts one of each together again.

        ``a``, ``b``: ids, or the first characters of them. It holds for the faces that are in them now,
        whatever becomes of the clusters; undoing it is how it is taken back.
        """
        with self._database.write() as session:
            decisions.take_turn(session)
            first, second = find_cluster(session, a), find_cluster(session, b)
            if first.id == second.id:
                raise InvalidInputError("A group is not different from itself.", hint="Split it instead.")
            difference = uuid.uuid4()
            facts = {
                Key(Fact.APART, face, difference): side
                for side, cluster in enumerate((first, second))
                for face in clusters.faces_of_cluster(session, cluster.id)
            }
            details = {"different": [str(first.id), str(second.id)]}
            return self._decide(session, "mark_different", facts, made_on, details)

    def mark_cluster_not_person(
        self, cluster: str, person_id: uuid.UUID, made_on: int | None = None
    ) -> Decided:
        """None of a cluster's faces is the person's: each is rejected for them."""
        with self._database.write() as session:
            decisions.take_turn(session)
            _require(session, [person_id])
            found = find_cluster(session, cluster)
            faces = clusters.faces_of_cluster(session, found.id)
            facts = {Key(Fact.REJECTED, face, person_id): True for face in faces}
            return self._decide(session, "mark_different", facts, made_on, {"different": [str(found.id)]})

    # History

    def undo(self, decision_id: int) -> Decided:
        """Take a decision back; see ``decision_log.undo``."""
        with self._database.write() as session:
            return undo(session, decision_id, self._actor)

    def history(
        self, before: int | None = None, limit: int = 50, subject: uuid.UUID | None = None
    ) -> list[Event]:
        """Decisions, the newest first; those about a face or person, if given."""
        with self._database.read() as session:
            return [Event(*row) for row in decisions.decisions_page(session, before, limit, subject)]

    def count(self, subject: uuid.UUID | None = None) -> int:
        """How many decisions ``history`` lists on all pages."""
        with self._database.read() as session:
            return decisions.count_decisions(session, subject)

    def latest(self) -> int:
        """The number of the last decision, 0 if there is none: what a decision is made on."""
        with self._database.read() as session:
            return decisions.latest_id(session)

    def _decide(
        self,
        session: Session,
        kind: str,
        facts: Facts,
        made_on: int | None,
        details: Mapping[str, Any] | None = None,
    ) -> Decided:
        return decide(session, Wish(kind, self._actor, facts, made_on, details or {}))

    def _about_person(self, kind: str, key: Key, value: Any, made_on: int | None) -> Decided:
        with self._database.write() as session:
            _require(session, [key.id])
            return self._decide(session, kind, {key: value}, made_on)


def _somebody(session: Session, shown: str) -> tuple[uuid.UUID, str, Facts]:
    """The person of this name, or a new one with the facts that make them."""
    found = persons.person_by_key(session, clean_name(shown)[1])
    if found is not None:
        return found.id, found.name, {}
    person_id = uuid.uuid4()
    return (
        person_id,
        shown,
        {Key(Fact.PERSON_NAME, person_id): shown, Key(Fact.PERSON_GONE, person_id): False},
    )


def _theirs(face_ids: Sequence[uuid.UUID], person_id: uuid.UUID) -> Facts:
    """These faces are the person's: whatever was rejected before, and a face if it was said to be none."""
    owner = {"person": str(person_id), "by": "human"}
    facts: Facts = {Key(Fact.FACE_PERSON, face): owner for face in face_ids}
    facts |= {Key(Fact.REJECTED, face, person_id): False for face in face_ids}
    return facts | {Key(Fact.FACE_IS_FACE, face): True for face in face_ids}


def _given(session: Session, face_ids: Sequence[uuid.UUID], person_id: uuid.UUID) -> Facts:
    """These very faces are the person's: rejected for whom they are taken from, and no longer said to be of
    somebody else than those whom they join."""
    sides = apart.sides_with(session, face_ids)
    given = set(face_ids)
    theirs = {one for one in sides if one.face_id in given or one.person_id == person_id}
    held = {(one.difference_id, one.side) for one in theirs}
    together: Facts = {
        Key(Fact.APART, one.face_id, one.difference_id): None
        for one in theirs
        if one.face_id in given and (one.difference_id, 1 - one.side) in held
    }
    return _theirs(face_ids, person_id) | _moved_away(session, face_ids, person_id) | together


def _nobodys(face_ids: Sequence[uuid.UUID]) -> Facts:
    return {Key(Fact.FACE_PERSON, face): {"person": None, "by": None} for face in face_ids}


def _moved_away(session: Session, face_ids: Sequence[uuid.UUID], to: uuid.UUID | None) -> Facts:
    """For whom faces are rejected that are taken away from them."""
    owners = review.owners(session, face_ids)
    return {Key(Fact.REJECTED, face, owner): True for face, owner in owners.items() if owner != to}


def taken_out_of(session: Session, face_ids: Sequence[uuid.UUID]) -> dict[str, Any]:
    """The clusters that faces are taken out of, so that undoing can put them back."""
    return {"clusters": _cluster_rows(review.clusters_of(session, face_ids))}


def _cluster_rows(found: Sequence[Cluster]) -> dict[str, Any]:
    return {
        str(one.id): {
            "confidence": one.confidence,
            "representative_face_id": str(one.representative_face_id),
        }
        for one in found
    }


def _pending(session: Session, suggestion_ids: Sequence[uuid.UUID]) -> list[tuple[uuid.UUID, uuid.UUID]]:
    """Face and person of each. Raises NotFoundError, ConflictError for one that waits no more."""
    found = review.suggestions(session, suggestion_ids)
    missing = sorted(set(suggestion_ids) - found.keys())
    if missing:
        raise NotFoundError(f"There is no suggestion {missing[0]}.")
    decided = [one for one in found.values() if one.state != "pending"]
    if decided:
        raise ConflictError(f"The suggestion {decided[0].id} is {decided[0].state} already.")
    return [(one.face_instance_id, one.person_id) for one in found.values()]


def _refuse_two_persons(pairs: Sequence[tuple[uuid.UUID, uuid.UUID]]) -> None:
    twice = [face for face, number in Counter(face for face, _ in pairs).items() if number > 1]
    if twice:
        raise InvalidInputError(f"The face {twice[0]} cannot be two persons'.", hint="Accept one of them.")


def _require(session: Session, person_ids: Sequence[uuid.UUID]) -> None:
    there: dict[uuid.UUID, Person] = review.persons_there(session, person_ids)
    missing = sorted(set(person_ids) - there.keys())
    if missing:
        raise NotFoundError(f"There is no person {', '.join(map(str, missing))}.")


def _require_theirs(session: Session, face_id: uuid.UUID, person_id: uuid.UUID) -> None:
    _require(session, [person_id])
    if review.owners(session, [face_id]).get(face_id) != person_id:
        raise InvalidInputError(f"The face {face_id} is not the person's.", hint="Assign it to them first.")


def _refuse_taken(session: Session, key: str, but: uuid.UUID | None = None) -> None:
    found = persons.person_by_key(session, key)
    if found is not None and found.id != but:
        raise ConflictError(
            f"There is somebody called {found.name} already.", hint="Merge the two if they are one."
        )
