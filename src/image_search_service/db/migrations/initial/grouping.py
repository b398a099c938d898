"""Revision 0100: the table of a full grouping that waits to be applied."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


def create_grouping_proposals() -> None:
    op.create_table(
        "grouping_proposals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("at_decision", sa.Integer(), nullable=False),
        sa.Column("at_grouping", sa.Integer(), nullable=False),
        sa.Column("faces", sa.Integer(), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("clusters", sa.JSON(), nullable=False),
        sa.Column("moves", sa.JSON(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_grouping_proposals")),
    )
