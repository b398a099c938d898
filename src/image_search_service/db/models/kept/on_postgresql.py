"""PostgreSQL's triggers: each looks at all rows that a statement has changed, since there each change of a
row leaves its former version behind until the transaction ends."""
# ruff: noqa: S608 - all of the SQL is written here

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from image_search_service.db.models.kept.columns import (
    COUNTED,
    FOLLOWED,
    is_alone,
    is_listed,
    is_unknown,
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


def _is_shown(row: str) -> str:
    """Whether its photo was not replaced: such photos are few and have an index, so that no other is read."""
    return f"NOT EXISTS (SELECT 1 FROM image_assets WHERE image_assets.id = {row}.asset_id AND replaced)"


def _counts(moved: str) -> str:
    """Persons have other faces. moved: rows of a person, a photo and how many faces more."""
    return (
        changed_faces("counted.more") + " FROM (SELECT moved.person_id, sum(moved.more) AS more "
        f"FROM ({moved}) AS moved WHERE moved.person_id IS NOT NULL AND {_is_shown('moved')} "
        "GROUP BY moved.person_id) AS counted WHERE persons.id = counted.person_id"
    )


_PERSONS_NOW = "SELECT person_id, asset_id, 1 AS more FROM now"
_PERSONS_THEN = "SELECT person_id, asset_id, -1 AS more FROM gone"
_PERSONS_MOVED = (
    "SELECT side.person_id, side.asset_id, side.more FROM now JOIN gone ON gone.id = now.id, "
    "LATERAL (VALUES (now.person_id, now.asset_id, 1), (gone.person_id, gone.asset_id, -1)) "
    "AS side (person_id, asset_id, more) "
    "WHERE (now.person_id, now.asset_id) IS DISTINCT FROM (gone.person_id, gone.asset_id)"
)
_UNKNOWN_NOW = f"SELECT asset_id, 1 AS more FROM now WHERE {is_unknown('now')}"
_UNKNOWN_THEN = f"SELECT asset_id, -1 AS more FROM gone WHERE {is_unknown('gone')}"


def _unknown(changed: str) -> str:
    """Photos have other faces to name. changed: rows of a photo and how many faces more."""
    return (
        "UPDATE image_assets SET unknown_faces = unknown_faces + counted.more "
        f"FROM (SELECT changed.asset_id, sum(changed.more) AS more FROM ({changed}) AS changed "
        "GROUP BY changed.asset_id HAVING sum(changed.more) <> 0) AS counted "
        "WHERE image_assets.id = counted.asset_id"
    )


def _of_library(counts: str, *columns: str) -> str:
    """The library has other counts. counts: a statement whose one row says how many more of each column."""
    more = ", ".join(f"{column} = library.{column} + counted.{column}" for column in columns)
    is_any = " OR ".join(f"counted.{column} <> 0" for column in columns)
    return f"UPDATE library SET {more} FROM ({counts}) AS counted WHERE {is_any}"


def _faces_of_library(*sides: str) -> str:
    """Other faces have names, or are alone. sides: rows of what counts of a face, and how many more it is."""
    more = "coalesce(sum(face.more) FILTER (WHERE {}), 0) AS {}".format
    return _of_library(
        f"SELECT {more('face.person_id IS NOT NULL', 'named_faces')}, "
        f"{more(is_alone('face'), 'alone_faces')} "
        f"FROM ({' UNION ALL '.join(sides)}) AS face WHERE {_is_shown('face')}",
        "named_faces",
        "alone_faces",
    )


def _photos_of_library(sides: str) -> str:
    """Other photos are listed. sides: rows of how many more each of them is."""
    return _of_library(f"SELECT coalesce(sum(photo.more), 0) AS photos FROM ({sides}) AS photo", "photos")


_FACES_NOW = f"SELECT {', '.join(COUNTED)}, 1 AS more FROM now"
_FACES_THEN = f"SELECT {', '.join(COUNTED)}, -1 AS more FROM gone"
_LISTED_NOW = f"SELECT 1 AS more FROM now WHERE {is_listed('now')}"
_LISTED_THEN = f"SELECT -1 AS more FROM gone WHERE {is_listed('gone')}"
_CHANGED = "= ANY(changed)"
_REPEATS = (
    "UPDATE face_instances SET repeats = NOT repeats WHERE id IN (SELECT of_photos.id FROM ("
    "SELECT id, repeats, person_id IS NOT NULL AND row_number() OVER (PARTITION BY asset_id, person_id "
    f"ORDER BY id) > 1 AS is_repeat FROM face_instances WHERE asset_id {_CHANGED}) AS of_photos "
    "WHERE of_photos.repeats <> of_photos.is_repeat)"
)
"""As ``REPEATS``, by reading each changed photo's faces once."""


def _flipping(update: str) -> str:
    """The statement that says of suggestions whether they can be answered, and counts them."""
    return (
        f"WITH flipped AS ({update} RETURNING person_id, answerable), counted AS (SELECT person_id, "
        "sum(CASE WHEN answerable THEN 1 ELSE -1 END) AS more FROM flipped GROUP BY person_id) "
        "UPDATE persons SET waiting = waiting + counted.more FROM counted "
        "WHERE persons.id = counted.person_id"
    )


_ADDED_WAITING = (
    "UPDATE persons SET waiting = waiting + counted.more FROM (SELECT person_id, count(*) AS more "
    f"FROM face_suggestions WHERE id {_CHANGED} AND answerable GROUP BY person_id) AS counted "
    "WHERE persons.id = counted.person_id"
)
_REMOVED_WAITING = (
    "UPDATE persons SET waiting = waiting - counted.fewer FROM (SELECT person_id, count(*) AS fewer "
    "FROM gone WHERE answerable GROUP BY person_id) AS counted WHERE persons.id = counted.person_id"
)
_FOLLOWING = (_REPEATS, _flipping(answerable_in(_CHANGED)))
TRIGGERS: Final = (
    KeepingTrigger(
        "keep_added_faces",
        "face_instances",
        "INSERT",
        (
            more_faces("(SELECT count(*) FROM now)"),
            _counts(_PERSONS_NOW),
            _unknown(_UNKNOWN_NOW),
            _faces_of_library(_FACES_NOW),
            *_FOLLOWING,
        ),
    ),
    KeepingTrigger(
        "keep_removed_faces",
        "face_instances",
        "DELETE",
        (
            more_faces("-(SELECT count(*) FROM gone)"),
            _counts(_PERSONS_THEN),
            _unknown(_UNKNOWN_THEN),
            _faces_of_library(_FACES_THEN),
            *_FOLLOWING,
        ),
    ),
    KeepingTrigger(
        "keep_changed_faces",
        "face_instances",
        "UPDATE",
        (
            ONE_MORE_CHANGE,
            _counts(_PERSONS_MOVED),
            _unknown(f"{_UNKNOWN_NOW} UNION ALL {_UNKNOWN_THEN}"),
            *_FOLLOWING,
        ),
        FOLLOWED,
    ),
    KeepingTrigger(
        "keep_counted_faces",
        "face_instances",
        "UPDATE",
        (_faces_of_library(_FACES_NOW, _FACES_THEN),),
    ),
    KeepingTrigger(
        "keep_replaced_photos",
        "image_assets",
        "UPDATE",
        (
            ONE_MORE_CHANGE,
            (
                changed_faces("counted.more") + " FROM (SELECT face_instances.person_id, "
                "sum(CASE WHEN image_assets.replaced THEN -1 ELSE 1 END) AS more FROM face_instances "
                "JOIN image_assets ON image_assets.id = face_instances.asset_id "
                f"WHERE image_assets.id {_CHANGED} "
                "GROUP BY face_instances.person_id) AS counted WHERE persons.id = counted.person_id"
            ),
            _flipping(answerable_in(_CHANGED)),
            _of_library(
                "SELECT coalesce(sum(photo.more * photo.named), 0) AS named_faces, "
                "coalesce(sum(photo.more * photo.alone), 0) AS alone_faces FROM ("
                "SELECT CASE WHEN image_assets.replaced THEN -1 ELSE 1 END AS more, "
                "count(face.person_id) AS named, "
                f"count(*) FILTER (WHERE {is_alone('face')}) AS alone FROM image_assets "
                f"JOIN face_instances AS face ON face.asset_id = image_assets.id "
                f"WHERE image_assets.id {_CHANGED} GROUP BY image_assets.id) AS photo",
                "named_faces",
                "alone_faces",
            ),
        ),
        ("replaced",),
    ),
    KeepingTrigger("keep_added_photos", "image_assets", "INSERT", (_photos_of_library(_LISTED_NOW),)),
    KeepingTrigger("keep_removed_photos", "image_assets", "DELETE", (_photos_of_library(_LISTED_THEN),)),
    KeepingTrigger(
        "keep_listed_photos",
        "image_assets",
        "UPDATE",
        (_photos_of_library(f"{_LISTED_NOW} UNION ALL {_LISTED_THEN}"),),
    ),
    KeepingTrigger(
        "keep_deleted_persons",
        "persons",
        "UPDATE",
        (ONE_MORE_CHANGE, deleted_or_back(_CHANGED)),
        ("deleted",),
    ),
    KeepingTrigger(
        "keep_added_suggestions",
        "face_suggestions",
        "INSERT",
        (_ADDED_WAITING, _flipping(answerable_of(_CHANGED))),
    ),
    KeepingTrigger("keep_removed_suggestions", "face_suggestions", "DELETE", (_REMOVED_WAITING,)),
    KeepingTrigger(
        "keep_answered_suggestions",
        "face_suggestions",
        "UPDATE",
        (_flipping(answerable_of(_CHANGED)),),
        ("state",),
    ),
)


_READS_ROWS = re.compile(r"\b(FROM|JOIN) (now|gone)\b").search


def creating(trigger: KeepingTrigger) -> Iterator[str]:
    """The function, and the trigger that calls it, but not for what triggers themselves change: nothing
    follows from that which they do not change as well.

    What reads the rows of the statement is planned anew each time: a plan that was kept from a statement
    about one row would compare each of thousands with each.
    """
    tables = {"INSERT": ("now",), "DELETE": ("gone",), "UPDATE": ("gone", "now")}[trigger.change]
    body = "; ".join(f"EXECUTE $sql${one}$sql$" if _READS_ROWS(one) else one for one in trigger.statements)
    if any(_CHANGED in statement for statement in trigger.statements):
        body = f"{_which_changed(trigger, tables)}; {body}"
    yield (
        f"CREATE OR REPLACE FUNCTION {trigger.name}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ DECLARE changed uuid[]; BEGIN {body}; RETURN NULL; END $$"
    )
    seen = " ".join(f"{'NEW' if table == 'now' else 'OLD'} TABLE AS {table}" for table in tables)
    yield (
        f"CREATE TRIGGER {trigger.name} AFTER {trigger.change} ON {trigger.table} REFERENCING {seen} "
        f"FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION {trigger.name}()"
    )


def _which_changed(trigger: KeepingTrigger, tables: Sequence[str]) -> str:
    """Sets ``changed``: the photos or suggestions that the statements are about; without any, that is all."""
    key = "asset_id" if trigger.table == "face_instances" else "id"
    rows = "gone JOIN now ON now.id = gone.id" if trigger.change == "UPDATE" else tables[0]
    different = " OR ".join(f"gone.{column} IS DISTINCT FROM now.{column}" for column in trigger.when)
    where = f" WHERE {different}" if trigger.when else ""
    ids = " UNION ".join(f"SELECT {table}.{key} FROM {rows}{where}" for table in tables)
    return (
        f"EXECUTE $sql$SELECT ARRAY({ids})$sql$ INTO changed; "
        "IF cardinality(changed) = 0 THEN RETURN NULL; END IF"
    )
