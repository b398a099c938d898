"""What pages read in their order and count: dates of faces, folders of files, roots, and their indexes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0006"
branch_labels = None
depends_on = None

BATCH = 1_000
INDEXES: tuple[tuple[str, str, tuple[str, ...], tuple[str, str] | None], ...] = (
    (
        "ix_image_assets_shown",
        "image_assets",
        ("taken_at", "id", "replaced", "failure"),
        ("failure IS NULL AND replaced = 0", "failure IS NULL AND NOT replaced"),
    ),
    ("ix_image_assets_replaced", "image_assets", ("replaced", "id"), ("replaced = 1", "replaced")),
    (
        "ix_image_assets_failed",
        "image_assets",
        ("failure", "id"),
        ("failure IS NOT NULL", "failure IS NOT NULL"),
    ),
    (
        "ix_asset_paths_folder",
        "asset_paths",
        ("folder", "asset_id", "missing_since"),
        ("missing_since IS NULL", "missing_since IS NULL"),
    ),
    ("ix_clusters_size", "clusters", ("size", "id"), None),
    (
        "ix_face_instances_person_taken",
        "face_instances",
        ("person_id", "taken_at", "id", "asset_id"),
        None,
    ),
    (
        "ix_face_instances_person_quality",
        "face_instances",
        ("person_id", "quality_score", "id", "asset_id"),
        None,
    ),
    ("ix_face_instances_cluster_quality", "face_instances", ("cluster_id", "quality_score", "id"), None),
    ("ix_face_instances_asset_person", "face_instances", ("asset_id", "person_id", "is_face"), None),
    (
        "ix_face_instances_unnamed",
        "face_instances",
        ("person_id", "cluster_id", "is_face", "quality_score", "id", "asset_id"),
        ("person_id IS NULL", "person_id IS NULL"),
    ),
    (
        "ix_face_instances_no_face",
        "face_instances",
        ("is_face", "quality_score", "id", "asset_id"),
        ("is_face = 0", "NOT is_face"),
    ),
    (
        "ix_face_suggestions_waiting",
        "face_suggestions",
        ("state", "person_id", "face_instance_id"),
        ("state = 'pending'", "state = 'pending'"),
    ),
)
"""Name, table, columns, and the rows that it is of: in SQLite's words and in PostgreSQL's."""
REPLACED = ("ix_face_instances_person_id", "person_id"), ("ix_face_instances_cluster_id", "cluster_id")


def upgrade() -> None:
    op.create_table(
        "index_roots",
        sa.Column("path", sa.LargeBinary(), nullable=False),
        sa.Column("indexed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("path", name="pk_index_roots"),
    )
    op.add_column("face_instances", sa.Column("taken_at", sa.DateTime(timezone=False), nullable=True))
    op.execute(
        "UPDATE face_instances SET taken_at = "
        "(SELECT taken_at FROM image_assets WHERE image_assets.id = face_instances.asset_id)"
    )
    op.add_column(
        "asset_paths", sa.Column("folder", sa.LargeBinary(), nullable=False, server_default=sa.text("''"))
    )
    _fill_folders()
    for name, _ in REPLACED:
        op.drop_index(name, "face_instances")
    for name, table_name, columns, where in INDEXES:
        op.create_index(name, table_name, list(columns), **_where(where))


def _where(where: tuple[str, str] | None) -> dict[str, Any]:
    if where is None:
        return {}
    return {"sqlite_where": sa.text(where[0]), "postgresql_where": sa.text(where[1])}


def _fill_folders() -> None:
    connection = op.get_bind()
    files = sa.table("asset_paths", sa.column("id"), sa.column("path"), sa.column("folder"))
    rows = connection.execute(sa.select(files.c.id, files.c.path)).all()
    change = sa.update(files).where(files.c.id == sa.bindparam("file"))
    change = change.values(folder=sa.bindparam("within", type_=sa.LargeBinary()))
    for start in range(0, len(rows), BATCH):
        part = rows[start : start + BATCH]
        folders = [os.fsencode(Path(os.fsdecode(row[1])).parent) for row in part]
        parameters = [{"file": row[0], "within": within} for row, within in zip(part, folders, strict=True)]
        connection.execute(change, parameters)


def downgrade() -> None:
    for name, table_name, _, _ in INDEXES:
        op.drop_index(name, table_name)
    for name, column in REPLACED:
        op.create_index(name, "face_instances", [column])
    op.drop_column("asset_paths", "folder")
    op.drop_column("face_instances", "taken_at")
    op.drop_table("index_roots")
