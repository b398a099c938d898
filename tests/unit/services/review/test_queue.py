"""When a question needs another centroid."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from image_search_service.db.queries.review.persons import CentroidAge
from image_search_service.services.review.queue import MANY_FACES, is_stale

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=1)


@pytest.mark.parametrize(
    ("faces", "faces_now", "touched_at", "stale"),
    [
        (20, 21, LATER, True),
        (20, 20, LATER, True),
        (20, 21, NOON, False),
        (MANY_FACES, MANY_FACES + 6, LATER, False),
        (MANY_FACES, MANY_FACES + 7, LATER, True),
        (MANY_FACES, MANY_FACES - 7, LATER, True),
    ],
)
def test_a_decision_makes_a_centroid_stale(
    faces: int, faces_now: int, touched_at: datetime, stale: bool
) -> None:
    """Any later decision about a person of few faces does, and of many only if two in a hundred changed."""
    assert is_stale(CentroidAge(uuid.uuid4(), NOON, faces, faces_now), touched_at) is stale
