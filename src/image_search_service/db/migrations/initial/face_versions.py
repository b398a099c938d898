"""Revision 0100: triggers that count the changes of each person's faces."""

from __future__ import annotations

from alembic import op

COUNT = "UPDATE persons SET faces_version = faces_version + 1 WHERE id IN"
OF_PHOTO = "(SELECT person_id FROM face_instances WHERE asset_id = NEW.id)"
MOVED = "OLD.person_id IS DISTINCT FROM NEW.person_id"
REPLACED = "OLD.replaced IS DISTINCT FROM NEW.replaced"
DELETED = "OLD.deleted IS DISTINCT FROM NEW.deleted"
TRIGGERS = {
    "added": ("INSERT ON face_instances", "NEW.person_id IS NOT NULL", "(NEW.person_id)"),
    "removed": ("DELETE ON face_instances", "OLD.person_id IS NOT NULL", "(OLD.person_id)"),
    "moved": ("UPDATE OF person_id ON face_instances", MOVED, "(OLD.person_id, NEW.person_id)"),
    "replaced": ("UPDATE OF replaced ON image_assets", REPLACED, OF_PHOTO),
    "deleted": ("UPDATE OF deleted ON persons", DELETED, "(NEW.id)"),
}


def create_triggers() -> None:
    for name, (change, condition, persons) in TRIGGERS.items():
        trigger = f"CREATE TRIGGER count_faces_{name} AFTER {change} FOR EACH ROW WHEN ({condition})"
        if op.get_bind().dialect.name == "postgresql":
            op.execute(
                f"CREATE FUNCTION count_faces_{name}() RETURNS trigger LANGUAGE plpgsql AS "
                f"$$ BEGIN {COUNT} {persons}; RETURN NULL; END $$"
            )
            op.execute(f"{trigger} EXECUTE FUNCTION count_faces_{name}()")
        else:
            body = f"{trigger} BEGIN {COUNT} {persons}; END"
            op.execute(body.replace("IS DISTINCT FROM", "IS NOT"))


def drop_functions() -> None:
    for name in TRIGGERS:
        op.execute(f"DROP FUNCTION count_faces_{name}()")
