"""Why a face has no person, in words."""

from __future__ import annotations

from uuid import UUID

import pytest

from image_search_service.faces.explanation import Because, Resembled, reasons, unrecognizable
from image_search_service.faces.thresholds import Thresholds

THRESHOLDS = Thresholds(same_person=0.4, assign=0.6, suggest=0.3, neighbour=0.5)
ADA, GRACE = UUID(int=1), UUID(int=2)


def resembled(ada: float, grace: float) -> list[Resembled]:
    return sorted(
        [Resembled(ADA, "Ada", ada), Resembled(GRACE, "Grace", grace)], key=lambda one: -one.similarity
    )


@pytest.mark.parametrize(
    ("found", "rejected", "in_photo", "expected"),
    [
        ([], set(), set(), [Because.NOBODY_KNOWN]),
        (resembled(0.5, 0.2), set(), set(), [Because.BELOW_THRESHOLD]),
        (resembled(0.8, 0.79), set(), set(), [Because.TOO_CLOSE]),
        (resembled(0.8, 0.3), set(), set(), [Because.NOT_ASKED]),
        (resembled(0.8, 0.3), {ADA}, set(), [Because.REJECTED, Because.BELOW_THRESHOLD]),
        (resembled(0.8, 0.3), set(), {ADA}, [Because.IN_PHOTO, Because.BELOW_THRESHOLD]),
        (resembled(0.8, 0.7), {ADA}, {GRACE}, [Because.REJECTED, Because.IN_PHOTO]),
    ],
)
def test_reasons(
    found: list[Resembled], rejected: set[UUID], in_photo: set[UUID], expected: list[Because]
) -> None:
    """Each person stands out for a reason, until one is met who might be it."""
    assert [one.because for one in reasons(found, rejected, in_photo, THRESHOLDS)] == expected


def test_how_much_is_lacking_is_said() -> None:
    """The similarity, what is needed, and the difference are in the words and in the numbers."""
    (reason,) = reasons(resembled(0.5, 0.2), set(), set(), THRESHOLDS)
    assert (reason.person_id, reason.similarity, reason.needed) == (ADA, 0.5, THRESHOLDS.assign_to_centroid)
    assert "0.120 more" in reason.text


def test_what_is_poor_is_named() -> None:
    """Of a face that cannot be told from others the poor parts of its quality are named, the worst first."""
    text = unrecognizable({"size": 0.9, "sharpness": 0.3, "pose": 0.1}).text
    assert text.endswith("(of 1: pose 0.10, sharpness 0.30).")
