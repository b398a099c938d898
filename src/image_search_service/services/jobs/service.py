"""The callers' access to jobs: submit, read, pause, cancel.

A job is a row; the queue only carries ids to the workers. A job is sent after its row is committed; the
workers send again what could not be sent (``JobLedger.recover``).
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from image_search_service.core.errors import ConflictError, NotFoundError
from image_search_service.core.parallel import chunks
from image_search_service.core.records.jobs import JobFilter, JobRecord
from image_search_service.core.records.lists import ListPage
from image_search_service.core.types import JsonObject
from image_search_service.db.queries.jobs import jobs
from image_search_service.db.session import Database, Session

Enqueue = Callable[[uuid.UUID], None]
"""Brings a job's id to a worker. Raises UnavailableError."""

SUBMIT_TRIES = 5


class JobKind(StrEnum):
    """The kinds of background jobs, implemented in ``queue/face_jobs.py``."""

    ASSIGN_FACES = "assign_faces"
    CLUSTER_DUAL = "cluster_dual"
    CLUSTER_FACES = "cluster_faces"
    COMPUTE_CENTROIDS = "compute_centroids"
    DETECT_FACES = "detect_faces"
    DOCTOR = "doctor"
    ERASE_PHOTOS = "erase_photos"
    FIND_CONFLICTS = "find_conflicts"
    FIND_MORE_SUGGESTIONS = "find_more_suggestions"
    FIND_MORE_MULTI_PROTOTYPE_SUGGESTIONS = "find_more_multi_prototype_suggestions"
    FIND_MORE_CENTROID_SUGGESTIONS = "find_more_centroid_suggestions"
    EXPIRE_OLD_SUGGESTIONS = "expire_old_suggestions"
    PROPOSE_GROUPING = "propose_grouping"
    READ_METADATA = "read_metadata"
    WRITE_BACKUP = "write_backup"
    WRITE_METADATA = "write_metadata"


class JobState(StrEnum):
    """The states of a job."""

    QUEUED = jobs.QUEUED
    RUNNING = jobs.RUNNING
    PAUSED = jobs.PAUSED
    SUCCEEDED = jobs.SUCCEEDED
    FAILED = jobs.FAILED
    CANCELLED = jobs.CANCELLED


ENDED = (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED)
"""Final states."""
STEP = "step"
"""The key in a running job's counts that holds its current step."""
REPORT = "report"
"""The key in an ended job's counts that holds what the command of the same name would print."""
PERSONS_IN_A_JOB = 100
"""Persons in one job: few jobs, each short enough to be cancelled or repeated."""


@dataclass(frozen=True, slots=True)
class SubmittedJobs:
    """Jobs whose rows a transaction has written. due: those that a worker is to be told of."""

    jobs: list[JobRecord]
    due: list[uuid.UUID]


def insert_jobs(
    session: Session, kind: JobKind, parameters: Sequence[JsonObject], *, resume: bool = True
) -> SubmittedJobs:
    """Write several jobs of a kind, none for one that waits or runs already; ``JobService.send`` follows when
    the transaction is committed.

    Raises ConflictError if equal ones end again and again meanwhile.
    """
    keys = [job_key(kind, job_parameters) for job_parameters in parameters]
    rows = {
        key: {"id": uuid.uuid4(), "kind": kind.value, "key": key, "parameters": job_parameters, **_new()}
        for key, job_parameters in zip(keys, parameters, strict=True)
    }
    for _ in range(SUBMIT_TRIES):
        jobs.insert_new(session, list(rows.values()))
        active = jobs.active_by_keys(session, list(rows))
        paused = [job.id for job in active.values() if job.state == jobs.PAUSED and resume]
        resumed = jobs.resume(session, paused) if paused else []
        if resumed:
            active = jobs.active_by_keys(session, list(rows))
        if len(active) == len(rows):
            ours = {row["id"] for row in rows.values()} | set(resumed)
            submitted = [active[key] for key in keys]
            return SubmittedJobs(submitted, [job.id for job in active.values() if job.id in ours])
    raise ConflictError("Equal jobs ended while this one was submitted.", hint="Submit it again.")


def for_persons(person_ids: Sequence[uuid.UUID], parameters: JsonObject) -> list[JsonObject]:
    """The parameters of jobs for each hundred persons, in the order of their ids."""
    ids = sorted({str(person_id) for person_id in person_ids})
    return [{**parameters, "person_ids": group} for group in chunks(ids, PERSONS_IN_A_JOB)]


class JobService:
    """Submits jobs, shows, pauses and cancels them."""

    def __init__(self, database: Database, enqueue: Enqueue) -> None:
        self._database = database
        self._enqueue = enqueue

    def submit(self, kind: JobKind, parameters: JsonObject, *, resume: bool = True) -> JobRecord:
        """A new job, or the equal one that waits or runs already; one that is paused goes on, if ``resume``.

        Raises UnavailableError when the queue does not answer: the job is kept and sent later.
        """
        return self.submit_all(kind, [parameters], resume=resume)[0]

    def submit_for_persons(
        self, kind: JobKind, person_ids: Sequence[uuid.UUID], parameters: JsonObject
    ) -> list[JobRecord]:
        """One job for each hundred persons, in the order of their ids. parameters: the other parameters."""
        return self.submit_all(kind, for_persons(person_ids, parameters))

    def submit_all(
        self, kind: JobKind, parameters: Sequence[JsonObject], *, resume: bool = True
    ) -> list[JobRecord]:
        """Several jobs of a kind in one transaction; sent when it is committed."""
        if not parameters:
            return []
        with self._database.write() as session:
            submitted = insert_jobs(session, kind, parameters, resume=resume)
        self.send(submitted)
        return submitted.jobs

    def send(self, submitted: SubmittedJobs) -> None:
        """Bring jobs whose rows are committed to workers. Raises UnavailableError; they are sent later."""
        for job_id in submitted.due:
            self._enqueue(job_id)

    def get(self, job_id: uuid.UUID) -> JobRecord:
        """Raises NotFoundError."""
        with self._database.read() as session:
            job = jobs.job_by_id(session, job_id)
        if job is None:
            raise NotFoundError(f"There is no job {job_id}.", hint="GET /api/v1/jobs lists them.")
        return job

    def page(self, where: JobFilter, limit: int) -> ListPage[JobRecord]:
        """Jobs, the newest first."""
        with self._database.read() as session:
            return ListPage(jobs.jobs_page(session, where, limit), jobs.count_jobs(session, where))

    def is_active(self, kind: JobKind) -> bool:
        """Whether a job of this kind waits, runs or is paused."""
        with self._database.read() as session:
            return any(job.kind == kind for job in jobs.active_jobs(session))

    def counts(self) -> dict[str, int]:
        """How many jobs there are in each state."""
        with self._database.read() as session:
            counts = jobs.count_by_state(session)
        return {state.value: counts.get(state.value, 0) for state in JobState}

    def pause(self, job_id: uuid.UUID) -> JobRecord:
        """Pause a job: at once if it waits, at its next step if it runs. It stays so over restarts.

        Raises NotFoundError, and ConflictError when it has ended.
        """
        with self._database.write() as session:
            if not jobs.pause(session, job_id):
                self._refuse_ended(session, job_id)
        return self.get(job_id)

    def resume(self, job_id: uuid.UUID) -> JobRecord:
        """Let a paused job go on; indexing goes on from where it was, other jobs begin again.

        Raises NotFoundError, and ConflictError when it has ended.
        """
        with self._database.write() as session:
            self._refuse_ended(session, job_id)
            resumed = jobs.resume(session, [job_id])
        for waiting in resumed:
            self._enqueue(waiting)
        return self.get(job_id)

    def _refuse_ended(self, session: Session, job_id: uuid.UUID) -> None:
        job = jobs.job_by_id(session, job_id)
        if job is not None and job.state in ENDED:
            raise ConflictError(f"The job {job_id} has {job.state} already.", hint="Submit it again.")

    def cancel(self, job_id: uuid.UUID) -> JobRecord:
        """Cancel a job: at once if it waits or is paused, at its next step if it runs.

        Raises NotFoundError, and ConflictError when it has ended.
        """
        with self._database.write() as session:
            if not (jobs.cancel_queued(session, job_id) or jobs.request_cancel(session, job_id)):
                ended = jobs.job_by_id(session, job_id)
                if ended is not None and ended.state != jobs.CANCELLED:
                    raise ConflictError(f"The job {job_id} has {ended.state} already.")
        return self.get(job_id)


def job_key(kind: JobKind, parameters: JsonObject) -> str:
    """A key that is equal for equal jobs: SHA-256 of the kind and the parameters."""
    text = json.dumps([kind.value, parameters], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _new() -> JsonObject:
    return {
        "state": jobs.QUEUED,
        "done": 0,
        "counts": {},
        "cancel_requested": False,
        "pause_requested": False,
        "attempts": 0,
    }
