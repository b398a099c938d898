"""Faces that are set aside, and questions that were skipped."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("face_instances", "clusters"):
        column: sa.Column[bool] = sa.Column(
            "set_aside", sa.Boolean(), nullable=False, server_default=sa.false()
        )
        op.add_column(table, column)
    op.create_index("ix_clusters_size", "clusters", ["set_aside", "size", "id"])
    op.create_table(
        "review_skips",
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("skips", sa.Integer(), nullable=False),
        sa.Column("at_answer", sa.Integer(), nullable=False),
        sa.Column("skipped_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject", name=op.f("pk_review_skips")),
    )
    op.create_index(op.f("ix_review_skips_skipped_at"), "review_skips", ["skipped_at"])


def downgrade() -> None:
    op.drop_table("review_skips")
    op.drop_index("ix_clusters_size", table_name="clusters")
    for table in ("clusters", "face_instances"):
        op.drop_column(table, "set_aside")
