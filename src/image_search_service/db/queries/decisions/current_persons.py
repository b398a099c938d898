"""Reads and writes facts about one person or two."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, delete, select, tuple_, update
from sqlalchemy.orm import Session

from image_search_service.core.decisions import Change, Fact, Key
from image_search_service.core.names import name_key
from image_search_service.core.parallel import chunks
from image_search_service.db.models import PersonDifference, PersonRow
from image_search_service.db.queries import prepared
from image_search_service.db.queries.batches import BATCH, upsert_rows
from image_search_service.db.queries.decisions.current_values import Values, as_text, as_uuid, pairs_exist

_PERSONS = select(
    PersonRow.id,
    PersonRow.name,
    PersonRow.deleted,
    PersonRow.merged_into,
    PersonRow.hidden,
    PersonRow.birth_date,
    PersonRow.note,
    PersonRow.cover_face_id,
).where(PersonRow.id.in_(prepared.ids()))


def read_person(session: Session, fact: Fact, keys: Sequence[Key]) -> Values:
    rows = prepared.run(session, _PERSONS, {"ids": [key.id for key in keys]})
    persons = {person.id: person for person in rows}
    missing = True if fact is Fact.PERSON_GONE else None
    return {key: PERSON_VALUES[fact](persons[key.id]) if key.id in persons else missing for key in keys}


PERSON_VALUES: dict[Fact, Callable[[Row[Any]], Any]] = {
    Fact.PERSON_NAME: lambda person: None if person.deleted and not person.merged_into else person.name,
    Fact.PERSON_GONE: lambda person: as_text(person.merged_into) or person.deleted,
    Fact.PERSON_HIDDEN: lambda person: person.hidden,
    Fact.PERSON_BIRTH: lambda person: None if person.birth_date is None else person.birth_date.isoformat(),
    Fact.PERSON_NOTE: lambda person: person.note,
    Fact.PERSON_COVER: lambda person: as_text(person.cover_face_id),
}


def _writer(columns_of: Callable[[Any], dict[str, Any]]) -> Callable[[Session, Sequence[Change]], None]:
    def write_columns(session: Session, changes: Sequence[Change]) -> None:
        rows = [{"id": change.key.id, **columns_of(change.new)} for change in changes]
        session.execute(update(PersonRow), rows)

    return write_columns


def _gone(value: Any) -> dict[str, Any]:
    return {"deleted": value is not False, "merged_into": as_uuid(value) if isinstance(value, str) else None}


def write_names(session: Session, changes: Sequence[Change]) -> None:
    """Write names. A new person's row starts as deleted, hidden from all lists until PERSON_GONE is False."""
    named = [change for change in changes if change.new is not None]
    rows = [
        {
            "id": change.key.id,
            "name": change.new,
            "name_key": name_key(change.new),
            "deleted": True,
            "hidden": False,
        }
        for change in named
    ]
    upsert_rows(session, PersonRow, rows, key=["id"], update=["name", "name_key"])


WRITERS: dict[Fact, Callable[[Session, Sequence[Change]], None]] = {
    Fact.PERSON_NAME: write_names,
    Fact.PERSON_GONE: _writer(_gone),
    Fact.PERSON_HIDDEN: _writer(lambda value: {"hidden": bool(value)}),
    Fact.PERSON_BIRTH: _writer(
        lambda value: {"birth_date": None if value is None else date.fromisoformat(value)}
    ),
    Fact.PERSON_NOTE: _writer(lambda value: {"note": value}),
    Fact.PERSON_COVER: _writer(lambda value: {"cover_face_id": as_uuid(value)}),
}
"""In this order: writing the name creates the row."""


# Facts about two persons


def read_different(session: Session, _fact: Fact, keys: Sequence[Key]) -> Values:
    pairs = select(PersonDifference.person_id, PersonDifference.other_id).where(
        PersonDifference.person_id.in_({key.id for key in keys}),
        PersonDifference.other_id.in_({key.other for key in keys}),
    )
    return pairs_exist(session.execute(pairs), keys)


def write_different(session: Session, changes: Sequence[Change]) -> None:
    pair = tuple_(PersonDifference.person_id, PersonDifference.other_id)
    for part in chunks((change.key for change in changes if not change.new), BATCH):
        is_taken_back = pair.in_([(key.id, key.other) for key in part])
        session.execute(
            delete(PersonDifference).where(is_taken_back).execution_options(synchronize_session=False)
        )
    rows = [{"person_id": change.key.id, "other_id": change.key.other} for change in changes if change.new]
    upsert_rows(session, PersonDifference, rows, key=["person_id", "other_id"], update=[])
