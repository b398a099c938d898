"""People with a name, and the list of people and clusters that a user sees."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from image_search_service.core.parallel import chunks
from image_search_service.db.models import AssetPath, ClusterRow, FaceInstance, ImageAsset, PersonRow
from image_search_service.db.queries.batches import BATCH, upsert_rows
from image_search_service.db.queries.conditions import IS_PRESENT, existing_file


@dataclass(frozen=True, slots=True)
class PersonSize:
    """A named person and how many faces and photos show them."""

    id: uuid.UUID
    name: str
    faces: int
    photos: int
    sample: Path | None
    """A file that shows the clearest of their faces."""
    note: str | None = None
    """What tells them from somebody of the same name."""


@dataclass(frozen=True, slots=True)
class ClusterSize:
    """An unnamed cluster, how many faces it has, and one photo of it."""

    id: uuid.UUID
    faces: int
    confidence: float
    representative_face_id: uuid.UUID
    sample: Path | None


def make_rows(session: Session, person_ids: Iterable[uuid.UUID]) -> None:
    """Create a row, as deleted, for each of the persons that has none: one statement."""
    rows = [
        {"id": person_id, "name": "", "name_key": "", "deleted": True, "hidden": False}
        for person_id in sorted(person_ids)
    ]
    upsert_rows(session, PersonRow, rows, key=["id"], update=[])


def persons_by_keys(session: Session, name_keys: Sequence[str]) -> dict[str, list[PersonRow]]:
    """Those who are there and have one of these names: one statement."""
    rows = session.scalars(
        select(PersonRow)
        .where(PersonRow.name_key.in_(name_keys), ~PersonRow.deleted)
        .order_by(PersonRow.created_at, PersonRow.id)
    )
    people: dict[str, list[PersonRow]] = {}
    for person in rows:
        people.setdefault(person.name_key, []).append(person)
    return people


def rows_by_ids(session: Session, person_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, PersonRow]:
    """All of these persons that have a row, merged and deleted ones, too: a statement for each ``BATCH``."""
    return {
        person.id: person
        for part in chunks(person_ids, BATCH)
        for person in session.scalars(select(PersonRow).where(PersonRow.id.in_(part)))
    }


def persons_starting_with(session: Session, digits: str, limit: int = 2) -> list[PersonRow]:
    """Those who are there and whose id begins with these lower-case hexadecimal digits."""
    low, high = uuid.UUID(digits.ljust(32, "0")), uuid.UUID(digits.ljust(32, "f"))
    is_in = PersonRow.id.between(low, high)
    return list(session.scalars(select(PersonRow).where(is_in, ~PersonRow.deleted).limit(limit)))


def names(session: Session, person_ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, str]:
    """The names of persons, deleted and merged ones included: a statement for each ``BATCH``."""
    return {
        row[0]: row[1]
        for part in chunks(sorted(set(person_ids)), BATCH)
        for row in session.execute(select(PersonRow.id, PersonRow.name).where(PersonRow.id.in_(part)))
    }


def persons_shown_by(session: Session, face_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    """The persons for whom a human chose one of these faces to be shown: a statement for each ``BATCH``."""
    return {
        row[0]: row[1]
        for part in chunks(face_ids, BATCH)
        for row in session.execute(
            select(PersonRow.id, PersonRow.cover_face_id).where(
                PersonRow.cover_face_id.in_(part), ~PersonRow.deleted
            )
        )
        if row[1] is not None
    }


def person_sizes(session: Session, *, hidden: bool = False) -> list[PersonSize]:
    """All visible persons, or all hidden ones, those with most faces first; some may have no face."""
    shown = (
        select(FaceInstance.person_id, FaceInstance.id, FaceInstance.asset_id)
        .join(ImageAsset, ImageAsset.id == FaceInstance.asset_id)
        .where(~ImageAsset.replaced)
        .subquery()
    )
    size = func.count(shown.c.id)
    rows = session.execute(
        select(
            PersonRow.id,
            PersonRow.name,
            size,
            func.count(shown.c.asset_id.distinct()),
            _clearest_photo(),
            PersonRow.note,
        )
        .outerjoin(shown, shown.c.person_id == PersonRow.id)
        .where(~PersonRow.deleted, PersonRow.hidden.is_(hidden))
        .group_by(PersonRow.id, PersonRow.name, PersonRow.note)
        .order_by(size.desc(), PersonRow.name, PersonRow.id)
    )
    return [PersonSize(*row) for row in rows]


def _clearest_photo() -> Any:
    """For each person an existing file of the photo with their clearest face."""
    return (
        select(AssetPath.path)
        .join(FaceInstance, FaceInstance.asset_id == AssetPath.asset_id)
        .where(FaceInstance.person_id == PersonRow.id, IS_PRESENT)
        .order_by(FaceInstance.quality_score.desc(), FaceInstance.id, AssetPath.path)
        .limit(1)
        .correlate(PersonRow)
        .scalar_subquery()
    )


def cluster_sizes(session: Session, limit: int | None = None, *, aside: bool = False) -> list[ClusterSize]:
    """All clusters that are not set aside, or all that are, largest first, each with a file that shows it."""
    sample = (
        select(AssetPath.path)
        .join(FaceInstance, FaceInstance.asset_id == AssetPath.asset_id)
        .where(FaceInstance.id == ClusterRow.representative_face_id, IS_PRESENT)
        .order_by(AssetPath.path)
        .limit(1)
        .correlate(ClusterRow)
        .scalar_subquery()
    )
    rows = session.execute(
        select(
            ClusterRow.id, ClusterRow.size, ClusterRow.confidence, ClusterRow.representative_face_id, sample
        )
        .where(ClusterRow.set_aside.is_(aside))
        .order_by(ClusterRow.size.desc(), ClusterRow.id)
        .limit(limit)
    )
    return [ClusterSize(*row) for row in rows]


def photos_of_all(session: Session, person_ids: Sequence[uuid.UUID]) -> list[tuple[uuid.UUID, Path | None]]:
    """Photos that show all of the persons, oldest first, each with one existing file."""
    showing = (
        select(FaceInstance.asset_id)
        .where(FaceInstance.person_id.in_(person_ids))
        .group_by(FaceInstance.asset_id)
        .having(func.count(FaceInstance.person_id.distinct()) == len(set(person_ids)))
    )
    file = existing_file(ImageAsset.id)
    rows = session.execute(
        select(ImageAsset.id, file)
        .where(ImageAsset.id.in_(showing), ~ImageAsset.replaced)
        .order_by(ImageAsset.taken_at, ImageAsset.id)
    )
    return [(row[0], row[1]) for row in rows]
