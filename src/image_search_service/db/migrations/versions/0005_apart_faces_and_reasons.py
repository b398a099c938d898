"""Faces that were said to be of different people; why a suggestion is not the second best person."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

REASONS = ("threshold", "second_similarity", "margin")


def upgrade() -> None:
    op.create_table(
        "face_differences",
        sa.Column("difference_id", sa.Uuid(), nullable=False),
        sa.Column("face_instance_id", sa.Uuid(), nullable=False),
        sa.Column("side", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["face_instance_id"],
            ["face_instances.id"],
            name=op.f("fk_face_differences_face_instance_id_face_instances"),
        ),
        sa.PrimaryKeyConstraint("difference_id", "face_instance_id", name=op.f("pk_face_differences")),
    )
    op.create_index(op.f("ix_face_differences_face_instance_id"), "face_differences", ["face_instance_id"])
    for name in REASONS:
        op.add_column("face_suggestions", sa.Column(name, sa.Double(), nullable=True))
    op.add_column("face_suggestions", sa.Column("second_person_id", sa.Uuid(), nullable=True))


def downgrade() -> None:
    for name in ("second_person_id", *REASONS):
        op.drop_column("face_suggestions", name)
    op.drop_table("face_differences")
