"""SQLite's triggers: each looks at one row that has changed."""
# ruff: noqa: S608 - all of the SQL is written here

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from image_search_service.db.models.kept.columns import (
    COUNTED,
    FOLLOWED,
    REPEATS,
    UNKNOWN_FACES,
    is_alone,
    is_listed,
)
from image_search_service.db.models.kept.statements import (
    ONE_MORE_CHANGE,
    KeepingTrigger,
    answerable_in,
    answerable_of,
    changed_faces,
    deleted_or_back,
    more_faces,
)


def _of_photos(photos: str, faces: str) -> tuple[str, ...]:
    """All that follows from the faces of photos. faces: a condition for those that may be repeats now, or may
    have been: faces without a person are none, however many a photo has."""
    return (
        (
            f"UPDATE image_assets SET unknown_faces = {UNKNOWN_FACES.value} "
            f"WHERE id {photos} AND unknown_faces <> {UNKNOWN_FACES.value}"
        ),
        (
            f"UPDATE face_instances SET repeats = NOT repeats WHERE asset_id {photos} AND {faces} "
            f"AND repeats <> {REPEATS.value}"
        ),
        answerable_in(photos),
    )


def _count(of: str, more: int) -> str:
    """The person of a face (``OLD`` or ``NEW``) has one more or fewer."""
    return (
        f"{changed_faces(str(more))} WHERE id = {of}.person_id "
        f"AND NOT (SELECT replaced FROM image_assets WHERE id = {of}.asset_id)"
    )


def _waiting(more: str, suggestion: str) -> str:
    """The person of a suggestion has so many more that can be answered."""
    return (
        f"UPDATE persons SET waiting = waiting + ({more}) WHERE id = {suggestion}.person_id AND {more} <> 0"
    )


def _is_shown(face: str) -> str:
    return f"NOT (SELECT replaced FROM image_assets WHERE id = {face}.asset_id)"


def _is_named(face: str) -> str:
    return f"({face}.person_id IS NOT NULL AND {_is_shown(face)})"


def _is_alone(face: str) -> str:
    return f"({is_alone(face)} AND {_is_shown(face)})"


def _of_library(column: str, more: str) -> str:
    """The library counts so many more."""
    return f"UPDATE library SET {column} = {column} + ({more}) WHERE ({more}) <> 0"


def _of_photo(condition: str) -> str:
    """How many more faces of the photo count since it was, or is no longer, replaced."""
    return (
        "(CASE WHEN NEW.replaced THEN -1 ELSE 1 END) * (SELECT count(*) FROM face_instances "
        f"WHERE asset_id = NEW.id AND {condition})"
    )


_MOVED = ("person_id", "asset_id")
TRIGGERS: Final = (
    KeepingTrigger(
        "keep_added_face",
        "face_instances",
        "INSERT",
        (
            more_faces("1"),
            _count("NEW", 1),
            _of_library("named_faces", _is_named("NEW")),
            _of_library("alone_faces", _is_alone("NEW")),
            *_of_photos("= NEW.asset_id", "person_id = NEW.person_id"),
        ),
    ),
    KeepingTrigger(
        "keep_removed_face",
        "face_instances",
        "DELETE",
        (
            more_faces("-1"),
            _count("OLD", -1),
            _of_library("named_faces", f"-{_is_named('OLD')}"),
            _of_library("alone_faces", f"-{_is_alone('OLD')}"),
            *_of_photos("= OLD.asset_id", "person_id = OLD.person_id"),
        ),
    ),
    KeepingTrigger(
        "keep_moved_face",
        "face_instances",
        "UPDATE",
        (
            f"{ONE_MORE_CHANGE}, named_faces = named_faces + {_is_named('NEW')} - {_is_named('OLD')}",
            _count("OLD", -1),
            _count("NEW", 1),
        ),
        _MOVED,
    ),
    KeepingTrigger(
        "keep_alone_face",
        "face_instances",
        "UPDATE",
        (_of_library("alone_faces", f"{_is_alone('NEW')} - {_is_alone('OLD')}"),),
        COUNTED,
    ),
    KeepingTrigger(
        "keep_changed_face",
        "face_instances",
        "UPDATE",
        _of_photos(
            "IN (OLD.asset_id, NEW.asset_id)", "(person_id IN (OLD.person_id, NEW.person_id) OR id = NEW.id)"
        ),
        FOLLOWED,
    ),
    KeepingTrigger(
        "keep_replaced_photo",
        "image_assets",
        "UPDATE",
        (
            ONE_MORE_CHANGE,
            (
                changed_faces(
                    "(CASE WHEN NEW.replaced THEN -1 ELSE 1 END) * (SELECT count(*) FROM face_instances "
                    "WHERE asset_id = NEW.id AND person_id = persons.id)"
                )
                + " WHERE id IN (SELECT person_id FROM face_instances WHERE asset_id = NEW.id)"
            ),
            answerable_in("= NEW.id"),
            _of_library("named_faces", _of_photo("person_id IS NOT NULL")),
            _of_library("alone_faces", _of_photo(is_alone("face_instances"))),
        ),
        ("replaced",),
    ),
    KeepingTrigger("keep_added_photo", "image_assets", "INSERT", (_of_library("photos", is_listed("NEW")),)),
    KeepingTrigger(
        "keep_removed_photo", "image_assets", "DELETE", (_of_library("photos", f"-({is_listed('OLD')})"),)
    ),
    KeepingTrigger(
        "keep_listed_photo",
        "image_assets",
        "UPDATE",
        (_of_library("photos", f"({is_listed('NEW')}) - ({is_listed('OLD')})"),),
        ("failure", "replaced"),
    ),
    KeepingTrigger(
        "keep_deleted_person",
        "persons",
        "UPDATE",
        (ONE_MORE_CHANGE, deleted_or_back("= NEW.id")),
        ("deleted",),
    ),
    KeepingTrigger(
        "keep_added_suggestion",
        "face_suggestions",
        "INSERT",
        (_waiting("NEW.answerable", "NEW"), answerable_of("= NEW.id")),
    ),
    KeepingTrigger(
        "keep_removed_suggestion", "face_suggestions", "DELETE", (_waiting("-OLD.answerable", "OLD"),)
    ),
    KeepingTrigger(
        "keep_answered_suggestion", "face_suggestions", "UPDATE", (answerable_of("= NEW.id"),), ("state",)
    ),
    KeepingTrigger(
        "keep_waiting_suggestion",
        "face_suggestions",
        "UPDATE",
        (_waiting("NEW.answerable - OLD.answerable", "NEW"),),
        ("answerable",),
    ),
)


def creating(trigger: KeepingTrigger) -> Iterator[str]:
    """The statement that creates it."""
    change = f"UPDATE OF {', '.join(trigger.when)}" if trigger.when else trigger.change
    changed = " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in trigger.when)
    when = f" WHEN {changed}" if trigger.when else ""
    body = "; ".join(trigger.statements)
    yield f"CREATE TRIGGER {trigger.name} AFTER {change} ON {trigger.table}{when} BEGIN {body}; END"
