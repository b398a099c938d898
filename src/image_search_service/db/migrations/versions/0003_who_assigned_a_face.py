"""Who gave a face to its person. Until now only humans did."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("face_instances", sa.Column("assigned_by", sa.String(length=16), nullable=True))
    op.execute("UPDATE face_instances SET assigned_by = 'human' WHERE person_id IS NOT NULL")


def downgrade() -> None:
    op.drop_column("face_instances", "assigned_by")
