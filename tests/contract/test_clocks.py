"""Several machines share a database, but not the time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import ColumnElement, Interval, func, literal, select, update

from image_search_service.db.models import JobRow, utc_now
from image_search_service.db.models.base import UtcDateTime
from image_search_service.db.queries import clock
from image_search_service.db.queries.jobs import jobs as job_queries
from image_search_service.db.session import Database, Session
from image_search_service.services.jobs.feed import EventFeed
from image_search_service.services.jobs.ledger import SILENCE, JobLedger
from image_search_service.services.jobs.service import JobKind, JobService
from tests.support.databases import open_database

pytestmark = pytest.mark.depth


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with open_database("postgresql", tmp_path) as made:
        yield made


@pytest.mark.parametrize("minutes", [-5, 5])
def test_jobs_stay_with_their_worker_whatever_its_clock_says(
    database: Database, minutes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that is five minutes ahead, or behind, neither takes a healthy job nor loses its own; one
    that has been silent for too long loses its job to anybody."""
    ledger = JobLedger(database)
    job = JobService(database, lambda _: None).submit(JobKind.DOCTOR, {"repair": False})

    def other_clock() -> datetime:
        return utc_now() + timedelta(minutes=minutes)

    claim = ledger.claim(job.id)
    assert claim is not None
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(clock, "utc_now", other_clock)
        assert ledger.recover(alone=False) == []
        ledger.beat(claim, 0, None)
    assert ledger.recover(alone=False) == []
    with database.write() as session:
        session.execute(update(JobRow).values(heartbeat_at=func.now() - SILENCE - timedelta(seconds=1)))
    assert ledger.recover(alone=False) == [job.id]


@pytest.mark.parametrize("minutes", [-5, 5])
def test_whoever_watches_hears_of_jobs_whatever_this_machines_clock_says(
    database: Database, minutes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the database's clock is five minutes ahead of this machine's, or behind, a job that was given and
    has ended is told, also to whoever comes back; its moments are the database's."""
    feed, ledger = EventFeed(database), JobLedger(database)

    def other_clock(_: Session) -> ColumnElement[datetime]:
        return func.clock_timestamp(type_=UtcDateTime) + literal(timedelta(minutes=minutes), Interval)

    for module in (clock, job_queries):
        monkeypatch.setattr(module, "database_now", other_clock)
    place = feed.start()
    job = JobService(database, lambda _: None).submit(JobKind.DOCTOR, {"repair": False})
    claim = ledger.claim(job.id)
    assert claim is not None
    ledger.succeed(claim, {}, 1, 1)
    _, update_ = feed.look(place)
    assert [(told.id, told.state) for told in update_.jobs] == [(job.id, "succeeded")]
    _, missed = feed.resume(place.bookmark)
    assert [told.id for told in missed.jobs] == [job.id]
    with database.read() as session:
        row = session.scalars(select(JobRow)).one()
    assert row.finished_at is not None
    assert abs(row.finished_at - row.created_at) < timedelta(minutes=1)
