"""Counts and states that are kept in columns, since lists would else count all faces for each page.

``KEPT`` has the one definition of each. Triggers bring a column up to date in the transaction that changes
what it follows from, whoever changes it; the doctor compares all of them with their definitions
(``db/queries/kept.py``). With a person's number of faces goes ``faces_version``, by which whatever was
computed of their faces, in a table or in the memory of any process, is known to be old.

SQLite's triggers look at each row that has changed, PostgreSQL's at all rows of a statement: there, each
change of a row leaves its former version behind until the transaction ends.
"""
# ruff: noqa: S608 - all of the SQL is written here

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from sqlalchemy import DDL, Table, event

from image_search_service.db.models.base import Base


@dataclass(frozen=True, slots=True)
class KeptColumn:
    """A column and the value that it must have: SQL over a row of its table, the same on every database."""

    table: str
    column: str
    value: str


# coalesce keeps SQLite from the indexes of persons: a photo has few faces, they have many.
FACES_OF_PERSON: Final = KeptColumn(
    "persons",
    "faces",
    "(SELECT count(*) FROM face_instances JOIN image_assets ON image_assets.id = face_instances.asset_id "
    "WHERE face_instances.person_id = persons.id AND NOT image_assets.replaced)",
)
UNKNOWN_FACES: Final = KeptColumn(
    "image_assets",
    "unknown_faces",
    "(SELECT count(*) FROM face_instances WHERE face_instances.asset_id = image_assets.id "
    "AND face_instances.person_id IS NULL AND face_instances.is_face AND NOT face_instances.set_aside)",
)
REPEATS: Final = KeptColumn(
    "face_instances",
    "repeats",
    "EXISTS (SELECT 1 FROM face_instances AS other WHERE other.asset_id = face_instances.asset_id "
    "AND coalesce(other.person_id, NULL) = face_instances.person_id AND other.id < face_instances.id)",
)
ANSWERABLE: Final = KeptColumn(
    "face_suggestions",
    "answerable",
    "(face_suggestions.state = 'pending' AND EXISTS (SELECT 1 FROM face_instances AS face "
    "JOIN image_assets ON image_assets.id = face.asset_id WHERE face.id = face_suggestions.face_instance_id "
    "AND face.person_id IS NULL AND face.is_face AND NOT face.set_aside AND NOT image_assets.replaced "
    "AND NOT EXISTS (SELECT 1 FROM face_instances AS other WHERE other.asset_id = face.asset_id "
    "AND coalesce(other.person_id, NULL) = face_suggestions.person_id)))",
)
KEPT: Final = (FACES_OF_PERSON, UNKNOWN_FACES, REPEATS, ANSWERABLE)
FOLLOWED: Final = ("person_id", "is_face", "set_aside", "asset_id")
"""Columns of a face that kept columns follow from."""


def _answerable_in(photos: str) -> str:
    """The suggestions of photos' faces: each face has bearing on those of the others. photos: a condition
    that follows a photo's id, as ``= NEW.id``."""
    return (
        "UPDATE face_suggestions SET answerable = NOT answerable WHERE state = 'pending' "
        f"AND face_instance_id IN (SELECT id FROM face_instances WHERE asset_id {photos}) "
        f"AND answerable <> {ANSWERABLE.value}"
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
        _answerable_in(photos),
    )


def _suggestions(which: str) -> str:
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


def _changed_faces(more: str) -> str:
    """Persons have so many more faces, which are others than before."""
    return f"UPDATE persons SET faces = faces + {more}, faces_version = faces_version + 1"


def _deleted_or_back(persons: str) -> str:
    """Persons are deleted, or come back: whoever has computed something of everybody's faces looks again."""
    return f"UPDATE persons SET faces_version = faces_version + 1 WHERE id {persons}"


def _count(of: str, more: int) -> str:
    """The person of a face (``OLD`` or ``NEW``) has one more or fewer."""
    return (
        f"{_changed_faces(str(more))} WHERE id = {of}.person_id "
        f"AND NOT (SELECT replaced FROM image_assets WHERE id = {of}.asset_id)"
    )


_MOVED = ("person_id", "asset_id")
ON_SQLITE: Final = (
    KeepingTrigger(
        "keep_added_face",
        "face_instances",
        "INSERT",
        (_count("NEW", 1), *_of_photos("= NEW.asset_id", "person_id = NEW.person_id")),
    ),
    KeepingTrigger(
        "keep_removed_face",
        "face_instances",
        "DELETE",
        (_count("OLD", -1), *_of_photos("= OLD.asset_id", "person_id = OLD.person_id")),
    ),
    KeepingTrigger(
        "keep_moved_face", "face_instances", "UPDATE", (_count("OLD", -1), _count("NEW", 1)), _MOVED
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
            (
                _changed_faces(
                    "(CASE WHEN NEW.replaced THEN -1 ELSE 1 END) * (SELECT count(*) FROM face_instances "
                    "WHERE asset_id = NEW.id AND person_id = persons.id)"
                )
                + " WHERE id IN (SELECT person_id FROM face_instances WHERE asset_id = NEW.id)"
            ),
            _answerable_in("= NEW.id"),
        ),
        ("replaced",),
    ),
    KeepingTrigger("keep_deleted_person", "persons", "UPDATE", (_deleted_or_back("= NEW.id"),), ("deleted",)),
    KeepingTrigger("keep_added_suggestion", "face_suggestions", "INSERT", (_suggestions("= NEW.id"),)),
    KeepingTrigger(
        "keep_answered_suggestion", "face_suggestions", "UPDATE", (_suggestions("= NEW.id"),), ("state",)
    ),
)


def _on_sqlite(trigger: KeepingTrigger) -> Iterator[str]:
    change = f"UPDATE OF {', '.join(trigger.when)}" if trigger.when else trigger.change
    changed = " OR ".join(f"OLD.{column} IS NOT NEW.{column}" for column in trigger.when)
    when = f" WHEN {changed}" if trigger.when else ""
    body = "; ".join(trigger.statements)
    yield f"CREATE TRIGGER {trigger.name} AFTER {change} ON {trigger.table}{when} BEGIN {body}; END"


def _counts(moved: str) -> str:
    """Persons have other faces. moved: rows of a person, a photo and how many faces more."""
    return (
        _changed_faces("counted.more") + " FROM (SELECT moved.person_id, sum(moved.more) AS more "
        f"FROM ({moved}) AS moved JOIN image_assets ON image_assets.id = moved.asset_id "
        "WHERE NOT image_assets.replaced GROUP BY moved.person_id) AS counted "
        "WHERE persons.id = counted.person_id"
    )


_MORE = "SELECT now.person_id, now.asset_id, 1 AS more FROM now"
_FEWER = "SELECT gone.person_id, gone.asset_id, -1 AS more FROM gone"
_IF_MOVED = "WHERE (now.person_id, now.asset_id) IS DISTINCT FROM (gone.person_id, gone.asset_id)"
_CHANGED = "= ANY(changed)"
_OF_CHANGED_PHOTOS = _of_photos(_CHANGED, "(person_id IS NOT NULL OR repeats)")
ON_POSTGRESQL: Final = (
    KeepingTrigger("keep_added_faces", "face_instances", "INSERT", (_counts(_MORE), *_OF_CHANGED_PHOTOS)),
    KeepingTrigger("keep_removed_faces", "face_instances", "DELETE", (_counts(_FEWER), *_OF_CHANGED_PHOTOS)),
    KeepingTrigger(
        "keep_changed_faces",
        "face_instances",
        "UPDATE",
        (
            _counts(
                f"{_MORE} JOIN gone ON gone.id = now.id {_IF_MOVED} "
                f"UNION ALL {_FEWER} JOIN now ON now.id = gone.id {_IF_MOVED}"
            ),
            *_OF_CHANGED_PHOTOS,
        ),
        FOLLOWED,
    ),
    KeepingTrigger(
        "keep_replaced_photos",
        "image_assets",
        "UPDATE",
        (
            (
                _changed_faces("counted.more") + " FROM (SELECT face_instances.person_id, "
                "sum(CASE WHEN now.replaced THEN -1 ELSE 1 END) AS more FROM face_instances "
                f"JOIN now ON now.id = face_instances.asset_id WHERE now.id {_CHANGED} "
                "GROUP BY face_instances.person_id) AS counted WHERE persons.id = counted.person_id"
            ),
            _answerable_in(_CHANGED),
        ),
        ("replaced",),
    ),
    KeepingTrigger("keep_deleted_persons", "persons", "UPDATE", (_deleted_or_back(_CHANGED),), ("deleted",)),
    KeepingTrigger("keep_added_suggestions", "face_suggestions", "INSERT", (_suggestions(_CHANGED),)),
    KeepingTrigger(
        "keep_answered_suggestions", "face_suggestions", "UPDATE", (_suggestions(_CHANGED),), ("state",)
    ),
)


def _on_postgresql(trigger: KeepingTrigger) -> Iterator[str]:
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
    body = "; ".join(one if _CHANGED in one else f"EXECUTE $sql${one}$sql$" for one in trigger.statements)
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


def trigger_statements(dialect: str) -> Iterator[tuple[str, str]]:
    """What creates the triggers on a database of the dialect, each with the table that it is on."""
    triggers, create = (ON_POSTGRESQL, _on_postgresql) if dialect == "postgresql" else (ON_SQLITE, _on_sqlite)
    for trigger in triggers:
        for statement in create(trigger):
            yield trigger.table, statement


def removing_statements(dialect: str) -> Iterator[str]:
    """What removes the triggers, as far as there are any."""
    for trigger in ON_POSTGRESQL if dialect == "postgresql" else ON_SQLITE:
        on = f" ON {trigger.table}" if dialect == "postgresql" else ""
        yield f"DROP TRIGGER IF EXISTS {trigger.name}{on}"


def create_triggers_with_tables() -> None:
    """Let each table be created with its triggers."""
    for dialect in ("sqlite", "postgresql"):
        for table, statement in trigger_statements(dialect):
            _after_creating(Base.metadata.tables[table], dialect, statement)


def _after_creating(table: Table, dialect: str, statement: str) -> None:
    make: Callable[[str], DDL] = DDL
    event.listen(table, "after_create", make(statement).execute_if(dialect=dialect))
