"""How much one request may have: what strict mode says when a collection is opened, and what a refusal shows.

Servers and proxies limit requests by bytes, by points, by searches, by the ids in a condition, and by tokens
of a rate limit. A request that one of them refuses for its size is sent in halves, and so are all later ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from typing import TYPE_CHECKING, Final, TypeVar

from image_search_service.core.errors import InvalidInputError, RequestTooLargeError
from image_search_service.core.logging import get_logger

if TYPE_CHECKING:
    from qdrant_client import models

T = TypeVar("T")
R = TypeVar("R")
log = get_logger(__name__)

WRITE_BATCH: Final = 1000
"""Points in one writing request, unless they are so large that ``WRITE_BYTES`` comes first."""
WRITE_BYTES: Final = 16 * 2**20
"""JSON of points in one writing request, about; a server takes 32 MB."""
NUMBER_BYTES: Final = 22
"""One number of a vector as JSON; over gRPC it is 4."""
PAYLOAD_BYTES: Final = 500
"""The rest of a point as JSON."""
SEARCH_GROUP: Final = 100
"""Searches in one request."""
UNLIMITED: Final = 2**31


@dataclass(slots=True)
class PartSize:
    """The most items that one request of a kind may have; halved for good when a larger one is refused."""

    most: int = UNLIMITED

    def send(self, items: Iterable[T], size: int, send: Callable[[list[T]], R]) -> Iterator[R]:
        """Sends all items in parts of at most ``size``; yields the answers in order.

        Raises InvalidInputError for ``size < 1``, RequestTooLargeError when one item alone is refused.
        """
        if size < 1:
            raise InvalidInputError(f"A batch size is {size}, it must be 1 or more.")
        left = iter(items)
        while part := list(islice(left, min(size, self.most))):
            try:
                answer = send(part)
            except RequestTooLargeError as error:
                self.refused(len(part), error)
                left = chain(part, left)
            else:
                yield answer

    def page(self, size: int, send: Callable[[int], R]) -> R:
        """The answer to a request for at most ``size`` items. Raises RequestTooLargeError for one alone."""
        while True:
            asked = min(size, self.most)
            try:
                return send(asked)
            except RequestTooLargeError as error:
                self.refused(asked, error)

    def refused(self, size: int, error: RequestTooLargeError) -> None:
        """Notes that a request of ``size`` items is too large. Raises ``error`` for a single one."""
        if size <= 1:
            raise error
        self.most = min(self.most, size // 2)
        log.warning("Qdrant refuses a request for its size, sending smaller ones", error=error.message)


class Limits:
    """The limits of one collection.

    reads, writes, updates, pages: points in a request; updates are payloads of points chosen by a condition.
    searches: searches in a request. results: points that a search may ask for. condition: ids in a condition.
    exact: whether points may be counted exactly. rescored: whether searches use small copies of the vectors,
    so that scores have to be computed from the vectors themselves. oversampling: the most that is allowed.
    """

    def __init__(self, dimension: int) -> None:
        point = dimension * NUMBER_BYTES + PAYLOAD_BYTES
        self.writes = PartSize(min(WRITE_BATCH, max(1, WRITE_BYTES // point)))
        self.reads, self.updates, self.pages = PartSize(), PartSize(WRITE_BATCH), PartSize()
        self.searches = PartSize(SEARCH_GROUP)
        self.results = self.condition = UNLIMITED
        self.exact, self.rescored = True, False
        self.oversampling: float | None = None

    def learn(self, config: models.CollectionConfig) -> None:
        """Takes what a collection's configuration says."""
        vectors = config.params.vectors
        quantized = getattr(config, "quantization_config", None) or getattr(
            vectors, "quantization_config", None
        )
        self.rescored = quantized is not None
        strict = getattr(config, "strict_mode_config", None)
        if strict is None or not strict.enabled:
            return
        self.exact = strict.search_allow_exact is not False
        self.oversampling = strict.search_max_oversampling
        self.results = strict.max_query_limit or UNLIMITED
        self.condition = strict.condition_max_size or UNLIMITED
        for part, limits in (
            (self.pages, (strict.max_query_limit,)),
            (self.reads, (strict.read_rate_limit,)),
            (self.searches, (strict.search_max_batchsize, strict.read_rate_limit)),
            (self.writes, (strict.upsert_max_batchsize, strict.write_rate_limit)),
            (self.updates, (strict.condition_max_size, strict.write_rate_limit)),
        ):
            part.most = min(part.most, *(limit for limit in limits if limit), UNLIMITED)
