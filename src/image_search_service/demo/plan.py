"""Which pictures a demo library has, before anything is drawn. Pure, from a seed."""

from __future__ import annotations

from image_search_service.demo.album import plan_album
from image_search_service.demo.load_test import plan_load_test
from image_search_service.demo.picture import Plan

ALBUM_LIMIT = 2_000
"""Up to so many faces a library is an album with events; beyond, it is a load test of plain pictures."""


def plan_library(faces: int, seed: int) -> Plan:
    """The library with exactly ``faces`` readable faces, not counting copies of a picture."""
    return plan_album(faces, seed) if faces <= ALBUM_LIMIT else plan_load_test(faces, seed)
