"""Triggers that count the changes of each person's faces (``PersonRow.faces_version``).

What is computed of a person's faces and kept, in a table or in the memory of any process, is known to be old
by this number. Triggers count, so that no statement, nor a hand on the console, can change faces unnoticed.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import DDL, Table, event

from image_search_service.db.models.faces import FaceInstance
from image_search_service.db.models.people import PersonRow
from image_search_service.db.models.photos import ImageAsset

_COUNT: Final = "UPDATE persons SET faces_version = faces_version + 1 WHERE id IN"
_OF_PHOTO: Final = "(SELECT person_id FROM face_instances WHERE asset_id = NEW.id)"
_FUNCTION: Final = (
    "CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN " + _COUNT + " {persons}; RETURN NULL; END $$"
)
_TRIGGERS: Final = (
    (FaceInstance, "added", "INSERT", "NEW.person_id IS NOT NULL", "(NEW.person_id)"),
    (FaceInstance, "removed", "DELETE", "OLD.person_id IS NOT NULL", "(OLD.person_id)"),
    (
        FaceInstance,
        "moved",
        "UPDATE OF person_id",
        "OLD.person_id IS DISTINCT FROM NEW.person_id",
        "(OLD.person_id, NEW.person_id)",
    ),
    (ImageAsset, "replaced", "UPDATE OF replaced", "OLD.replaced IS DISTINCT FROM NEW.replaced", _OF_PHOTO),
    (PersonRow, "deleted", "UPDATE OF deleted", "OLD.deleted IS DISTINCT FROM NEW.deleted", "(NEW.id)"),
)
"""Of a table: the trigger's name, after what it counts, if what is so, and of which persons."""


def _count_changes(table: Table, name: str, change: str, condition: str, persons: str) -> None:
    """Count with a trigger after ``change`` of a row of the table."""
    trigger = f"CREATE TRIGGER count_faces_{name} AFTER {change} ON %(table)s FOR EACH ROW WHEN ({condition})"
    on_sqlite = f"{trigger} BEGIN {_COUNT} {persons}; END"
    # SQLite has had IS DISTINCT FROM only since version 3.39.
    _create(table, "sqlite", on_sqlite.replace("IS DISTINCT FROM", "IS NOT"))
    _create(table, "postgresql", _FUNCTION.format(name=f"count_faces_{name}", persons=persons))
    _create(table, "postgresql", f"{trigger} EXECUTE FUNCTION count_faces_{name}()")


def _create(table: Table, dialect: str, statement: str) -> None:
    ddl = DDL(statement)  # type: ignore[no-untyped-call] # SQLAlchemy gives its arguments no types
    event.listen(table, "after_create", ddl.execute_if(dialect=dialect))


for _model, *_trigger in _TRIGGERS:
    _count_changes(_model.metadata.tables[_model.__tablename__], *_trigger)
