"""Revision 0100: the table of the tokens by which people are let in."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op


def create_access_tokens() -> None:
    op.create_table(
        "access_tokens",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_key", sa.String(), nullable=False),
        sa.Column("may_name_others", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_access_tokens")),
        sa.UniqueConstraint("name_key", name=op.f("uq_access_tokens_name_key")),
    )
