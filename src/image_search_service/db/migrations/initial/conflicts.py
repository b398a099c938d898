"""Revision 0100: tables of contradictions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


def create_conflicts() -> None:
    op.create_table(
        "conflicts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("other_id", sa.Uuid(), nullable=True),
        sa.Column("face_instance_id", sa.Uuid(), nullable=True),
        sa.Column("similarity", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conflicts")),
    )
    op.create_index("ix_conflicts_kind", "conflicts", ["kind", "similarity", "id"], unique=False)
    op.create_index(op.f("ix_conflicts_other_id"), "conflicts", ["other_id"], unique=False)
    op.create_index(op.f("ix_conflicts_person_id"), "conflicts", ["person_id"], unique=False)
