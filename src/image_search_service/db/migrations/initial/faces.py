"""Revision 0100: tables of faces, their clusters and the differences between them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from image_search_service.db.migrations.initial.indexes import create_index


def create_clusters() -> None:
    op.create_table(
        "clusters",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("representative_face_id", sa.Uuid(), nullable=False),
        sa.Column("set_aside", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clusters")),
    )
    op.create_index("ix_clusters_size", "clusters", ["set_aside", "size", "id"], unique=False)


def create_face_instances() -> None:
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
        sa.Column("is_face", sa.Boolean(), nullable=False),
        sa.Column("by_hand", sa.Boolean(), nullable=False),
        sa.Column("set_aside", sa.Boolean(), nullable=False),
        sa.Column("taken_at", sa.DateTime(), nullable=True),
        sa.Column("cluster_id", sa.Uuid(), nullable=True),
        sa.Column("grouped", sa.Boolean(), nullable=False),
        sa.Column("group_id", sa.Uuid(), nullable=True),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("assigned_by", sa.String(length=16), nullable=True),
        sa.Column("name_origin", sa.String(length=16), nullable=True),
        sa.Column("repeats", sa.Boolean(), nullable=False),
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
    _index_face_instances()


_OF_A_PERSON = "person_id IS NOT NULL"
_OF_AN_UNNAMED_FACE = ["is_face", "set_aside", "quality_score", "id", "asset_id", "recognizable"]
_OF_FACES = {
    "asset_person": (["asset_id", "person_id", "is_face", "set_aside"], None, None),
    "cluster_quality": (["cluster_id", "quality_score", "id"], "cluster_id IS NOT NULL", None),
    "no_face": (["is_face", "quality_score", "id", "asset_id"], "is_face = 0", "NOT is_face"),
    "payload_due": (["id"], "payload_sent < payload_version", None),
    "person_asset": (["person_id", "asset_id"], _OF_A_PERSON, None),
    "person_quality": (["person_id", "quality_score", "id", "asset_id"], _OF_A_PERSON, None),
    "person_taken": (["person_id", "taken_at", "id", "asset_id"], _OF_A_PERSON, None),
    "repeats": (["person_id", "asset_id", "repeats"], "repeats = 1", "repeats"),
    "ungrouped": (
        ["person_id", "grouped", "recognizable", "id"],
        "person_id IS NULL AND grouped = 0 AND recognizable = 1",
        "person_id IS NULL AND NOT grouped AND recognizable",
    ),
    "unnamed": (
        ["person_id", "cluster_id", *_OF_AN_UNNAMED_FACE],
        "person_id IS NULL",
        None,
    ),
}
"""Columns and condition of each index; last, the condition where PostgreSQL writes it otherwise."""


def _index_face_instances() -> None:
    for name, (columns, where, on_postgresql) in _OF_FACES.items():
        create_index(
            f"ix_face_instances_{name}",
            "face_instances",
            columns,
            sqlite=where,
            postgresql=on_postgresql or where,
        )


def create_face_differences() -> None:
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
    op.create_index(
        op.f("ix_face_differences_face_instance_id"), "face_differences", ["face_instance_id"], unique=False
    )


def create_lost_faces() -> None:
    op.create_table(
        "lost_faces",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("face_instance_id", sa.Uuid(), nullable=False),
        sa.Column("path_id", sa.Integer(), nullable=True),
        sa.Column("answered", sa.Boolean(), nullable=False),
        sa.Column("lost_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["face_instance_id"],
            ["face_instances.id"],
            name=op.f("fk_lost_faces_face_instance_id_face_instances"),
        ),
        sa.ForeignKeyConstraint(
            ["path_id"], ["asset_paths.id"], name=op.f("fk_lost_faces_path_id_asset_paths")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lost_faces")),
    )
    op.create_index(op.f("ix_lost_faces_face_instance_id"), "lost_faces", ["face_instance_id"], unique=False)
    op.create_index(op.f("ix_lost_faces_path_id"), "lost_faces", ["path_id"], unique=False)


def create_names_in_files() -> None:
    op.create_table(
        "names_in_files",
        sa.Column("face_instance_id", sa.Uuid(), nullable=False),
        sa.Column("path", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_key", sa.String(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("changed_after", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["face_instance_id"],
            ["face_instances.id"],
            name=op.f("fk_names_in_files_face_instance_id_face_instances"),
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["persons.id"], name=op.f("fk_names_in_files_person_id_persons")
        ),
        sa.PrimaryKeyConstraint("face_instance_id", "path", name=op.f("pk_names_in_files")),
    )
