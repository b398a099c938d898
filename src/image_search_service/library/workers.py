"""Threads of this process that run the library's jobs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from image_search_service.library.opening import Library
from image_search_service.services.backup.sending import remove_old
from image_search_service.services.grouping_proposals import CHOICE, GroupingProposals
from image_search_service.services.indexing.notices import FolderNotices
from image_search_service.services.indexing.watching import FolderWatch
from image_search_service.services.jobs.ledger import JobLedger
from image_search_service.services.jobs.service import JobKind, JobService

if TYPE_CHECKING:
    from image_search_service.queue.huey_app import Workers


def job_workers(library: Library, **options: float) -> Workers:
    """Workers for the library's jobs; not started yet. options: of ``Workers``."""
    from image_search_service.queue.face_jobs import JOBS
    from image_search_service.queue.huey_app import Workers
    from image_search_service.queue.runner import JobRunner

    ledger, alone = JobLedger(library.database), not library.settings.stores_are_shared
    runner = JobRunner(ledger, JOBS, library.stores, alone=alone)
    library.job_queue.on_night = lambda: _submit_nightly(library)
    library.job_queue.on_minute = lambda: _every_minute(library)
    return Workers(library.job_queue, runner, library.settings.job_threads, **options)


@contextmanager
def running_workers(library: Library, stop_seconds: float) -> Iterator[None]:
    """The library's jobs run, and its folders are watched if the settings say so, until the end of the block.

    stop_seconds: how long a job may then take to its next step.
    """
    workers = job_workers(library)
    workers.start()
    notices = FolderNotices(_folder_watch(library), library.paths.root) if library.settings.watch else None
    if notices is not None:
        notices.start()
    try:
        yield
    finally:
        if notices is not None:
            notices.stop()
        workers.stop(stop_seconds)


def _folder_watch(library: Library) -> FolderWatch:
    jobs = JobService(library.database, library.job_queue.enqueue)
    return FolderWatch(library.database, jobs, timedelta(minutes=library.settings.watch_minutes))


def _every_minute(library: Library) -> None:
    remove_old(library.paths)
    library.payload_sender.send_if_it_answers()
    if library.settings.watch:
        _folder_watch(library).look()


def _submit_nightly(library: Library) -> None:
    """Submit the jobs of the night, for a library with something in it: the doctor, and what grouping all
    unnamed faces again would change, if some were grouped by what they resemble only."""
    row = library.engine_binding.row()
    if row is None:
        return
    jobs = JobService(library.database, library.job_queue.enqueue)
    with_backup = {} if library.settings.backup_dir is None else {"backup": True}
    jobs.submit(JobKind.DOCTOR, {"repair": False, **with_backup})
    if GroupingProposals(library.stores).is_due():
        jobs.submit(JobKind.PROPOSE_GROUPING, {**CHOICE, **(row.grouping or {})})
