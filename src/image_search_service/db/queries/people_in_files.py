"""People whom photos' files name without a place in the picture, such as IPTC's ``PersonInImage``."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import delete, func, select, tuple_
from sqlalchemy.orm import Session, aliased

from image_search_service.core.parallel import chunks
from image_search_service.db.models import FaceInstance, PersonInFile, PersonRow
from image_search_service.db.queries.batches import BATCH, insert_rows


@dataclass(frozen=True, slots=True)
class NamedInFile:
    """A person named in a file of a photo; the fields are those of ``PersonInFile``.

    present_name: what the person is called now, None if the library does not know them, or hides them.
    """

    asset_id: uuid.UUID
    path: Path
    key: str
    name: str
    person_id: uuid.UUID | None
    present_name: str | None = None

    @property
    def place(self) -> tuple[uuid.UUID, Path, str]:
        """What identifies the row."""
        return self.asset_id, self.path, self.key


def named_in_files(session: Session, asset_ids: Sequence[uuid.UUID]) -> list[NamedInFile]:
    """The people named in the files of at most ``BATCH`` photos; whom one was merged into stands for them."""
    person, merged = aliased(PersonRow), aliased(PersonRow)
    shown = func.coalesce(merged.name, person.name)
    rows = session.execute(
        select(
            PersonInFile,
            func.coalesce(merged.id, person.id),
            shown,
            person.deleted,
            merged.id,
            merged.hidden,
            person.hidden,
        )
        .outerjoin(person, person.id == PersonInFile.person_id)
        .outerjoin(merged, merged.id == person.merged_into)
        .where(PersonInFile.asset_id.in_(asset_ids))
        .order_by(PersonInFile.asset_id, PersonInFile.name_key, PersonInFile.path)
    )
    return [
        NamedInFile(row.asset_id, row.path, row.name_key, row.name, None, None)
        if person_id is None or (deleted and merged_id is None)
        else NamedInFile(
            row.asset_id,
            row.path,
            row.name_key,
            row.name,
            person_id,
            None if merged_hidden or hidden else name,
        )
        for row, person_id, name, deleted, merged_id, merged_hidden, hidden in rows
    ]


def replace_named(session: Session, former: Sequence[NamedInFile], present: Sequence[NamedInFile]) -> None:
    """Store what the files of some photos have now instead of what they had: nothing if it is the same. Who
    had a name when it was first read stays the one whom it means."""
    now = {name.place: name for name in present}
    before = {
        name.place: name
        for name in former
        if name.person_id is not None or name.place not in now or now[name.place].person_id is None
    }
    stale = {name.place for name in former} - (before.keys() & now.keys())
    for part in chunks(sorted(stale, key=str), BATCH):
        these = tuple_(PersonInFile.asset_id, PersonInFile.path, PersonInFile.name_key).in_(part)
        session.execute(delete(PersonInFile).where(these).execution_options(synchronize_session=False))
    rows = [
        {
            "asset_id": name.asset_id,
            "path": name.path,
            "name_key": name.key,
            "name": name.name,
            "person_id": name.person_id,
        }
        for place, name in now.items()
        if place not in before
    ]
    insert_rows(session, PersonInFile, rows)


def without_face(session: Session, asset_id: uuid.UUID) -> list[NamedInFile]:
    """The people whom files of a photo name and who have no face in it, each once: two statements."""
    with_face = set(session.scalars(select(FaceInstance.person_id).where(FaceInstance.asset_id == asset_id)))
    named = {
        str(name.person_id or name.key): name
        for name in named_in_files(session, [asset_id])
        if name.person_id is None or (name.person_id not in with_face and name.present_name is not None)
    }
    return list(named.values())
