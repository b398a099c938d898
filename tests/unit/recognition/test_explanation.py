"""Why a face has no person, in words."""

from __future__ import annotations

from uuid import UUID

import pytest

from image_search_service.core.types import Because, Box
from image_search_service.recognition.engines.calibrated import MOBILEFACENET, quality_tables
from image_search_service.recognition.explanation import (
    FaceVisibility,
    PersonSimilarity,
    Verdict,
    reasons,
    unrecognizable,
)
from image_search_service.recognition.thresholds import Thresholds

TABLES = quality_tables(MOBILEFACENET)
THRESHOLDS = Thresholds(same_person=0.4, assign=0.6, suggest=0.3, neighbour=0.5)
ADA, GRACE = UUID(int=1), UUID(int=2)
UNSURE, GIVEN = Verdict(False, False, False), Verdict(True, True, False)


def resembled(ada: float, grace: float) -> list[PersonSimilarity]:
    return sorted(
        [PersonSimilarity(ADA, "Ada", ada), PersonSimilarity(GRACE, "Grace", grace)],
        key=lambda one: -one.similarity,
    )


@pytest.mark.parametrize(
    ("found", "rejected", "in_photo", "verdict", "expected"),
    [
        ([], set(), set(), UNSURE, [Because.NOBODY_KNOWN]),
        (resembled(0.5, 0.2), set(), set(), UNSURE, [Because.BELOW_THRESHOLD]),
        (resembled(0.8, 0.79), set(), set(), UNSURE, [Because.TOO_CLOSE]),
        (resembled(0.8, 0.3), set(), set(), GIVEN, [Because.NOT_ASKED]),
        (resembled(0.8, 0.3), set(), set(), Verdict(True, False, True), [Because.TWO_IN_PHOTO]),
        (resembled(0.8, 0.3), set(), set(), Verdict(True, False, False), [Because.DIFFERENT]),
        (resembled(0.8, 0.3), {ADA}, set(), UNSURE, [Because.REJECTED, Because.BELOW_THRESHOLD]),
        (resembled(0.8, 0.3), set(), {ADA}, UNSURE, [Because.IN_PHOTO, Because.BELOW_THRESHOLD]),
        (resembled(0.8, 0.7), {ADA}, {GRACE}, UNSURE, [Because.REJECTED, Because.IN_PHOTO]),
    ],
)
def test_reasons(
    found: list[PersonSimilarity],
    rejected: set[UUID],
    in_photo: set[UUID],
    verdict: Verdict,
    expected: list[Because],
) -> None:
    """Each person stands out for a reason, until one is met who might be it."""
    assert [one.because for one in reasons(found, rejected, in_photo, verdict, THRESHOLDS)] == expected


def test_how_much_is_lacking_is_said() -> None:
    """The similarity, what is needed, and the difference are in the words and in the numbers."""
    (reason,) = reasons(resembled(0.5, 0.2), set(), set(), UNSURE, THRESHOLDS)
    assert (reason.person_id, reason.similarity, reason.needed) == (ADA, 0.5, THRESHOLDS.assign_to_centroid)
    assert "0.120 more" in reason.text


def test_what_is_poor_is_named() -> None:
    """Of a face that cannot be told from others each poor part is a reason of its own, the worst first."""
    whole = Box(40, 40, 60, 60)
    found = unrecognizable(
        FaceVisibility(whole, 200, 200, {"size": 0.9, "sharpness": 0.3, "pose": 0.1}, TABLES)
    )
    assert [one.because for one in found] == [Because.UNRECOGNIZABLE, Because.TURNED_AWAY, Because.BLURRED]
    assert [one.measured for one in found] == [None, 0.1, 0.3]
    (blank,) = unrecognizable(FaceVisibility(whole, 200, 200, {"size": 0.9}, TABLES))
    assert "picture of nothing" in blank.text
