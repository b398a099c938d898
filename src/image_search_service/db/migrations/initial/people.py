"""Revision 0100: tables of people, with their centroids, prototypes and differences."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from image_search_service.db.migrations.initial.indexes import create_index


def create_persons() -> None:
    op.create_table(
        "persons",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_key", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.Column("merged_into", sa.Uuid(), nullable=True),
        sa.Column("hidden", sa.Boolean(), nullable=False),
        sa.Column("birth_date", sa.Date(), nullable=True),
        sa.Column("cover_face_id", sa.Uuid(), nullable=True),
        sa.Column("faces_version", sa.Integer(), server_default="0", nullable=False),
        sa.Column("faces", sa.Integer(), nullable=False),
        sa.Column("waiting", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["merged_into"], ["persons.id"], name=op.f("fk_persons_merged_into_persons")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_persons")),
    )
    create_index(
        "ix_persons_by_name",
        "persons",
        ["hidden", "name_key", "id"],
        sqlite="deleted = 0",
        postgresql="NOT deleted",
    )
    create_index("ix_persons_changed", "persons", ["faces_version", "id", "deleted"])
    create_index(
        "ix_persons_deleted", "persons", ["deleted", "id"], sqlite="deleted = 1", postgresql="deleted"
    )
    create_index(
        "ix_persons_faces",
        "persons",
        ["hidden", "faces", "name_key", "id"],
        sqlite="deleted = 0",
        postgresql="NOT deleted",
    )
    create_index("ix_persons_hidden", "persons", ["hidden", "id"], sqlite="hidden = 1", postgresql="hidden")
    create_index(
        "ix_persons_name_key", "persons", ["name_key", "id"], sqlite="deleted = 0", postgresql="NOT deleted"
    )
    create_index(
        "ix_persons_waiting",
        "persons",
        ["hidden", "waiting", "name_key", "id"],
        sqlite="deleted = 0",
        postgresql="NOT deleted",
    )


def create_person_centroids() -> None:
    op.create_table(
        "person_centroids",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("algorithm_version", sa.Integer(), nullable=False),
        sa.Column("faces", sa.Integer(), nullable=False),
        sa.Column("faces_used", sa.Integer(), nullable=False),
        sa.Column("source_hash", sa.String(length=64), nullable=False),
        sa.Column("faces_version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("compared", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["persons.id"], name=op.f("fk_person_centroids_person_id_persons")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_centroids")),
    )
    op.create_index(
        "uq_person_centroids_active",
        "person_centroids",
        ["person_id"],
        unique=True,
        sqlite_where=sa.text("state = 'active'"),
        postgresql_where=sa.text("state = 'active'"),
    )


def create_person_differences() -> None:
    op.create_table(
        "person_differences",
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("other_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["other_id"], ["persons.id"], name=op.f("fk_person_differences_other_id_persons")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["persons.id"], name=op.f("fk_person_differences_person_id_persons")
        ),
        sa.PrimaryKeyConstraint("person_id", "other_id", name=op.f("pk_person_differences")),
    )


def create_person_prototypes() -> None:
    op.create_table(
        "person_prototypes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("face_instance_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.String(length=16), nullable=False),
        sa.Column("pinned", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["face_instance_id"],
            ["face_instances.id"],
            name=op.f("fk_person_prototypes_face_instance_id_face_instances"),
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["persons.id"], name=op.f("fk_person_prototypes_person_id_persons")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_prototypes")),
        sa.UniqueConstraint(
            "person_id", "face_instance_id", name=op.f("uq_person_prototypes_person_id_face_instance_id")
        ),
    )
    op.create_index(op.f("ix_person_prototypes_person_id"), "person_prototypes", ["person_id"], unique=False)
