"""Has the library's folders indexed, as a job: every so often by the clock, or when they are said to have
changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from image_search_service.core.files import has_vanished, is_folder
from image_search_service.core.records.jobs import JobRecord
from image_search_service.core.types import JsonObject
from image_search_service.db.models import utc_now
from image_search_service.db.queries import absent_folders, index_roots
from image_search_service.db.session import Database
from image_search_service.services.indexing.roots import topmost_of
from image_search_service.services.jobs.service import JobKind, JobService


def index_parameters(
    paths: Sequence[Path], *, retry_failed: bool = False, names_from_metadata: bool | None = None
) -> JsonObject:
    """The parameters of a job that indexes; equal ones make equal jobs, of which one at a time is active."""
    return {
        "paths": sorted(map(str, paths)),
        "retry_failed": retry_failed,
        "names_from_metadata": names_from_metadata,
    }


class FolderWatch:
    """Submits the job when it is due. Several processes may do so at once."""

    def __init__(self, database: Database, jobs: JobService, every: timedelta) -> None:
        self._database = database
        self._jobs = jobs
        self._every = every

    def look(self, now: datetime | None = None) -> JobRecord | None:
        """Index all folders if one of them was not for so long; None if it is not due, or indexing is under
        way or paused. A folder that is known to be away waits for the others."""
        with self._database.read() as session:
            indexed = index_roots.indexed_at(session)
            absent = absent_folders.absent_states(session)
        paths = topmost_of(list(indexed))
        before = (now or utc_now()) - self._every
        due = [path for path in paths if _is_before(indexed[path], before)]
        if not any(path not in absent or not has_vanished(path) for path in due):
            return None
        return self.index(paths)

    def there(self) -> list[Path]:
        """The library's folders that can be read now, without those that are in another one."""
        with self._database.read() as session:
            paths = topmost_of(list(index_roots.indexed_at(session)))
        return sorted(path for path in paths if is_folder(path))

    def index(self, paths: Sequence[Path]) -> JobRecord | None:
        """Index folders; None if indexing is under way or paused."""
        if self._jobs.is_active(JobKind.DETECT_FACES):
            return None
        return self._jobs.submit(JobKind.DETECT_FACES, index_parameters(paths), resume=False)


def _is_before(moment: datetime | None, limit: datetime) -> bool:
    return moment is None or moment <= limit
