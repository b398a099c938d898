"""The migrations of a version that does not exist yet: this version's, and one more."""

from __future__ import annotations

from pathlib import Path

import pytest

from image_search_service.db import migrate

LATER, PROGRAM = "later", "99.0"
"""The revision of its schema, and its version."""
_REVISION = """
import sqlalchemy as sa
from alembic import op

revision, down_revision = "{later}", "{newest}"


def upgrade():
    op.add_column("persons", sa.Column("nickname", sa.String(), nullable=False, server_default="none"))
    op.execute("UPDATE persons SET name = 'changed'") if {breaks} else None
    op.execute("SELECT * FROM nowhere") if {breaks} else None


def downgrade():
    op.drop_column("persons", "nickname")
"""


def become_a_later_version(folder: Path, monkeypatch: pytest.MonkeyPatch, *, breaks: bool = False) -> None:
    """From now on the newest schema has one column more: ``persons.nickname``, for all rows "none".

    breaks: whether its migration fails in the end.
    """
    newest = migrate.head_revision()
    (folder / "versions").mkdir(parents=True)
    for file in [migrate.MIGRATIONS / "env.py", *(migrate.MIGRATIONS / "versions").glob("*.py")]:
        (folder / file.relative_to(migrate.MIGRATIONS)).write_bytes(file.read_bytes())
    (folder / "versions" / "later.py").write_text(_REVISION.format(later=LATER, newest=newest, breaks=breaks))
    monkeypatch.setattr(migrate, "MIGRATIONS", folder)
    monkeypatch.setattr(migrate, "program_version", lambda: PROGRAM)
