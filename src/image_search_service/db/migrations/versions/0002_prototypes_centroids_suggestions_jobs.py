"""Prototypes, centroids, suggestions, jobs."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("parameters", sa.JSON(), nullable=False),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=True),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("cancel_requested", sa.Boolean(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_jobs")),
    )
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.create_index("ix_jobs_created_at", ["created_at", "id"], unique=False)
        batch_op.create_index(
            "uq_jobs_active_key",
            ["key"],
            unique=True,
            sqlite_where=sa.text("state IN ('queued', 'running')"),
            postgresql_where=sa.text("state IN ('queued', 'running')"),
        )

    op.create_table(
        "person_centroids",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("algorithm_version", sa.Integer(), nullable=False),
        sa.Column("faces", sa.Integer(), nullable=False),
        sa.Column("faces_used", sa.Integer(), nullable=False),
        sa.Column("source_hash", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["persons.id"], name=op.f("fk_person_centroids_person_id_persons")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person_centroids")),
    )
    with op.batch_alter_table("person_centroids", schema=None) as batch_op:
        batch_op.create_index(
            "uq_person_centroids_active",
            ["person_id"],
            unique=True,
            sqlite_where=sa.text("state = 'active'"),
            postgresql_where=sa.text("state = 'active'"),
        )

    op.create_table(
        "face_suggestions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("face_instance_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("source", sa.String(length=32), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=True),
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
    with op.batch_alter_table("face_suggestions", schema=None) as batch_op:
        batch_op.create_index(
            "ix_face_suggestions_face_person", ["face_instance_id", "person_id"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_face_suggestions_person_id"), ["person_id"], unique=False)
        batch_op.create_index(
            "uq_face_suggestions_pending",
            ["face_instance_id", "person_id"],
            unique=True,
            sqlite_where=sa.text("state = 'pending'"),
            postgresql_where=sa.text("state = 'pending'"),
        )

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
    with op.batch_alter_table("person_prototypes", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_person_prototypes_person_id"), ["person_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("person_prototypes", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_person_prototypes_person_id"))

    op.drop_table("person_prototypes")
    with op.batch_alter_table("face_suggestions", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_face_suggestions_pending",
            sqlite_where=sa.text("state = 'pending'"),
            postgresql_where=sa.text("state = 'pending'"),
        )
        batch_op.drop_index(batch_op.f("ix_face_suggestions_person_id"))
        batch_op.drop_index("ix_face_suggestions_face_person")

    op.drop_table("face_suggestions")
    with op.batch_alter_table("person_centroids", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_person_centroids_active",
            sqlite_where=sa.text("state = 'active'"),
            postgresql_where=sa.text("state = 'active'"),
        )

    op.drop_table("person_centroids")
    with op.batch_alter_table("jobs", schema=None) as batch_op:
        batch_op.drop_index(
            "uq_jobs_active_key",
            sqlite_where=sa.text("state IN ('queued', 'running')"),
            postgresql_where=sa.text("state IN ('queued', 'running')"),
        )
        batch_op.drop_index("ix_jobs_created_at")

    op.drop_table("jobs")
