"""Decisions: events, and the facts that each changed."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import DDL, JSON, ForeignKey, Index, String, Table, event
from sqlalchemy.orm import Mapped, mapped_column

from image_search_service.db.models.base import Base, Uuid, utc_now


class DecisionRow(Base):
    """Something a human has said: an event, appended and never changed."""

    __tablename__ = "decisions"

    id: Mapped[int] = mapped_column(primary_key=True)
    """In the order in which they were made."""
    kind: Mapped[str] = mapped_column(String(32))
    actor: Mapped[str] = mapped_column(String(128))
    at: Mapped[datetime] = mapped_column(default=utc_now)
    undoes: Mapped[int | None] = mapped_column(ForeignKey("decisions.id"), index=True)
    """The decision that this one takes back."""
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What it was about besides the facts that it changed, such as a cluster."""

    __table_args__ = (Index("ix_decisions_actor", "actor", "id"),)


class DecisionChange(Base):
    """One fact that a decision has changed (``core/decisions.py``)."""

    __tablename__ = "decision_changes"

    id: Mapped[int] = mapped_column(primary_key=True)
    decision_id: Mapped[int] = mapped_column(ForeignKey("decisions.id"), index=True)
    fact: Mapped[str] = mapped_column(String(32))
    subject_id: Mapped[uuid.UUID] = mapped_column(Uuid)
    other_id: Mapped[uuid.UUID | None] = mapped_column(Uuid)
    old: Mapped[Any] = mapped_column(JSON(none_as_null=True), nullable=True)
    new: Mapped[Any] = mapped_column(JSON(none_as_null=True), nullable=True)

    __table_args__ = (Index("ix_decision_changes_subject", "subject_id", "fact"),)


REFUSAL = "decisions are appended and never changed"


def _refuse_changes(table: Table) -> None:
    """Triggers that keep events, so that neither a bug nor a hand on the console changes them."""
    for change in ("update", "delete"):
        _at(
            table,
            "after_create",
            "sqlite",
            f"CREATE TRIGGER %(table)s_are_kept_{change} BEFORE {change} ON %(table)s "
            f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END",
        )
    _at(
        table,
        "before_create",
        "postgresql",
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'integrity_constraint_violation'; END $$",
    )
    _at(
        table,
        "after_create",
        "postgresql",
        "CREATE TRIGGER %(table)s_are_kept BEFORE UPDATE OR DELETE ON %(table)s "
        "FOR EACH ROW EXECUTE FUNCTION refuse_change()",
    )


def _at(table: Table, moment: str, dialect: str, statement: str) -> None:
    """Execute a statement before or after the table is created on a database of the dialect."""
    ddl = DDL(statement)  # type: ignore[no-untyped-call] # SQLAlchemy gives its arguments no types
    event.listen(table, moment, ddl.execute_if(dialect=dialect))


for _events in (DecisionRow, DecisionChange):
    _refuse_changes(Base.metadata.tables[_events.__tablename__])
