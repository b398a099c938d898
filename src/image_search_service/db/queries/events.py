"""Decisions: events that are appended and never changed."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, func, insert, or_, select
from sqlalchemy.orm import Session

from image_search_service.core.decisions import MOST_PERSONS, Change, Fact, Key
from image_search_service.core.paging import keyset_pages
from image_search_service.core.parallel import chunks
from image_search_service.core.records.decisions import (
    EVERY_DECISION,
    DecidingActor,
    DecisionFilter,
    MadeDecision,
)
from image_search_service.db.models import DecisionChange, DecisionRow, LibraryRow
from image_search_service.db.queries import prepared
from image_search_service.db.queries.batches import BATCH, insert_rows

_TURN = select(LibraryRow.id).with_for_update()
_HAS_TURN = "has_turn"
"""In ``session.info``: of a session that ends with its transaction, as ``Database.write`` makes them."""


def take_turn(session: Session) -> None:
    """Wait until nobody else changes faces that are stored; to be called before the first row is changed.

    Decisions, jobs, and the triggers of both, lock rows of faces, photos and persons in whatever order: two
    at once would soon wait for each other, and PostgreSQL refuse one. SQLite has only one writer anyway.
    """
    if not session.info.get(_HAS_TURN):
        prepared.run(session, _TURN)
        session.info[_HAS_TURN] = True


_DECISION = insert(DecisionRow)


def append(
    session: Session,
    changes: Sequence[Change],
    *,
    kind: str,
    actor: str,
    details: Mapping[str, Any],
    undoes: int | None = None,
) -> int:
    """Record a decision, made now, with its changes, in two statements; returns its number."""
    row = {"kind": kind, "actor": actor, "undoes": undoes, "details": details}
    key: Any = prepared.run(session, _DECISION, row).inserted_primary_key
    number: int = key[0]
    insert_rows(session, DecisionChange, [_row(number, change) for change in changes])
    return number


def append_all(session: Session, events: Sequence[tuple[DecisionRow, Sequence[Change]]]) -> None:
    """Record several decisions, which have their numbers and times, in their order: in two statements."""
    session.add_all(decision for decision, _ in events)
    session.flush()
    rows = [_row(decision.id, change) for decision, changes in events for change in changes]
    insert_rows(session, DecisionChange, rows)


def _row(number: int, change: Change) -> dict[str, Any]:
    return {
        "decision_id": number,
        "fact": change.key.fact.value,
        "subject_id": change.key.id,
        "other_id": change.key.other,
        "old": change.old,
        "new": change.new,
    }


def decision_by_id(session: Session, decision_id: int) -> DecisionRow | None:
    return session.get(DecisionRow, decision_id)


def changes_of(session: Session, decision_id: int) -> list[Change]:
    """What a decision changed, in its order."""
    rows = session.scalars(
        select(DecisionChange).where(DecisionChange.decision_id == decision_id).order_by(DecisionChange.id)
    )
    return [change(row) for row in rows]


def changes_page(session: Session, decision_id: int, after: int, limit: int) -> list[tuple[int, Change]]:
    """Some of what a decision changed, in its order, each with its number: those behind ``after``."""
    rows = session.scalars(
        select(DecisionChange)
        .where(DecisionChange.decision_id == decision_id, DecisionChange.id > after)
        .order_by(DecisionChange.id)
        .limit(limit)
    )
    return [(row.id, change(row)) for row in rows]


def change(row: DecisionChange) -> Change:
    return Change(Key(Fact(row.fact), row.subject_id, row.other_id), row.old, row.new)


def latest_about(session: Session, keys: Iterable[Key], after: int) -> DecisionRow | None:
    """The last decision after another one that changed any of these facts: a statement for each ``BATCH``."""
    wanted = set(keys)
    latest: int | None = None
    for part in chunks(sorted({key.id for key in wanted}), BATCH):
        rows = session.execute(
            select(
                DecisionChange.decision_id,
                DecisionChange.fact,
                DecisionChange.subject_id,
                DecisionChange.other_id,
            ).where(DecisionChange.subject_id.in_(part), DecisionChange.decision_id > after)
        )
        touching = [row[0] for row in rows if Key(Fact(row[1]), row[2], row[3]) in wanted]
        latest = max([*touching, *([] if latest is None else [latest])], default=None)
    return None if latest is None else session.get(DecisionRow, latest)


def values_then(session: Session, keys: Iterable[Key], then: int) -> dict[Key, Any]:
    """What facts were after the decision ``then``, of those that a later decision has changed: the old value
    of the first later change. A statement for each ``BATCH``."""
    wanted = set(keys)
    values: dict[Key, Any] = {}
    for part in chunks(sorted({key.id for key in wanted}), BATCH):
        changes = session.scalars(
            select(DecisionChange)
            .where(DecisionChange.subject_id.in_(part), DecisionChange.decision_id > then)
            .order_by(DecisionChange.id)
        )
        for change in changes:
            key = Key(Fact(change.fact), change.subject_id, change.other_id)
            if key in wanted:
                values.setdefault(key, change.old)
    return values


def latest_with(session: Session, fact: Fact, other: uuid.UUID) -> DecisionRow | None:
    """The last decision that changed this fact with ``other`` as its second id."""
    latest = select(func.max(DecisionChange.decision_id)).where(
        DecisionChange.fact == fact.value, DecisionChange.other_id == other
    )
    return session.scalar(select(DecisionRow).where(DecisionRow.id == latest.scalar_subquery()))


def latest_id(session: Session) -> int:
    """The number of the last decision, 0 if there is none."""
    return session.scalar(select(func.max(DecisionRow.id))) or 0


def made_after(session: Session, number: int, limit: int) -> list[MadeDecision]:
    """The decisions after another one, in their order."""
    rows = session.execute(
        select(DecisionRow.id, DecisionRow.kind, DecisionRow.actor)
        .where(DecisionRow.id > number)
        .order_by(DecisionRow.id)
        .limit(limit)
    )
    return [MadeDecision(*row) for row in rows]


def decisions_page(
    session: Session, before: int | None, limit: int, which: DecisionFilter = EVERY_DECISION
) -> list[tuple[DecisionRow, int]]:
    """Decisions and how much each changed, the newest first."""
    counted = (
        select(DecisionRow, func.count(DecisionChange.id))
        .outerjoin(DecisionChange, DecisionChange.decision_id == DecisionRow.id)
        .group_by(DecisionRow.id)
        .order_by(DecisionRow.id.desc())
        .limit(limit)
        .where(*_conditions(which))
    )
    if before is not None:
        counted = counted.where(DecisionRow.id < before)
    return [(row[0], row[1]) for row in session.execute(counted)]


def count_decisions(session: Session, which: DecisionFilter = EVERY_DECISION) -> int:
    return session.scalar(select(func.count(DecisionRow.id)).where(*_conditions(which))) or 0


def actors(session: Session) -> list[DecidingActor]:
    """Everybody who made decisions, those with the most first."""
    made = func.count(DecisionRow.id)
    rows = session.execute(
        select(DecisionRow.actor, made).group_by(DecisionRow.actor).order_by(made.desc(), DecisionRow.actor)
    )
    return [DecidingActor(*row) for row in rows]


def _conditions(which: DecisionFilter) -> list[ColumnElement[bool]]:
    conditions = [] if which.actor is None else [DecisionRow.actor == which.actor]
    return conditions if which.subject is None else [*conditions, _about(which.subject)]


def _about(subject: uuid.UUID) -> ColumnElement[bool]:
    """Decisions about a face or person.

    Whose a face was or is stands in the values of its changes. Details repeat it; only of decisions about
    more persons than details name are the values read.
    """
    changed = select(DecisionChange.decision_id).where(
        (DecisionChange.subject_id == subject) | (DecisionChange.other_id == subject)
    )
    person = str(subject)
    details = DecisionRow.details["persons"].as_string()
    values = [value["person"].as_string() == person for value in (DecisionChange.old, DecisionChange.new)]
    moved = (
        select(DecisionChange.id)
        .correlate(DecisionRow)
        .where(
            DecisionChange.decision_id == DecisionRow.id,
            DecisionChange.fact == Fact.FACE_PERSON.value,
            or_(*values),
        )
        .exists()
    )
    many = func.length(details) >= len(f'"{person}"') * MOST_PERSONS
    return or_(DecisionRow.id.in_(changed), details.contains(person), and_(many, moved))


def last_values(
    session: Session, facts: Collection[Fact] = tuple(Fact), page: int = 5_000
) -> Iterator[tuple[Key, Any]]:
    """For each fact that was ever decided its last new value, in the order of the decisions; in bounded
    memory."""
    last = (
        select(func.max(DecisionChange.id).label("id"))
        .where(DecisionChange.fact.in_([fact.value for fact in facts]))
        .group_by(DecisionChange.fact, DecisionChange.subject_id, DecisionChange.other_id)
        .subquery()
    )
    statement = (
        select(DecisionChange)
        .join(last, last.c.id == DecisionChange.id)
        .order_by(DecisionChange.id)
        .limit(page)
    )

    def read_page(after: int | None) -> list[DecisionChange]:
        return list(session.scalars(statement.where(DecisionChange.id > (after or 0))))

    for rows in keyset_pages(read_page, lambda row: row.id, page):
        for row in rows:
            yield change(row).key, row.new
        session.expunge_all()


def last_values_of(session: Session, keys: Collection[Key]) -> dict[Key, Any]:
    """The last new value of each of these facts that was ever decided on: a statement for each ``BATCH``."""
    wanted = set(keys)
    values: dict[Key, Any] = {}
    for part in chunks(sorted({key.id for key in wanted}), BATCH):
        last = (
            select(func.max(DecisionChange.id))
            .where(DecisionChange.subject_id.in_(part))
            .group_by(DecisionChange.fact, DecisionChange.subject_id, DecisionChange.other_id)
        )
        for row in session.scalars(select(DecisionChange).where(DecisionChange.id.in_(last))):
            values[change(row).key] = row.new
    return {key: value for key, value in values.items() if key in wanted}
