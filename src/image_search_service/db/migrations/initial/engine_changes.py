"""Revision 0100: tables of the move to another face engine, with what is staged for it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


def create_engine_changes() -> None:
    op.create_table(
        "engine_changes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("former_name", sa.String(), nullable=False),
        sa.Column("former_checksum", sa.String(), nullable=False),
        sa.Column("former_dimension", sa.Integer(), nullable=False),
        sa.Column("engine_name", sa.String(), nullable=False),
        sa.Column("engine_checksum", sa.String(), nullable=False),
        sa.Column("dimension", sa.Integer(), nullable=False),
        sa.Column("engine_files", sa.JSON(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("applied_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_engine_changes")),
    )


def create_staged_faces() -> None:
    op.create_table(
        "staged_faces",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("asset_id", sa.Uuid(), nullable=False),
        sa.Column("origin", sa.String(length=16), nullable=False),
        sa.Column("values", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["asset_id"], ["image_assets.id"], name=op.f("fk_staged_faces_asset_id_image_assets")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staged_faces")),
    )
    op.create_index(op.f("ix_staged_faces_asset_id"), "staged_faces", ["asset_id"], unique=False)


def create_staged_photos() -> None:
    op.create_table(
        "staged_photos",
        sa.Column("asset_id", sa.Uuid(), nullable=False),
        sa.Column("failure", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["asset_id"], ["image_assets.id"], name=op.f("fk_staged_photos_asset_id_image_assets")
        ),
        sa.PrimaryKeyConstraint("asset_id", name=op.f("pk_staged_photos")),
    )
