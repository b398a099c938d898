"""Reading a long list page by page, by the last key that was seen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

T = TypeVar("T")
K = TypeVar("K")


def keyset_pages(
    read_page: Callable[[K | None], list[T]], key: Callable[[T], K], page_size: int
) -> Iterator[list[T]]:
    """All pages, each as ``read_page`` gives it, until one has fewer than ``page_size`` items.

    read_page: the items after a key, ascending; of None, the first ones. key: of an item, what the next page
    begins after.
    """
    after: K | None = None
    while page := read_page(after):
        yield page
        if len(page) < page_size:
            return
        after = key(page[-1])
