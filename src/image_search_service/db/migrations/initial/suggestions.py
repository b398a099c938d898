"""Revision 0100: tables of faces that are suggested for a person."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


def create_face_suggestions() -> None:
    op.create_table(
        "face_suggestions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("face_instance_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("threshold", sa.Double(), nullable=True),
        sa.Column("second_person_id", sa.Uuid(), nullable=True),
        sa.Column("second_similarity", sa.Double(), nullable=True),
        sa.Column("margin", sa.Double(), nullable=True),
        sa.Column("answerable", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["face_instance_id"],
            ["face_instances.id"],
            name=op.f("fk_face_suggestions_face_instance_id_face_instances"),
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["persons.id"], name=op.f("fk_face_suggestions_person_id_persons")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_face_suggestions")),
    )
    op.create_index(
        "ix_face_suggestions_face_person", "face_suggestions", ["face_instance_id", "person_id"], unique=False
    )
    op.create_index(op.f("ix_face_suggestions_person_id"), "face_suggestions", ["person_id"], unique=False)
    op.create_index(
        "ix_face_suggestions_waiting",
        "face_suggestions",
        ["answerable", "person_id", "margin", "confidence", "id", "face_instance_id"],
        unique=False,
        sqlite_where=sa.text("answerable = 1"),
        postgresql_where=sa.text("answerable"),
    )
    op.create_index(
        "uq_face_suggestions_pending",
        "face_suggestions",
        ["face_instance_id", "person_id"],
        unique=True,
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )
