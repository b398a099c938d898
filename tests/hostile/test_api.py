"""5,000 made-up requests, right ones and wrong ones, to every route: five libraries, a thousand for each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.hostile.bounded import run_bounded

REQUESTS = 1_000
MEMORY = 4 * 2**30
"""Of address space, most of which is the libraries'."""
WITHOUT_PICTURES = {"missing_crop": 4, "missing_thumbnail": 4}
"""What the doctor finds of faces that were made up."""


@pytest.mark.depth
@pytest.mark.parametrize("batch", range(5))
def test_no_request_is_answered_with_a_mistake_of_ours(tmp_path: Path, batch: int) -> None:
    """Whatever is sent, a route answers as documented, within its bounds; afterwards the library is whole."""
    lines = run_bounded("call_api", tmp_path / "library", str(batch), seconds=120, memory=MEMORY)
    assert int(lines[-2]) >= REQUESTS
    assert json.loads(lines[-1]) == WITHOUT_PICTURES
