"""How many threads multiply arrays: one in a service, but for what takes long."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from image_search_service.core.blas import (
    as_many_threads_as_before,
    as_many_threads_for_each_product,
    one_thread_for_each_product,
)

BEFORE = 2


def threads() -> set[int]:
    """Of each BLAS that is loaded."""
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


@pytest.fixture(autouse=True)
def _before() -> Iterator[None]:
    assert np.ones(1).sum() == 1  # it is loaded
    with threadpool_limits(BEFORE, user_api="blas"):
        yield
        as_many_threads_as_before()


def test_a_service_multiplies_with_one_thread() -> None:
    """Also if it is said twice; taken back, there are as many as before."""
    one_thread_for_each_product()
    one_thread_for_each_product()
    assert threads() == {1}
    as_many_threads_as_before()
    assert threads() == {BEFORE}


@pytest.mark.parametrize("is_service", [True, False])
def test_what_takes_long_has_as_many_as_elsewhere(is_service: bool) -> None:
    """Inside the block there are as many as the process began with, also where it fails."""
    if is_service:
        one_thread_for_each_product()
    with pytest.raises(ZeroDivisionError), as_many_threads_for_each_product():
        assert threads() == {BEFORE}
        raise ZeroDivisionError
    assert threads() == ({1} if is_service else {BEFORE})
