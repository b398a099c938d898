"""Translates the queue's errors: any error of SQLite or Redis means that the queue is unavailable."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from huey.storage import SqliteStorage
from redis.exceptions import RedisError

from image_search_service.core.errors import UnavailableError


@contextmanager
def translated() -> Iterator[None]:
    try:
        yield
    except (RedisError, SqliteStorage.operational_error, OSError) as error:
        raise UnavailableError(
            f"The queue does not answer: {str(error) or type(error).__name__}.",
            hint="Jobs that were accepted are kept and start when it answers again.",
        ) from error
