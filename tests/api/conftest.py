"""A served library for each test of the API."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.served import Served, served


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Served]:
    """An API on a library without a face; jobs are accepted, and nobody runs them."""
    with served(tmp_path / "library", run_jobs=False) as opened:
        yield opened


@pytest.fixture
def working(tmp_path: Path) -> Iterator[Served]:
    """An API on a library without a face whose jobs are run."""
    with served(tmp_path / "working") as opened:
        yield opened
