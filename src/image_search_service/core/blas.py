"""How many threads NumPy multiplies arrays with, by OpenBLAS or another BLAS: for the whole process.

By default all cores work on each product, or as many as the user's environment allows. That makes one answer
faster, and many at once slower: products of a thousandth of a second wait for each other's threads, which
count while they wait.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import threadpool_limits

_service: list[threadpool_limits] = []
"""The limit of this process, if it is a service."""


def one_thread_for_each_product() -> None:
    """For a service, which answers many at once; call it before it serves."""
    if not _service:
        _service.append(threadpool_limits(1, user_api="blas"))


def as_many_threads_as_before() -> None:
    """Take that back."""
    while _service:
        _service.pop().restore_original_limits()


@contextmanager
def as_many_threads_for_each_product() -> Iterator[None]:
    """Inside the block, which multiplies for seconds, a service has as many threads as any other process."""
    is_limited = bool(_service)
    as_many_threads_as_before()
    try:
        yield
    finally:
        if is_limited:
            one_thread_for_each_product()
