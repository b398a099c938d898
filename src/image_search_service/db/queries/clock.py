"""The database's clock: several machines share the database, but not the time."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Interval, func, literal, select
from sqlalchemy.orm import Session

from image_search_service.db.models.base import UtcDateTime, utc_now


def database_now(session: Session) -> ColumnElement[datetime]:
    """The moment as the database has it; SQLite's is this machine's."""
    if session.get_bind().dialect.name == "sqlite":
        return literal(utc_now(), UtcDateTime)
    return func.clock_timestamp(type_=UtcDateTime)


def database_ago(session: Session, span: timedelta) -> ColumnElement[datetime]:
    """The moment so long ago, by the same clock."""
    if session.get_bind().dialect.name == "sqlite":
        return literal(utc_now() - span, UtcDateTime)
    return database_now(session) - literal(span, Interval)


def database_moment(session: Session) -> datetime:
    """The moment as the database has it, read: a statement where it is on a server."""
    if session.get_bind().dialect.name == "sqlite":
        return utc_now()
    return session.scalars(select(database_now(session))).one()
