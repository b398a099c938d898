"""Checks each store and service that the service needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from image_search_service.core.errors import ImageSearchError

Check = Callable[[], str]
"""A check that returns details of what it checks, or raises one of this project's errors."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """The result of one check: details if ready, else the reason."""

    name: str
    ready: bool
    detail: str


class ReadinessService:
    """Runs all checks, one after the other, whether or not some fail."""

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self._checks = checks

    def check(self) -> list[Readiness]:
        return [_asked(name, check) for name, check in self._checks.items()]


def _asked(name: str, check: Check) -> Readiness:
    try:
        return Readiness(name, ready=True, detail=check())
    except ImageSearchError as error:
        return Readiness(name, ready=False, detail=error.message)
