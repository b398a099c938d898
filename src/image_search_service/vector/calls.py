"""Calls to Qdrant: counted, timed, errors translated, retried when Qdrant is unavailable.

Every round trip passes through here; ``image_search_qdrant_requests_total`` counts them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from prometheus_client import Counter, Histogram

from image_search_service.core.errors import KeyRefusedError, RateLimitedError, UnavailableError
from image_search_service.core.logging import get_logger
from image_search_service.vector.errors import translated

T = TypeVar("T")
log = get_logger(__name__)

REQUESTS: Final = Counter("image_search_qdrant_requests", "Requests sent to Qdrant.", ["operation"])
RETRIES: Final = Counter("image_search_qdrant_retries", "Requests sent again, Qdrant being unavailable.")
SECONDS: Final = Histogram(
    "image_search_qdrant_request_seconds", "From a request to its answer, in seconds.", ["operation"]
)
POINTS: Final = Counter("image_search_qdrant_points", "Embeddings read by id.")
MISSING: Final = Counter("image_search_qdrant_points_missing", "Embeddings asked for by id and not there.")


LONGEST_WAIT: Final = 60
"""Seconds that a call waits for a rate limit; Qdrant's limits are for each minute."""


@dataclass(frozen=True, slots=True)
class Retry:
    """The pauses, in seconds, before each retry; after the last one the error is raised.

    A rate limit is waited for as long as it says, if that is not longer than ``LONGEST_WAIT``.
    """

    pauses: tuple[float, ...] = (0.1, 0.4, 1.6)
    sleep: Callable[[float], None] = time.sleep

    def wait(self, failures: int, error: UnavailableError) -> None:
        """Wait after the ``failures``-th failure in a row. Raises ``error`` if a retry cannot help."""
        if failures > len(self.pauses) or isinstance(error, KeyRefusedError):
            raise error
        pause = self.pauses[failures - 1]
        if isinstance(error, RateLimitedError) and error.seconds is not None:
            pause = max(pause, error.seconds)
            if pause > LONGEST_WAIT:
                raise error
        log.warning("Qdrant is unavailable, trying again", error=error.message, seconds=pause)
        RETRIES.inc()
        self.sleep(pause)


def call_once(operation: str, doing: str, send: Callable[[], T], client: Any = None) -> T:
    """One request of ``client``. ``operation`` names it in the metrics, ``doing`` in an error's message."""
    REQUESTS.labels(operation).inc()
    with SECONDS.labels(operation).time(), translated(doing, client):
        return send()


def call(operation: str, doing: str, send: Callable[[], T], retry: Retry, client: Any = None) -> T:
    """A request that may be repeated without changing its effect, tried again while Qdrant is unavailable."""
    failures = 0
    while True:
        try:
            return call_once(operation, doing, send, client)
        except UnavailableError as error:
            failures += 1
            retry.wait(failures, error)
