"""Counts what a block of code asks of Qdrant and of the database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from prometheus_client import Counter as Metric
from sqlalchemy import Engine, event

from image_search_service.vector.calls import REQUESTS


@dataclass
class RoundTrips:
    """qdrant: requests by operation. sql: every statement, in order. Filled when the block ends."""

    qdrant: Counter[str] = field(default_factory=Counter)
    sql: list[str] = field(default_factory=list)

    @property
    def requests(self) -> int:
        """Requests to Qdrant, of all kinds."""
        return self.qdrant.total()

    @property
    def statements(self) -> int:
        """SQL statements, of all kinds."""
        return len(self.sql)


@contextmanager
def round_trips(engine: Engine | None = None) -> Iterator[RoundTrips]:
    """``with round_trips(engine) as trips: …``; SQL is counted if its engine is given."""
    trips = RoundTrips()
    before = _requests()

    def note(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        trips.sql.append(statement)

    if engine is not None:
        event.listen(engine, "before_cursor_execute", note)
    try:
        yield trips
    finally:
        if engine is not None:
            event.remove(engine, "before_cursor_execute", note)
        trips.qdrant = _requests() - before


def _requests() -> Counter[str]:
    return Counter(_values(REQUESTS))


def _values(metric: Metric) -> dict[str, int]:
    samples = (sample for family in metric.collect() for sample in family.samples)
    return {
        sample.labels["operation"]: int(sample.value) for sample in samples if sample.name.endswith("_total")
    }
