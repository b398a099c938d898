"""The tokens by which people are let into the service."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from image_search_service.db.models.base import Base, utc_now

STAYS_HERE = "stays_here"
"""In a table's ``info``: its rows are no part of the library's content, so no backup has them."""


class AccessToken(Base):
    """One person's, or one program's. A restored backup must not let in whose token was removed since."""

    __tablename__ = "access_tokens"

    digest: Mapped[bytes] = mapped_column(primary_key=True)
    """The token's SHA-256; the token itself is not kept (``core/access_token.py`` says why that is right)."""
    name: Mapped[str]
    name_key: Mapped[str]
    """The name as it is compared (``core/names.py``)."""
    may_name_others: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    last_used: Mapped[date | None]

    __table_args__ = (UniqueConstraint("name_key"), {"info": {STAYS_HERE: True}})
