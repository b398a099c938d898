"""What triggers do on every database, and what a trigger is."""
# ruff: noqa: S608 - all of the SQL is written here

from __future__ import annotations

from dataclasses import dataclass

from image_search_service.db.models.kept.columns import ANSWERABLE


def answerable_in(photos: str) -> str:
    """The suggestions of photos' faces: each face has bearing on those of the others. photos: a condition
    that follows a photo's id, as ``= NEW.id``."""
    return (
        "UPDATE face_suggestions SET answerable = NOT answerable WHERE state = 'pending' "
        f"AND face_instance_id IN (SELECT id FROM face_instances WHERE asset_id {photos}) "
        f"AND answerable <> {ANSWERABLE.value}"
    )


def answerable_of(which: str) -> str:
    """These suggestions. which: a condition that follows a suggestion's id."""
    return (
        f"UPDATE face_suggestions SET answerable = {ANSWERABLE.value} "
        f"WHERE id {which} AND answerable <> {ANSWERABLE.value}"
    )


@dataclass(frozen=True, slots=True)
class KeepingTrigger:
    """What is done after rows of a table have changed. when: of an ``UPDATE``, the columns of which one has
    changed."""

    name: str
    table: str
    change: str
    statements: tuple[str, ...]
    when: tuple[str, ...] = ()


ONE_MORE_CHANGE = "UPDATE library SET changes = changes + 1"
_NOW_CHANGED = "faces_version = coalesce((SELECT max(changes) FROM library), persons.faces_version + 1)"
"""Of persons, after ``ONE_MORE_CHANGE``; a library that is bound to no engine has no row that counts."""


def changed_faces(more: str) -> str:
    """Persons have so many more faces, which are others than before."""
    return f"UPDATE persons SET faces = faces + {more}, {_NOW_CHANGED}"


def deleted_or_back(persons: str) -> str:
    """Persons are deleted, or come back: whoever has computed something of everybody's faces looks again."""
    return f"UPDATE persons SET {_NOW_CHANGED} WHERE id {persons}"


def more_faces(more: str) -> str:
    """The library has so many more faces, some of which may be somebody's."""
    return f"UPDATE library SET faces = faces + {more}, changes = changes + 1"
