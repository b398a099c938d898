"""The figures of ``benchmarks.load``: of answers by kind, by route and over time, and of memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from http import HTTPStatus
from typing import NamedTuple

import numpy as np

from benchmarks.report import machine, print_table

PERIODS = 10
SLOWEST = 12
"""Routes that are shown by themselves."""


class Answer(NamedTuple):
    """One request. at: seconds since the beginning. status: None if there was no answer."""

    kind: str
    route: str
    at: float
    milliseconds: float
    status: int | None

    @property
    def failed(self) -> bool:
        return self.status is None or self.status >= HTTPStatus.INTERNAL_SERVER_ERROR

    @property
    def refused(self) -> bool:
        return not self.failed and self.status is not None and self.status >= HTTPStatus.BAD_REQUEST


class Memory(NamedTuple):
    """What the service's process had in memory. at: seconds since the beginning."""

    at: float
    mebibytes: float


def show(
    answers: Sequence[Answer], memory: Sequence[Memory], seconds: float, clients: int, kinds: Sequence[str]
) -> None:
    columns = ("", "a second", "p50", "p95", "p99", "longest", "refused", "failed")
    rows = [
        (kind, *figures([answer for answer in answers if answer.kind == kind], seconds)) for kind in kinds
    ]
    rows.append(("all", *figures(answers, seconds)))
    print_table(f"{clients} clients for {seconds / 60:g} minutes, ms; {machine()}", columns, rows)
    print_table("by route, the slowest", ("", *columns[1:]), slowest(answers, seconds))
    print_table("over time", ("minute", "memory, MiB", *columns[1:]), over_time(answers, memory, seconds))


def slowest(answers: Sequence[Answer], seconds: float) -> list[tuple[str, ...]]:
    """A row for each of the ``SLOWEST`` routes with the highest 95th percentile."""
    by_route: dict[str, list[Answer]] = {}
    for answer in answers:
        by_route.setdefault(answer.route, []).append(answer)
    ordered = sorted(
        by_route.items(),
        key=lambda each: -float(np.percentile([answer.milliseconds for answer in each[1]], 95)),
    )
    return [(route, *figures(of_route, seconds)) for route, of_route in ordered[:SLOWEST]]


def over_time(
    answers: Sequence[Answer], memory: Sequence[Memory], seconds: float
) -> Iterator[tuple[str, ...]]:
    """A row for each tenth of the time; memory: the most in it."""
    length = seconds / PERIODS
    for number in range(PERIODS):
        begin, end = number * length, (number + 1) * length
        most = max((each.mebibytes for each in memory if begin <= each.at < end), default=float("nan"))
        some = [answer for answer in answers if begin <= answer.at < end]
        yield f"{end / 60:.1f}", f"{most:,.0f}", *figures(some, length)


def figures(answers: Sequence[Answer], seconds: float) -> tuple[str, ...]:
    """Answers a second; percentiles of those that were answered; how many were refused and failed."""
    times = [answer.milliseconds for answer in answers if answer.status is not None]
    points = np.percentile(times, [50, 95, 99, 100]) if times else [float("nan")] * 4
    counts = sum(answer.refused for answer in answers), sum(answer.failed for answer in answers)
    return f"{len(answers) / seconds:.1f}", *(f"{point:,.0f}" for point in points), *map(str, counts)
