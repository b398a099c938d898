"""A library of drawn photos, indexed, with somebody named."""

from __future__ import annotations

from pathlib import Path

import pytest

from image_search_service.library.opening import Library
from tests.unit.services.forgetting.shown import Shown


@pytest.fixture
def shown(opened: Library, album: Path) -> Shown:
    made = Shown(opened, album)
    made.index()
    made.name_largest_group("Ada")
    return made
