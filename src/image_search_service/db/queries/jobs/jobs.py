"""Jobs: each change of state is one conditional statement, so that concurrent changes are not lost.

A running job belongs to its worker as long as ``attempts`` is unchanged since the worker claimed it.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row as SelectedRow, func, inspect, or_, select, update
from sqlalchemy.orm import Session

from image_search_service.core.records.jobs import JobFilter, JobRecord
from image_search_service.core.types import JsonObject
from image_search_service.db.models import JobRow
from image_search_service.db.queries import prepared
from image_search_service.db.queries.batches import Row, upsert_rows
from image_search_service.db.queries.clock import database_ago, database_moment, database_now

QUEUED, RUNNING, PAUSED = "queued", "running", "paused"
SUCCEEDED, FAILED, CANCELLED = "succeeded", "failed", "cancelled"
ACTIVE = (QUEUED, RUNNING, PAUSED)
_ACTIVE = "state IN ('queued', 'running', 'paused')"
"""The condition of the partial index, word for word: databases compare the text."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A job that a worker has claimed, and the number of the attempt."""

    id: uuid.UUID
    kind: str
    parameters: JsonObject
    attempt: int


def job_record(row: JobRow | SelectedRow[Any]) -> JobRecord:
    return JobRecord(
        id=row.id,
        kind=row.kind,
        parameters=row.parameters,
        state=row.state,
        done=row.done,
        total=row.total,
        counts=row.counts,
        error=row.error,
        cancel_requested=row.cancel_requested,
        pause_requested=row.pause_requested,
        attempts=row.attempts,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )


def insert_new(session: Session, rows: Sequence[Row]) -> None:
    """Insert the jobs unless an equal one waits, runs or is paused: one statement, and on a server one that
    asks for its time."""
    now = database_moment(session)
    rows = [{**row, "created_at": now} for row in rows]
    upsert_rows(session, JobRow, rows, key=["key"], update=[], where=_ACTIVE)


_ACTIVE_BY_KEYS = select(*inspect(JobRow).columns).where(
    prepared.among(JobRow.key, "keys"), JobRow.state.in_(ACTIVE)
)


def active_by_keys(session: Session, keys: Sequence[str]) -> dict[str, JobRecord]:
    """Those that wait, run or are paused, by key."""
    rows = prepared.run(session, _ACTIVE_BY_KEYS, {"keys": keys})
    return {job.key: job_record(job) for job in rows}


def job_by_id(session: Session, job_id: uuid.UUID) -> JobRecord | None:
    row = session.get(JobRow, job_id, populate_existing=True)
    return None if row is None else job_record(row)


def jobs_since(session: Session, moment: datetime, known: Sequence[uuid.UUID]) -> list[JobRecord]:
    """Jobs created at ``moment`` or later, and those in ``known``, in the order of creation."""
    rows = session.scalars(
        select(JobRow)
        .where(or_(JobRow.created_at >= moment, JobRow.id.in_(known)))
        .order_by(JobRow.created_at, JobRow.id)
    )
    return [job_record(row) for row in rows]


def active_jobs(session: Session) -> list[JobRecord]:
    """Jobs that wait, run or are paused, in the order of creation."""
    rows = session.scalars(
        select(JobRow).where(JobRow.state.in_(ACTIVE)).order_by(JobRow.created_at, JobRow.id)
    )
    return [job_record(row) for row in rows]


def ended_since(session: Session, moment: datetime, limit: int) -> list[JobRecord]:
    """The last jobs that have ended since, in the order in which they ended."""
    rows = session.scalars(
        select(JobRow)
        .where(JobRow.finished_at >= moment)
        .order_by(JobRow.finished_at.desc(), JobRow.id)
        .limit(limit)
    ).all()
    return [job_record(row) for row in reversed(rows)]


def jobs_page(session: Session, where: JobFilter, limit: int) -> list[JobRecord]:
    """The newest first."""
    statement = select(JobRow).where(*_matching(where))
    if where.after is not None:
        moment, job_id = where.after
        statement = statement.where(
            or_(JobRow.created_at < moment, (JobRow.created_at == moment) & (JobRow.id < job_id))
        )
    rows = session.scalars(statement.order_by(JobRow.created_at.desc(), JobRow.id.desc()).limit(limit))
    return [job_record(row) for row in rows]


def count_jobs(session: Session, where: JobFilter) -> int:
    """How many jobs there are on all pages."""
    return session.scalar(select(func.count()).select_from(JobRow).where(*_matching(where))) or 0


def _matching(where: JobFilter) -> list[ColumnElement[bool]]:
    wanted = {JobRow.state: where.state, JobRow.kind: where.kind}
    return [column == value for column, value in wanted.items() if value is not None]


def count_by_state(session: Session) -> dict[str, int]:
    rows = session.execute(select(JobRow.state, func.count()).group_by(JobRow.state))
    return {str(state): int(count) for state, count in rows}


def claim(session: Session, job_id: uuid.UUID) -> Claim | None:
    """Take a job that waits; None when it does not: another worker has it, or it was cancelled."""
    now = database_now(session)
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


def beat(
    session: Session, claim: Claim, done: int, total: int | None, counts: JsonObject
) -> tuple[bool, bool] | None:
    """Store a sign of life, the progress and the counts so far. Returns whether the job is to be cancelled,
    and whether it is to be paused; None if it belongs to another worker now."""
    row = session.execute(
        _mine(claim)
        .values(done=done, total=total, counts=counts, heartbeat_at=database_now(session))
        .returning(JobRow.cancel_requested, JobRow.pause_requested)
    ).one_or_none()
    return None if row is None else (row[0], row[1])


def finish(session: Session, claim: Claim, state: str, **columns: Any) -> bool:
    """Store that the job ended in ``state``. False when it belongs to another worker now."""
    return _changed(session, _mine(claim).values(state=state, finished_at=database_now(session), **columns))


def put_back(session: Session, claim: Claim, error: str | None, *, counted: bool) -> bool:
    """Let the job wait again. counted: whether this attempt counts."""
    attempts = JobRow.attempts if counted else JobRow.attempts - 1
    return _changed(
        session, _mine(claim).values(state=QUEUED, attempts=attempts, error=error, heartbeat_at=None)
    )


def set_paused(session: Session, claim: Claim) -> bool:
    """Let the job wait until it is to go on. The attempt does not count."""
    values = {"state": PAUSED, "attempts": JobRow.attempts - 1, "pause_requested": False}
    return _changed(session, _mine(claim).values(heartbeat_at=None, **values))


def _mine(claim: Claim) -> Any:
    return update(JobRow).where(
        JobRow.id == claim.id, JobRow.state == RUNNING, JobRow.attempts == claim.attempt
    )


def cancel_queued(session: Session, job_id: uuid.UUID) -> bool:
    """Cancel a job at once if it waits or is paused."""
    return _changed(
        session,
        update(JobRow)
        .where(JobRow.id == job_id, JobRow.state.in_((QUEUED, PAUSED)))
        .values(state=CANCELLED, cancel_requested=True, finished_at=database_now(session)),
    )


def request_cancel(session: Session, job_id: uuid.UUID) -> bool:
    """Ask the worker of a running job to stop."""
    return _changed(
        session,
        update(JobRow).where(JobRow.id == job_id, JobRow.state == RUNNING).values(cancel_requested=True),
    )


def cancel_all(session: Session, kind: str) -> None:
    """Cancel every job of a kind, in a library of which no worker knows yet."""
    _changed(
        session,
        update(JobRow)
        .where(JobRow.kind == kind, JobRow.state.in_(ACTIVE))
        .values(state=CANCELLED, cancel_requested=True, finished_at=database_now(session)),
    )


def pause(session: Session, job_id: uuid.UUID) -> bool:
    """Pause a job that waits; ask the worker of a running one to pause it. True for one that is paused."""
    of_job = update(JobRow).where(JobRow.id == job_id)
    return (
        _changed(session, of_job.where(JobRow.state.in_((QUEUED, PAUSED))).values(state=PAUSED))
        or _changed(session, of_job.where(JobRow.state == RUNNING).values(pause_requested=True))
    )  # fmt: skip


def resume(session: Session, job_ids: Sequence[uuid.UUID]) -> list[uuid.UUID]:
    """Let paused jobs wait for a worker, and running ones run on; returns those that wait now."""
    of_jobs = update(JobRow).where(JobRow.id.in_(job_ids))
    _changed(session, of_jobs.where(JobRow.state == RUNNING).values(pause_requested=False))
    waiting = of_jobs.where(JobRow.state == PAUSED).values(state=QUEUED, pause_requested=False)
    return list(session.scalars(waiting.returning(JobRow.id)))


def recover(session: Session, silence: timedelta | None, max_attempts: int) -> None:
    """Let jobs of workers that were silent for so long wait again, or be paused as was asked; end those
    that were to be cancelled or were tried too often. None: of all workers."""
    abandoned = JobRow.state == RUNNING
    if silence is not None:
        abandoned &= JobRow.heartbeat_at < database_ago(session, silence)
    ended = {"finished_at": database_now(session), "heartbeat_at": None}
    steps: tuple[tuple[ColumnElement[bool], dict[str, Any]], ...] = (
        (JobRow.cancel_requested.is_(True), {"state": CANCELLED, **ended}),
        (JobRow.pause_requested.is_(True), {"state": PAUSED, "pause_requested": False, "heartbeat_at": None}),
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
