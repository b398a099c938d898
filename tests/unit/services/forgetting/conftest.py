"""A library of drawn photos, indexed, with somebody named."""

from __future__ import annotations

from pathlib import Path

import pytest

from image_search_service.library.opening import Library
from tests.unit.services.forgetting.shown import Shown


@pytest.fixture
def shown(indexed: Library, indexed_album: Path) -> Shown:
    made = Shown(indexed, indexed_album)
    made.name_largest_group("Ada")
    return made
