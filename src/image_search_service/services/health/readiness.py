"""Whether the service can do its work: each thing that it needs is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from image_search_service.core.errors import ImageSearchError

Check = Callable[[], str]
"""Asks something whether it works; returns what it says of itself. Raises an error of ours if it does not."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """Whether one thing works, and what it says of itself, or why not."""

    name: str
    ready: bool
    detail: str


class ReadinessService:
    """Asks everything, one after the other; one that fails does not keep the others from being asked."""

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self._checks = checks

    def check(self) -> list[Readiness]:
        return [_asked(name, check) for name, check in self._checks.items()]


def _asked(name: str, check: Check) -> Readiness:
    try:
        return Readiness(name, ready=True, detail=check())
    except ImageSearchError as error:
        return Readiness(name, ready=False, detail=error.message)
