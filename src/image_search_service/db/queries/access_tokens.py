"""The tokens by which people are let in."""

from __future__ import annotations

from datetime import date

from sqlalchemy import delete, exists, select, update
from sqlalchemy.orm import Session

from image_search_service.core.records.tokens import TokenRecord
from image_search_service.db.models import AccessToken


def tokens(session: Session) -> list[TokenRecord]:
    """All of them by name."""
    return [_record(row) for row in session.scalars(select(AccessToken).order_by(AccessToken.name_key))]


def find_token(session: Session, digest: bytes) -> TokenRecord | None:
    row = session.get(AccessToken, digest)
    return None if row is None else _record(row)


def has_token(session: Session, name_key: str) -> bool:
    """Whether somebody of this name has one."""
    return bool(session.scalar(select(exists().where(AccessToken.name_key == name_key))))


def add_token(
    session: Session, digest: bytes, name: str, name_key: str, *, may_name_others: bool
) -> TokenRecord:
    row = AccessToken(digest=digest, name=name, name_key=name_key, may_name_others=may_name_others)
    session.add(row)
    session.flush()
    return _record(row)


def remove_token(session: Session, name_key: str) -> TokenRecord | None:
    """What was removed; None if nobody of this name has one."""
    statement = delete(AccessToken).where(AccessToken.name_key == name_key).returning(AccessToken)
    row = session.scalars(statement).one_or_none()
    return None if row is None else _record(row)


def note_use(session: Session, digest: bytes, day: date) -> None:
    session.execute(update(AccessToken).where(AccessToken.digest == digest).values(last_used=day))


def _record(row: AccessToken) -> TokenRecord:
    return TokenRecord(row.name, row.may_name_others, row.created_at, row.last_used)
