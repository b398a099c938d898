"""Translates the queue's errors: any error of SQLite or Redis means that the queue is unavailable."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from huey.storage import SqliteStorage
from redis.exceptions import RedisError

from image_search_service.core.errors import UnavailableError

_REDIS = " See whether Redis runs and can be reached; its address is IMAGE_SEARCH_REDIS_URL."


@contextmanager
def translated() -> Iterator[None]:
    try:
        yield
    except (RedisError, SqliteStorage.operational_error, OSError) as error:
        raise UnavailableError(
            f"The queue does not answer: {(str(error) or type(error).__name__).rstrip('.')}.",
            hint="Jobs that were accepted are kept and start when it answers again."
            + (_REDIS if isinstance(error, RedisError) else ""),
        ) from error
