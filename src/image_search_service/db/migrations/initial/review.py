"""Revision 0100: tables of review questions that were skipped."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


def create_review_skips() -> None:
    op.create_table(
        "review_skips",
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("skips", sa.Integer(), nullable=False),
        sa.Column("at_answer", sa.Integer(), nullable=False),
        sa.Column("skipped_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_review_skips")),
    )
    op.create_index(op.f("ix_review_skips_skipped_at"), "review_skips", ["skipped_at"], unique=False)
