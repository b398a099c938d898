"""Jobs: each change of state is one statement that looks at the state it changes, so that none is lost.

A job that runs is its worker's as long as ``attempts`` is what it was when the worker took it.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select, update
from sqlalchemy.orm import Session

from image_search_service.core.types import JsonObject
from image_search_service.db.models import JobRow, utc_now
from image_search_service.db.queries.batches import Row, upsert_rows

QUEUED, RUNNING, SUCCEEDED, FAILED, CANCELLED = "queued", "running", "succeeded", "failed", "cancelled"
ACTIVE = (QUEUED, RUNNING)
_ACTIVE = "state IN ('queued', 'running')"
"""The condition of the partial index, word for word: databases compare it so."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A job that a worker has taken, and the number of the attempt."""

    id: uuid.UUID
    kind: str
    parameters: JsonObject
    attempt: int


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs are listed; what is None does not matter. after: the last one of the page before."""

    state: str | None = None
    kind: str | None = None
    after: tuple[datetime, uuid.UUID] | None = None


def insert_new(session: Session, rows: Sequence[Row]) -> None:
    """Insert the jobs of which no equal one waits or runs: one statement."""
    upsert_rows(session, JobRow, rows, key=["key"], update=[], where=_ACTIVE)


def active_by_keys(session: Session, keys: Sequence[str]) -> dict[str, JobRow]:
    """Those that wait or run, by key."""
    rows = session.scalars(select(JobRow).where(JobRow.key.in_(keys), JobRow.state.in_(ACTIVE)))
    return {job.key: job for job in rows}


def job_by_id(session: Session, job_id: uuid.UUID) -> JobRow | None:
    return session.get(JobRow, job_id, populate_existing=True)


def jobs_page(session: Session, where: JobFilter, limit: int) -> list[JobRow]:
    """The newest first."""
    statement = select(JobRow).where(*_matching(where))
    if where.after is not None:
        moment, job_id = where.after
        statement = statement.where(
            or_(JobRow.created_at < moment, (JobRow.created_at == moment) & (JobRow.id < job_id))
        )
    return list(session.scalars(statement.order_by(JobRow.created_at.desc(), JobRow.id.desc()).limit(limit)))


def count_jobs(session: Session, where: JobFilter) -> int:
    """How many there are on all pages."""
    return session.scalar(select(func.count()).select_from(JobRow).where(*_matching(where))) or 0


def _matching(where: JobFilter) -> list[ColumnElement[bool]]:
    wanted = {JobRow.state: where.state, JobRow.kind: where.kind}
    return [column == value for column, value in wanted.items() if value is not None]


def count_by_state(session: Session) -> dict[str, int]:
    rows = session.execute(select(JobRow.state, func.count()).group_by(JobRow.state))
    return {str(state): int(count) for state, count in rows}


def claim(session: Session, job_id: uuid.UUID) -> Claim | None:
    """Take a job that waits; None when it does not: another worker has it, or it was cancelled."""
    now = utc_now()
    row = session.execute(
        update(JobRow)
        .where(JobRow.id == job_id, JobRow.state == QUEUED)
        .values(
            state=RUNNING,
            attempts=JobRow.attempts + 1,
            started_at=func.coalesce(JobRow.started_at, now),
            heartbeat_at=now,
        )
        .returning(JobRow.id, JobRow.kind, JobRow.parameters, JobRow.attempts)
    ).one_or_none()
    return None if row is None else Claim(*row)


def beat(session: Session, claim: Claim, done: int, total: int | None) -> bool | None:
    """Say that the worker lives and how far it is. Whether the job is to be cancelled; None: it is lost."""
    return session.execute(
        _mine(claim).values(done=done, total=total, heartbeat_at=utc_now()).returning(JobRow.cancel_requested)
    ).scalar_one_or_none()


def finish(session: Session, claim: Claim, state: str, **columns: Any) -> bool:
    """The job has ended in ``state``. False when it is not this worker's any more."""
    return _changed(session, _mine(claim).values(state=state, finished_at=utc_now(), **columns))


def put_back(session: Session, claim: Claim, error: str | None, *, counted: bool) -> bool:
    """The job waits again; ``counted``: the attempt counts as one."""
    attempts = JobRow.attempts if counted else JobRow.attempts - 1
    return _changed(
        session, _mine(claim).values(state=QUEUED, attempts=attempts, error=error, heartbeat_at=None)
    )


def _mine(claim: Claim) -> Any:
    return update(JobRow).where(
        JobRow.id == claim.id, JobRow.state == RUNNING, JobRow.attempts == claim.attempt
    )


def cancel_queued(session: Session, job_id: uuid.UUID) -> bool:
    """Cancel it at once if it waits."""
    return _changed(
        session,
        update(JobRow)
        .where(JobRow.id == job_id, JobRow.state == QUEUED)
        .values(state=CANCELLED, cancel_requested=True, finished_at=utc_now()),
    )


def request_cancel(session: Session, job_id: uuid.UUID) -> bool:
    """Ask the worker of a job that runs to stop."""
    return _changed(
        session,
        update(JobRow).where(JobRow.id == job_id, JobRow.state == RUNNING).values(cancel_requested=True),
    )


def recover(session: Session, silent_since: datetime, max_attempts: int) -> None:
    """Jobs whose worker has been silent wait again; asked to be cancelled, or tried too often, they end."""
    abandoned = (JobRow.state == RUNNING) & (JobRow.heartbeat_at < silent_since)
    ended = {"finished_at": utc_now(), "heartbeat_at": None}
    steps: tuple[tuple[ColumnElement[bool], dict[str, Any]], ...] = (
        (JobRow.cancel_requested.is_(True), {"state": CANCELLED, **ended}),
        (
            JobRow.attempts >= max_attempts,
            {"state": FAILED, "error": f"Its worker stopped in the middle, {max_attempts} times.", **ended},
        ),
        (JobRow.attempts < max_attempts, {"state": QUEUED, "heartbeat_at": None}),
    )
    for condition, values in steps:
        _changed(session, update(JobRow).where(abandoned, condition).values(**values))


def queued_ids(session: Session) -> list[uuid.UUID]:
    """Jobs that wait, the oldest first."""
    return list(
        session.scalars(
            select(JobRow.id).where(JobRow.state == QUEUED).order_by(JobRow.created_at, JobRow.id)
        )
    )


def _changed(session: Session, statement: Any) -> bool:
    result = session.execute(statement.execution_options(synchronize_session=False))
    return bool(getattr(result, "rowcount", 0))
