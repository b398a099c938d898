"""Revision 0100: tables of the library itself: which engine it is bound to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


def create_library() -> None:
    op.create_table(
        "library",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("uid", sa.Uuid(), nullable=False),
        sa.Column("engine_name", sa.String(), nullable=False),
        sa.Column("engine_checksum", sa.String(), nullable=False),
        sa.Column("dimension", sa.Integer(), nullable=False),
        sa.Column("engine_files", sa.JSON(), nullable=False),
        sa.Column("faces", sa.Integer(), nullable=False),
        sa.Column("named_faces", sa.Integer(), nullable=False),
        sa.Column("alone_faces", sa.Integer(), nullable=False),
        sa.Column("photos", sa.Integer(), nullable=False),
        sa.Column("changes", sa.Integer(), nullable=False),
        sa.Column("grouping_stale", sa.Boolean(), nullable=False),
        sa.Column("faces_at_full_grouping", sa.Integer(), nullable=False),
        sa.Column("grown", sa.Boolean(), nullable=False),
        sa.Column("groupings", sa.Integer(), nullable=False),
        sa.Column("grouping", sa.JSON(), nullable=True),
        sa.Column("calibration", sa.JSON(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_library")),
    )


def create_store_marks() -> None:
    op.create_table(
        "store_marks",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("marks", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_store_marks")),
    )


def create_turns() -> None:
    op.create_table(
        "turns",
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("what", name=op.f("pk_turns")),
    )
