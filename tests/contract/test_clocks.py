"""Several machines share a database, but not the time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, update

from image_search_service.db.models import JobRow, utc_now
from image_search_service.db.queries import clock
from image_search_service.db.session import Database
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
