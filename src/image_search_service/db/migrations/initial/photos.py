"""Revision 0100: tables of photos and the files and folders that hold them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from image_search_service.db.migrations.initial.indexes import create_index


def create_image_assets() -> None:
    op.create_table(
        "image_assets",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("format", sa.String(length=16), nullable=True),
        sa.Column("width", sa.Integer(), nullable=True),
        sa.Column("height", sa.Integer(), nullable=True),
        sa.Column("taken_at", sa.DateTime(), nullable=True),
        sa.Column("failure", sa.String(), nullable=True),
        sa.Column("failed_with", sa.String(), nullable=True),
        sa.Column("replaced", sa.Boolean(), nullable=False),
        sa.Column("forgotten", sa.Boolean(), nullable=False),
        sa.Column("unknown_faces", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_image_assets")),
        sa.UniqueConstraint("content_hash", name=op.f("uq_image_assets_content_hash")),
    )
    _index_image_assets()


def _index_image_assets() -> None:
    shown, shown_on_postgresql = "failure IS NULL AND replaced = 0", "failure IS NULL AND NOT replaced"
    for name, columns, sqlite, postgresql in (
        ("failed", ["failure", "id"], "failure IS NOT NULL", "failure IS NOT NULL"),
        ("forgotten", ["forgotten", "replaced", "id"], "forgotten = 1", "forgotten"),
        ("replaced", ["replaced", "id"], "replaced = 1", "replaced"),
        ("shown", ["taken_at", "id", "replaced", "failure"], shown, shown_on_postgresql),
        (
            "unknown",
            ["taken_at", "id", "replaced", "failure", "unknown_faces"],
            f"{shown} AND unknown_faces > 0",
            f"{shown_on_postgresql} AND unknown_faces > 0",
        ),
    ):
        create_index(f"ix_image_assets_{name}", "image_assets", columns, sqlite=sqlite, postgresql=postgresql)


def create_index_roots() -> None:
    op.create_table(
        "index_roots",
        sa.Column("path", sa.LargeBinary(), nullable=False),
        sa.Column("indexed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("excludes", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("path", name=op.f("pk_index_roots")),
    )


def create_index_runs() -> None:
    op.create_table(
        "index_runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_index_runs")),
    )


def create_absent_folders() -> None:
    op.create_table(
        "absent_folders",
        sa.Column("path", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("path", name=op.f("pk_absent_folders")),
    )


def create_unread_files() -> None:
    op.create_table(
        "unread_files",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("path", sa.LargeBinary(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("noticed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unread_files")),
        sa.UniqueConstraint("path", name=op.f("uq_unread_files_path")),
    )


def create_asset_paths() -> None:
    op.create_table(
        "asset_paths",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("path", sa.LargeBinary(), nullable=False),
        sa.Column("folder", sa.LargeBinary(), nullable=False),
        sa.Column("asset_id", sa.Uuid(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("modified_ns", sa.BigInteger(), nullable=False),
        sa.Column("changed_ns", sa.BigInteger(), nullable=False),
        sa.Column("inode", sa.BigInteger(), nullable=False),
        sa.Column("seen_in_run", sa.Integer(), nullable=False),
        sa.Column("missing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("excluded", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["asset_id"], ["image_assets.id"], name=op.f("fk_asset_paths_asset_id_image_assets")
        ),
        sa.ForeignKeyConstraint(
            ["seen_in_run"], ["index_runs.id"], name=op.f("fk_asset_paths_seen_in_run_index_runs")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_asset_paths")),
        sa.UniqueConstraint("path", name=op.f("uq_asset_paths_path")),
    )
    op.create_index(op.f("ix_asset_paths_asset_id"), "asset_paths", ["asset_id"], unique=False)
    create_index(
        "ix_asset_paths_excluded",
        "asset_paths",
        ["excluded", "asset_id"],
        sqlite="excluded = 1",
        postgresql="excluded",
    )
    create_index(
        "ix_asset_paths_present",
        "asset_paths",
        ["asset_id", "missing_since"],
        sqlite="missing_since IS NULL",
        postgresql="missing_since IS NULL",
    )
    op.create_index(
        "ix_asset_paths_folder",
        "asset_paths",
        ["folder", "asset_id", "missing_since"],
        unique=False,
        sqlite_where=sa.text("missing_since IS NULL"),
        postgresql_where=sa.text("missing_since IS NULL"),
    )


def create_people_in_files() -> None:
    op.create_table(
        "people_in_files",
        sa.Column("asset_id", sa.Uuid(), nullable=False),
        sa.Column("path", sa.LargeBinary(), nullable=False),
        sa.Column("name_key", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.ForeignKeyConstraint(
            ["asset_id"], ["image_assets.id"], name=op.f("fk_people_in_files_asset_id_image_assets")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["persons.id"], name=op.f("fk_people_in_files_person_id_persons")
        ),
        sa.PrimaryKeyConstraint("asset_id", "path", "name_key", name=op.f("pk_people_in_files")),
    )
    op.create_index(op.f("ix_people_in_files_person_id"), "people_in_files", ["person_id"], unique=False)
