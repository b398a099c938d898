"""What is wrong, what is not, and how it is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from image_search_service.db.models import utc_now
from image_search_service.db.queries.doctor.expected import CentroidTruth, FaceTruth
from image_search_service.db.queries.suggestions.centroids import ACTIVE, BUILDING, RETIRED
from image_search_service.services.doctor.findings import (
    EXAMPLES,
    WORDS,
    DoctorProblem,
    DoctorReport,
    Kind,
    centroid_problems,
    differences,
    face_payload,
    face_problems,
    merge_ordered,
    point_key,
)
from image_search_service.vector.stored_points import StoredPoint

A, B, C = UUID(int=1), UUID(int=2), UUID(int=3)
FACE = FaceTruth(
    A,
    B,
    A,
    person_id=C,
    cluster_id=None,
    quality=0.5,
    confidence=0.9,
    recognizable=True,
    hidden=False,
    version=0,
    sent=0,
)
POINT = StoredPoint(A, face_payload(FACE).to_json(), None)
CENTROID = CentroidTruth(A, C, ACTIVE, utc_now())
MEAN = StoredPoint(A, {"person_id": str(C)}, None)


def kinds(problems: list[DoctorProblem]) -> list[Kind]:
    return [problem.kind for problem in problems]


def test_a_face_and_its_point() -> None:
    """Both there and the same: nothing. Otherwise the one thing, or the two, that are wrong."""
    bare = StoredPoint(A, {}, "has no embedding")
    assert face_problems(FACE, POINT) == face_problems(None, None) == []
    assert kinds(face_problems(FACE, None)) == [Kind.FACE_WITHOUT_POINT]
    assert kinds(face_problems(None, POINT)) == [Kind.POINT_WITHOUT_FACE]
    assert kinds(face_problems(FACE, bare)) == [Kind.FACE_WITHOUT_EMBEDDING, Kind.WRONG_PAYLOAD]


def test_what_is_due_is_not_wrong() -> None:
    """Qdrant may have a former person and cluster until it is told, but no other photo."""
    renamed = replace(FACE, person_id=B, cluster_id=None)
    assert kinds(face_problems(renamed, POINT)) == [Kind.WRONG_PAYLOAD]
    assert face_problems(renamed, POINT, is_due=True) == []
    moved = replace(renamed, asset_id=C)
    assert kinds(face_problems(moved, POINT, is_due=True)) == [Kind.WRONG_PAYLOAD]


@pytest.mark.parametrize(
    ("truth", "stored", "told"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 0.5}, {"a": 0.5 + 1e-9}, []),
        ({"a": 1.0}, {"a": 1}, []),
        ({"a": 0.5}, {"a": 0.6}, ["a is 0.6 instead of 0.5"]),
        ({"a": 0.5}, {"a": "x"}, ["a is 'x' instead of 0.5"]),
        ({"a": "x"}, {}, ["a is not there instead of 'x'"]),
        ({}, {"b": None, "a": [1]}, ["a is [1] instead of not there", "b is None instead of not there"]),
    ],
)
def test_differences_in_words(truth: dict[str, Any], stored: dict[str, Any], told: list[str]) -> None:
    """Each key that differs, with both values; numbers that differ by rounding are the same."""
    assert differences(truth, stored) == told


def test_a_centroid_and_its_point() -> None:
    """An active row needs its point; any other may not have one."""
    assert centroid_problems(CENTROID, MEAN) == centroid_problems(None, None) == []
    assert kinds(centroid_problems(CENTROID, None)) == [Kind.CENTROID_WITHOUT_POINT]
    assert kinds(centroid_problems(CENTROID, replace(MEAN, payload={}))) == [Kind.WRONG_CENTROID]
    assert kinds(centroid_problems(CENTROID, replace(MEAN, problem="has no embedding"))) == [
        Kind.WRONG_CENTROID
    ]
    for row in (None, replace(CENTROID, state=RETIRED), replace(CENTROID, state=BUILDING)):
        assert kinds(centroid_problems(row, MEAN)) == [Kind.POINT_WITHOUT_CENTROID]
        assert centroid_problems(row, None) == []


@pytest.mark.parametrize(
    ("left", "right", "together"),
    [
        ("", "", []),
        ("ab", "", [("a", None), ("b", None)]),
        ("", "a", [(None, "a")]),
        ("ac", "bcd", [("a", None), (None, "b"), ("c", "c"), (None, "d")]),
    ],
)
def test_two_streams_side_by_side(left: str, right: str, together: list[tuple[str | None, ...]]) -> None:
    """Everything of both comes once, in order, what belongs together together."""
    assert list(merge_ordered(zip(left, left, strict=True), zip(right, right, strict=True))) == together


def test_ids_are_ordered_as_in_qdrant() -> None:
    """Whole numbers, then UUIDs by their bytes."""
    ids: list[UUID | int] = [7, 2**64 - 1, UUID(int=0), UUID(int=1), UUID(int=2**127), UUID(int=2**128 - 1)]
    shuffled = [ids[i] for i in (3, 0, 5, 2, 4, 1)]
    assert sorted(shuffled, key=point_key) == ids


def test_a_report_counts_all_and_names_some() -> None:
    """Twenty examples of a kind; healthy when everything found is repaired."""
    report = DoctorReport()
    assert report.is_healthy
    report.add(DoctorProblem(Kind.STALE_CENTROID, str(i)) for i in range(EXAMPLES + 5))
    report.add([DoctorProblem(Kind.WRONG_PAYLOAD, "x")])
    report.repair(Kind.STALE_CENTROID, EXAMPLES + 5)
    assert not report.is_healthy
    report.repair(Kind.WRONG_PAYLOAD, 1)
    assert report.is_healthy
    shown = report.to_json()["findings"]
    assert [each["kind"] for each in shown] == ["wrong_payload", "stale_centroid"]
    assert (shown[1]["found"], len(shown[1]["examples"])) == (EXAMPLES + 5, EXAMPLES)


def test_every_kind_is_put_into_words() -> None:
    """What is wrong and what repair does, for each kind."""
    assert list(WORDS) == list(Kind)


def test_what_a_second_look_still_finds_is_not_repaired() -> None:
    """Of three that were repaired, one is found again: two were, and it is said which one was not."""
    report, again = DoctorReport(), DoctorReport()
    report.add([DoctorProblem(Kind.WRONG_CENTROID, f"person {number}") for number in range(3)])
    report.repair(Kind.WRONG_CENTROID, 3)
    assert report.is_healthy
    again.add([DoctorProblem(Kind.WRONG_CENTROID, "person 1")])
    report.look_again(again)
    (finding,) = report.shown
    assert (finding.found, finding.repaired) == (3, 2)
    assert not report.is_healthy
    assert "person 1" in finding.reasons[0]
