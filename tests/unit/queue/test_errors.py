"""A queue that does not answer."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from image_search_service.core.errors import UnavailableError
from image_search_service.queue.huey_app import JobQueue, open_huey


def test_a_redis_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    """Sending to a Redis that nobody runs says so, and is worth another try."""
    queue = JobQueue(open_huey(redis_url="redis://127.0.0.1:1/0", file=tmp_path / "unused"))
    with pytest.raises(UnavailableError, match="queue does not answer"):
        queue.enqueue(uuid.uuid4())
    with pytest.raises(UnavailableError):
        queue.check()
    queue.close()


def test_a_file_that_cannot_be_written_is_unavailable(tmp_path: Path) -> None:
    """A queue whose folder is a file cannot be opened."""
    (tmp_path / "file").touch()
    with pytest.raises(UnavailableError):
        open_huey(redis_url=None, file=tmp_path / "file" / "queue.sqlite3")
