"""Measures the library at one moment, for Prometheus."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from image_search_service.core.errors import UnavailableError
from image_search_service.core.records.jobs import JobFilter, JobRecord
from image_search_service.library.health import outbox_size, readiness_service
from image_search_service.library.opening import Library
from image_search_service.services.backup.last_backup import last_backup
from image_search_service.services.jobs.service import JobKind, JobService, JobState


@dataclass(frozen=True, slots=True)
class Measurements:
    """stores: whether each works. jobs: their number by state. Moments are in seconds since 1970.

    None, and no jobs: nobody can say now, or it has not happened yet.
    """

    stores: dict[str, bool]
    free_bytes: int
    size_bytes: int
    last_backup: float | None
    jobs: dict[str, int]
    outbox: int | None = None
    doctor_findings: int | None = None
    doctor_ended: float | None = None


def measurements(library: Library) -> Measurements:
    """A handful of statements and one request to Qdrant, however large the library is."""
    disk = shutil.disk_usage(library.paths.root)
    stores = {item.name: item.ready for item in readiness_service(library).check() if item.name != "outbox"}
    told = _told_by_database(library) if stores["database"] else {"jobs": {}}
    backup = last_backup(library.paths)
    return Measurements(
        stores=stores, free_bytes=disk.free, size_bytes=disk.total, last_backup=_seconds(backup), **told
    )


def _told_by_database(library: Library) -> dict[str, Any]:
    service = JobService(library.database, library.job_queue.enqueue)
    wanted = JobFilter(kind=JobKind.DOCTOR, state=JobState.SUCCEEDED)
    try:
        checks = service.page(wanted, 1).items
        told = {"jobs": service.counts(), "outbox": outbox_size(library)}
    except UnavailableError:  # gone since it was asked
        return {"jobs": {}}
    return told | (_told_by_doctor(checks[0]) if checks else {})


def _told_by_doctor(job: JobRecord) -> dict[str, Any]:
    findings = [] if job.counts["healthy"] else job.counts["findings"]
    left = sum(finding["found"] - finding["repaired"] for finding in findings)
    return {"doctor_findings": left, "doctor_ended": _seconds(job.finished_at)}


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()
