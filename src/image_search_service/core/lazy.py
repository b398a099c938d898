"""Values computed once, on first use, by whichever thread asks first."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import cached_property
from typing import Any, Self, TypeVar, overload

T = TypeVar("T")


class locked_property(cached_property[T]):  # noqa: N801 - named as what it is used as
    """``cached_property`` whose function runs once even if several threads ask at the same time.

    Python's own has no lock since 3.12. Once computed, the value is read without one.
    """

    def __init__(self, func: Callable[[Any], T]) -> None:
        super().__init__(func)
        self._making = threading.RLock()

    @overload
    def __get__(self, instance: None, owner: type[Any] | None = None) -> Self: ...

    @overload
    def __get__(self, instance: object, owner: type[Any] | None = None) -> T: ...

    def __get__(self, instance: object | None, owner: type[Any] | None = None) -> Self | T:
        if instance is None:
            return self
        with self._making:
            return super().__get__(instance, owner)
