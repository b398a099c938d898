"""Groups that humans made; the database itself refuses to change an event."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

EVENTS = ("decisions", "decision_changes")
SAYS = "decisions are appended and never changed"


def upgrade() -> None:
    op.add_column("face_instances", sa.Column("group_id", sa.Uuid(), nullable=True))
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{SAYS}' USING ERRCODE = 'integrity_constraint_violation'; END $$"
        )
    for table in EVENTS:
        _keep(table)


def _keep(table: str) -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.execute(
            f"CREATE TRIGGER {table}_are_kept BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        return
    for change in ("update", "delete"):
        op.execute(
            f"CREATE TRIGGER {table}_are_kept_{change} BEFORE {change} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{SAYS}'); END"
        )


def downgrade() -> None:
    for table in EVENTS:
        if op.get_bind().dialect.name == "postgresql":
            op.execute(f"DROP TRIGGER {table}_are_kept ON {table}")
        else:
            op.execute(f"DROP TRIGGER {table}_are_kept_update")
            op.execute(f"DROP TRIGGER {table}_are_kept_delete")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_change()")
    op.drop_column("face_instances", "group_id")
