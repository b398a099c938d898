"""The numbers that were measured for a library's engine."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("library", sa.Column("calibration", sa.JSON(), nullable=True))


def downgrade() -> None:
    op.drop_column("library", "calibration")
