"""Reads and writes facts about one person or two."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Row, bindparam, delete, select, tuple_, update
from sqlalchemy.orm import Session

from image_search_service.core.decisions import Change, Fact, Key
from image_search_service.core.names import name_key
from image_search_service.core.parallel import chunks
from image_search_service.db.models import PersonDifference, PersonRow
from image_search_service.db.queries import prepared
from image_search_service.db.queries.batches import BATCH, insert_new_rows, upsert_rows
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
).where(prepared.among(PersonRow.id))


def read_persons(session: Session, keys: Sequence[Key]) -> Values:
    """Facts of at most ``BATCH`` persons: one statement."""
    rows = prepared.run(session, _PERSONS, {"ids": sorted({key.id for key in keys})})
    persons = {person.id: person for person in rows}
    return {
        key: PERSON_VALUES[key.fact](persons[key.id]) if key.id in persons else _of_nobody(key.fact)
        for key in keys
    }


def _of_nobody(fact: Fact) -> bool | None:
    """The value of a person's fact before they were created."""
    return True if fact is Fact.PERSON_GONE else None


PERSON_VALUES: dict[Fact, Callable[[Row[Any]], Any]] = {
    Fact.PERSON_NAME: lambda person: None if person.deleted and not person.merged_into else person.name,
    Fact.PERSON_GONE: lambda person: as_text(person.merged_into) or person.deleted,
    Fact.PERSON_HIDDEN: lambda person: person.hidden,
    Fact.PERSON_BIRTH: lambda person: None if person.birth_date is None else person.birth_date.isoformat(),
    Fact.PERSON_NOTE: lambda person: person.note,
    Fact.PERSON_COVER: lambda person: as_text(person.cover_face_id),
}


def _writer(**columns: Callable[[Any], Any]) -> Callable[[Session, Sequence[Change]], None]:
    """Writes these columns, each with what its function makes of a fact's new value."""
    statement = (
        update(PersonRow)
        .where(PersonRow.id == bindparam("person"))
        .values({name: bindparam(f"new_{name}") for name in columns})
    )

    def write_columns(session: Session, changes: Sequence[Change]) -> None:
        rows = [
            {"person": change.key.id, **{f"new_{name}": of(change.new) for name, of in columns.items()}}
            for change in changes
        ]
        prepared.run(session, statement, rows)

    return write_columns


CREATING = (Fact.PERSON_NAME, Fact.PERSON_GONE)
"""The facts that ``create`` writes."""


def _merged_into(gone: bool | str) -> uuid.UUID | None:
    return as_uuid(gone) if isinstance(gone, str) else None


def create(session: Session, changes: Sequence[Change]) -> set[uuid.UUID]:
    """Insert the persons whom these changes give a name and say to be there, as far as nobody has their ids:
    one statement. Returns their ids; of those ``CREATING`` is written."""
    there = {gone.key.id for gone in changes if gone.key.fact is Fact.PERSON_GONE and gone.new is False}
    names = [change for change in changes if change.key.fact is Fact.PERSON_NAME and change.new is not None]
    rows = [_row(name, deleted=False) for name in names if name.key.id in there]
    return insert_new_rows(session, PersonRow, rows)


def _row(name: Change, *, deleted: bool) -> dict[str, Any]:
    return {
        "id": name.key.id,
        "name": name.new,
        "name_key": name_key(name.new),
        "deleted": deleted,
        "hidden": False,
    }


def write_names(session: Session, changes: Sequence[Change]) -> None:
    """Write names. Who has no row gets one as deleted, hidden from all lists until PERSON_GONE is False."""
    rows = [_row(change, deleted=True) for change in changes if change.new is not None]
    upsert_rows(session, PersonRow, rows, key=["id"], update=["name", "name_key"])


WRITERS: dict[Fact, Callable[[Session, Sequence[Change]], None]] = {
    Fact.PERSON_NAME: write_names,
    Fact.PERSON_GONE: _writer(deleted=lambda gone: gone is not False, merged_into=_merged_into),
    Fact.PERSON_HIDDEN: _writer(hidden=bool),
    Fact.PERSON_BIRTH: _writer(birth_date=lambda value: None if value is None else date.fromisoformat(value)),
    Fact.PERSON_NOTE: _writer(note=lambda value: value),
    Fact.PERSON_COVER: _writer(cover_face_id=as_uuid),
}
"""In this order: writing the name creates the row."""


# Facts about two persons


def read_different(session: Session, keys: Sequence[Key]) -> Values:
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
