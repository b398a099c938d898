"""PostgreSQL's triggers: each looks at all rows that a statement has changed, since there each change of a
row leaves its former version behind until the transaction ends."""
# ruff: noqa: S608 - all of the SQL is written here

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from image_search_service.db.models.kept.columns import FOLLOWED, is_unknown
from image_search_service.db.models.kept.statements import (
    ONE_MORE_CHANGE,
    KeepingTrigger,
    answerable_in,
    answerable_of,
    changed_faces,
    deleted_or_back,
    more_faces,
)


def _counts(moved: str) -> str:
    """Persons have other faces. moved: rows of a person, a photo and how many faces more."""
    return (
        changed_faces("counted.more") + " FROM (SELECT moved.person_id, sum(moved.more) AS more "
        f"FROM ({moved}) AS moved WHERE moved.person_id IS NOT NULL AND NOT EXISTS (SELECT 1 "
        "FROM image_assets WHERE image_assets.id = moved.asset_id AND image_assets.replaced) "
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
        ),
        ("replaced",),
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
    """The function, for which ``changed`` are the photos or suggestions that its statements are about, and
    the trigger that calls it. What it changes calls it again, and is about nothing.

    What reads the rows of the statement is planned anew each time: a plan that was kept from a statement
    about one row would compare each of thousands with each.
    """
    key = "asset_id" if trigger.table == "face_instances" else "id"
    tables = {"INSERT": ("now",), "DELETE": ("gone",), "UPDATE": ("gone", "now")}[trigger.change]
    rows = "gone JOIN now ON now.id = gone.id" if trigger.change == "UPDATE" else tables[0]
    different = " OR ".join(f"gone.{column} IS DISTINCT FROM now.{column}" for column in trigger.when)
    where = f" WHERE {different}" if trigger.when else ""
    photos = " UNION ".join(f"SELECT {table}.{key} FROM {rows}{where}" for table in tables)
    body = "; ".join(f"EXECUTE $sql${one}$sql$" if _READS_ROWS(one) else one for one in trigger.statements)
    yield (
        f"CREATE OR REPLACE FUNCTION {trigger.name}() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ DECLARE changed uuid[]; BEGIN EXECUTE $sql$SELECT ARRAY({photos})$sql$ INTO changed; "
        f"IF cardinality(changed) = 0 THEN RETURN NULL; END IF; {body}; RETURN NULL; END $$"
    )
    seen = " ".join(f"{'NEW' if table == 'now' else 'OLD'} TABLE AS {table}" for table in tables)
    yield (
        f"CREATE TRIGGER {trigger.name} AFTER {trigger.change} ON {trigger.table} "
        f"REFERENCING {seen} FOR EACH STATEMENT EXECUTE FUNCTION {trigger.name}()"
    )
