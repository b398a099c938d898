"""Photos, files, faces, clusters, people."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "clusters",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("representative_face_id", sa.Uuid(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clusters")),
    )
    op.create_table(
        "image_assets",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("format", sa.String(length=16), nullable=True),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("taken_at", sa.DateTime(), nullable=True),
        sa.Column("failure", sa.String(), nullable=True),
        sa.Column("replaced", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_image_assets")),
        sa.UniqueConstraint("content_hash", name=op.f("uq_image_assets_content_hash")),
    )
    op.create_table(
        "index_runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_index_runs")),
    )
    op.create_table(
        "library",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("engine_name", sa.String(), nullable=False),
        sa.Column("engine_checksum", sa.String(), nullable=False),
        sa.Column("dimension", sa.Integer(), nullable=False),
        sa.Column("engine_files", sa.JSON(), nullable=False),
        sa.Column("grouping_stale", sa.Boolean(), nullable=False),
        sa.Column("grouping", sa.JSON(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_library")),
    )
    op.create_table(
        "persons",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_key", sa.String(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_persons")),
        sa.UniqueConstraint("name_key", name=op.f("uq_persons_name_key")),
    )
    op.create_table(
        "asset_paths",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("path", sa.LargeBinary(), nullable=False),
        sa.Column("asset_id", sa.Uuid(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("modified_ns", sa.BigInteger(), nullable=False),
        sa.Column("seen_in_run", sa.Integer(), nullable=False),
        sa.Column("missing_since", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["asset_id"], ["image_assets.id"], name=op.f("fk_asset_paths_asset_id_image_assets")
        ),
        sa.ForeignKeyConstraint(
            ["seen_in_run"], ["index_runs.id"], name=op.f("fk_asset_paths_seen_in_run_index_runs")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_asset_paths")),
        sa.UniqueConstraint("path", name=op.f("uq_asset_paths_path")),
    )
    with op.batch_alter_table("asset_paths", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_asset_paths_asset_id"), ["asset_id"], unique=False)

    op.create_table(
        "face_instances",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("asset_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("qdrant_point_id", sa.Uuid(), nullable=False),
        sa.Column("box_x", sa.Double(), nullable=False),
        sa.Column("box_y", sa.Double(), nullable=False),
        sa.Column("box_width", sa.Double(), nullable=False),
        sa.Column("box_height", sa.Double(), nullable=False),
        sa.Column("landmarks", sa.JSON(), nullable=False),
        sa.Column("detection_confidence", sa.Double(), nullable=False),
        sa.Column("quality_score", sa.Double(), nullable=False),
        sa.Column("quality_parts", sa.JSON(), nullable=False),
        sa.Column("recognizable", sa.Boolean(), nullable=False),
        sa.Column("cluster_id", sa.Uuid(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("payload_version", sa.Integer(), nullable=False),
        sa.Column("payload_sent", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["asset_id"], ["image_assets.id"], name=op.f("fk_face_instances_asset_id_image_assets")
        ),
        sa.ForeignKeyConstraint(
            ["cluster_id"], ["clusters.id"], name=op.f("fk_face_instances_cluster_id_clusters")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["persons.id"], name=op.f("fk_face_instances_person_id_persons")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_face_instances")),
        sa.UniqueConstraint("asset_id", "position", name=op.f("uq_face_instances_asset_id_position")),
        sa.UniqueConstraint("qdrant_point_id", name=op.f("uq_face_instances_qdrant_point_id")),
    )
    with op.batch_alter_table("face_instances", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_face_instances_cluster_id"), ["cluster_id"], unique=False)
        batch_op.create_index(
            "ix_face_instances_payload_due",
            ["id"],
            unique=False,
            sqlite_where=sa.text("payload_sent < payload_version"),
            postgresql_where=sa.text("payload_sent < payload_version"),
        )
        batch_op.create_index(batch_op.f("ix_face_instances_person_id"), ["person_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("face_instances", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_face_instances_person_id"))
        batch_op.drop_index(
            "ix_face_instances_payload_due",
            sqlite_where=sa.text("payload_sent < payload_version"),
            postgresql_where=sa.text("payload_sent < payload_version"),
        )
        batch_op.drop_index(batch_op.f("ix_face_instances_cluster_id"))

    op.drop_table("face_instances")
    with op.batch_alter_table("asset_paths", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_asset_paths_asset_id"))

    op.drop_table("asset_paths")
    op.drop_table("persons")
    op.drop_table("library")
    op.drop_table("index_runs")
    op.drop_table("image_assets")
    op.drop_table("clusters")
