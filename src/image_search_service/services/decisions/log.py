"""Records a decision: one transaction appends the event and updates the present state."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from image_search_service.core.decisions import (
    PHOTO_FACTS,
    Change,
    Fact,
    Key,
    different,
    effective,
    human_value,
    summary_of,
)
from image_search_service.core.errors import ConflictError, NotFoundError
from image_search_service.db.models import DecisionRow
from image_search_service.db.queries import clusters, differences, events
from image_search_service.db.queries.decisions import before_decision, current_state
from image_search_service.db.session import Session

UNDO = "undo"
ERASED = "erase_photos"
"""The kind of the event that says that photos, and all that was said of them, were erased."""
ABOUT_FACES = (Fact.FACE_PERSON, Fact.FACE_GROUP, Fact.FACE_IS_FACE, Fact.FACE_SET_ASIDE, Fact.REJECTED)
_TOGETHER = (Fact.FACE_PERSON, Fact.FACE_GROUP, Fact.APART)
_PLACES = (Fact.FACE_PERSON, Fact.FACE_GROUP, Fact.FACE_IS_FACE, Fact.FACE_SET_ASIDE)


@dataclass(frozen=True, slots=True)
class DecisionDraft:
    """A decision to record. facts: the new value of each fact.

    based_on: the last decision that its author had seen; a fact that changed after it makes a conflict.
    """

    kind: str
    actor: str
    facts: Mapping[Key, Any]
    based_on: int | None = None
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RecordedDecision:
    """A recorded decision. id: its number, None if it changed nothing. faces: faces whose person, or being a
    face, has changed. persons: persons whom faces were assigned to or rejected for."""

    id: int | None
    changes: int
    faces: int
    persons: tuple[uuid.UUID, ...] = ()


def decide(session: Session, draft: DecisionDraft) -> RecordedDecision:
    """Append the event and apply it, all or nothing: a fixed number of statements for each 500 facts.

    Raises NotFoundError for an unknown face or person, ConflictError when a fact has changed since
    ``based_on``.
    """
    events.take_turn(session)
    return _append(session, draft, _changes(session, _in_one_place(draft.facts)), undoes=None)


def undo(
    session: Session,
    decision_id: int,
    actor: str,
    check: Callable[[Session, Sequence[Change], int], None] | None = None,
) -> RecordedDecision:
    """Undo a decision, at any later time; undoing an undo restores it.

    check: called with the changes before they are made, to refuse them.

    Raises NotFoundError, and ConflictError naming the later decision that contradicts it.
    """
    events.take_turn(session)
    target = events.decision_by_id(session, decision_id)
    if target is None:
        raise unknown_decision(decision_id)
    if target.kind == ERASED:
        raise ConflictError("What was erased cannot be brought back.")
    inverse = [change.inverse for change in events.changes_of(session, decision_id)]
    now = current_state.current(session, [change.key for change in inverse])
    later = [
        change.key
        for change in inverse
        if human_value(change.key, now.get(change.key)) != human_value(change.key, change.old)
    ]
    later += _left_with_nobody(session, inverse) + _given_to_nobody(session, inverse)
    if later:
        raise _contradicted(session, decision_id, later)
    if check is not None:
        check(session, inverse, decision_id)
    rows = {uuid.UUID(key): row for key, row in (target.details.get("clusters") or {}).items()}
    clusters.restore_clusters(session, rows)
    draft = DecisionDraft(UNDO, actor, {}, details={"of": target.kind})
    made = _append(session, draft, inverse, undoes=decision_id)
    clusters.mend_clusters(session, rows)
    changed = {change.key for change in inverse}
    about = sorted({key.id for key in changed if key.fact in ABOUT_FACES})
    if odd := current_state.contradicting_facts(session, about) - changed:
        raise _contradicted(session, decision_id, sorted(odd, key=str))
    return made


def unknown_decision(decision_id: int) -> NotFoundError:
    return NotFoundError(f"There is no decision {decision_id}.", hint="`image-search history` lists them.")


def _left_with_nobody(session: Session, changes: Sequence[Change]) -> list[Key]:
    """Faces that later decisions assigned to a person whom this undo would delete."""
    deleted = [
        change.key.id for change in changes if change.key.fact is Fact.PERSON_GONE and change.new is not False
    ]
    moved = {change.key.id for change in changes if change.key.fact is Fact.FACE_PERSON}
    left = before_decision.human_faces_of(session, deleted) if deleted else []
    return [Key(Fact.FACE_PERSON, face) for face in left if face not in moved]


def _given_to_nobody(session: Session, changes: Sequence[Change]) -> list[Key]:
    """Persons deleted by later decisions whom this undo would give faces to."""
    placed = {
        human_value(change.key, change.new) for change in changes if change.key.fact is Fact.FACE_PERSON
    } - {None}
    deleted = {change.key: change.new for change in changes if change.key.fact is Fact.PERSON_GONE}
    receiving = placed | {into for into in deleted.values() if isinstance(into, str)}
    keys = {Key(Fact.PERSON_GONE, uuid.UUID(person)) for person in receiving}
    now = current_state.current(session, keys - deleted.keys())
    return [key for key, value in now.items() if value is not False]


def _in_one_place(facts: Mapping[Key, Any]) -> dict[Key, Any]:
    """The facts, completed so that they do not contradict each other.

    A face that gets a person, is not a face, or is set aside leaves its group; a face that gets a person or a
    group, or is not a face, is no longer set aside.
    """
    named = [
        key.id for key, value in facts.items() if key.fact is Fact.FACE_PERSON and human_value(key, value)
    ]
    grouped = [
        key.id for key, value in facts.items() if key.fact is Fact.FACE_GROUP and human_value(key, value)
    ]
    none = [key.id for key, value in facts.items() if key.fact is Fact.FACE_IS_FACE and value is False]
    aside = [
        key.id for key, value in facts.items() if key.fact is Fact.FACE_SET_ASIDE and human_value(key, value)
    ]
    ungrouped = {Key(Fact.FACE_GROUP, face): {"group": None} for face in [*named, *none, *aside]}
    shown = {Key(Fact.FACE_SET_ASIDE, face): {"aside": False} for face in [*named, *grouped, *none]}
    return ungrouped | shown | dict(facts)


def _changes(session: Session, facts: Mapping[Key, Any]) -> list[Change]:
    now = current_state.current(session, facts)
    missing = sorted({str(key.id) for key in facts if key not in now})
    if missing:
        kind = "photo" if all(key.fact in PHOTO_FACTS for key in facts) else "face"
        raise NotFoundError(f"There is no {kind} {', '.join(missing[:5])}.")
    return effective(Change(key, now[key], new) for key, new in facts.items())


def _append(
    session: Session, draft: DecisionDraft, changes: Sequence[Change], undoes: int | None
) -> RecordedDecision:
    if not changes:
        return RecordedDecision(None, 0, 0)
    if draft.based_on is not None:
        _refuse_if_stale(session, draft.based_on, (change.key for change in changes))
    details = {**summary_of(changes), **draft.details}
    number = events.append(
        session, changes, kind=draft.kind, actor=draft.actor, details=details, undoes=undoes
    )
    current_state.write(session, changes)
    _refuse_joined(session, changes)
    about_faces = {change.key.id for change in changes if change.key.fact in _PLACES}
    return RecordedDecision(number, len(changes), len(about_faces), _persons(changes))


def _persons(changes: Sequence[Change]) -> tuple[uuid.UUID, ...]:
    assigned = {
        human_value(change.key, change.new) for change in changes if change.key.fact is Fact.FACE_PERSON
    } - {None}
    rejected = {
        rejection.key.other for rejection in changes if rejection.key.fact is Fact.REJECTED and rejection.new
    }
    return tuple(
        sorted(
            {uuid.UUID(person) for person in assigned} | {person_id for person_id in rejected if person_id}
        )
    )


def _refuse_joined(session: Session, changes: Sequence[Change]) -> None:
    """Refuse a decision that joins what was marked as different. Checked after writing, so that it covers
    every kind of decision."""
    moved = {change.key.id for change in changes if change.key.fact in _TOGETHER}
    if difference := differences.with_both_sides(session, moved):
        raise _different_persons_error(events.latest_with(session, Fact.APART, difference))
    if any(map(_may_join, changes)):
        into = before_decision.merged(session)
        same_person = [
            pair
            for pair in before_decision.differences(session)
            if after_merges(pair[0], into) == after_merges(pair[1], into)
        ]
        if same_person:
            raise _different_persons_error(events.latest_about(session, [different(*same_person[0])], 0))


def _may_join(change: Change) -> bool:
    """Whether it may make one person of two that are different: by a merge, by what undoes one, or by what is
    different now."""
    is_merge = change.key.fact is Fact.PERSON_GONE and (
        isinstance(change.old, str) or isinstance(change.new, str)
    )
    return is_merge or change.key.fact is Fact.DIFFERENT


def after_merges(person_id: uuid.UUID, into: Mapping[uuid.UUID, uuid.UUID]) -> uuid.UUID:
    """The person that a person is now, after all merges."""
    seen: set[uuid.UUID] = set()
    while person_id in into and person_id not in seen:
        seen.add(person_id)
        person_id = into[person_id]
    return person_id


def _different_persons_error(decision: DecisionRow | None) -> ConflictError:
    where = "" if decision is None else f": {_named(decision)}"
    hint = "" if decision is None else f" first: image-search undo {decision.id}"
    return ConflictError(
        f"These were said to be different people{where}.", hint=f"If they are one, undo that{hint}."
    )


def _refuse_if_stale(session: Session, based_on: int, keys: Iterable[Key]) -> None:
    newer = events.latest_about(session, keys, based_on)
    if newer is not None:
        raise ConflictError(
            f"What this was decided on has changed meanwhile: {_named(newer)}.",
            hint="Look again and decide anew.",
        )


def _contradicted(session: Session, decision_id: int, keys: Sequence[Key]) -> ConflictError:
    later = events.latest_about(session, keys, decision_id)
    if later is None:
        return ConflictError(f"The decision {decision_id} has been undone already.")
    if later.undoes == decision_id:
        return ConflictError(
            f"The decision {decision_id} has been undone already, by the decision {later.id}."
        )
    return ConflictError(
        f"The decision {decision_id} cannot be undone, a later one contradicts it: {_named(later)}.",
        hint=f"Undo that one first: image-search undo {later.id}.",
    )


def _named(decision: DecisionRow) -> str:
    return f"decision {decision.id} ({decision.kind}, {decision.at:%Y-%m-%d %H:%M})"
