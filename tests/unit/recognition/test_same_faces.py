"""Which faces of two photos are the same."""

from __future__ import annotations

import numpy as np

from image_search_service.recognition.same_faces import pair_faces

NO_PLACE = np.zeros((2, 2), np.float32)


def matrix(*rows: list[float]) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.array(rows, np.float32)


def test_each_face_is_one_face() -> None:
    """Two faces that resemble one face most share the two that there are so that both fit best."""
    similarity = matrix([0.9, 0.8], [0.85, 0.3])
    assert pair_faces(similarity, NO_PLACE, min_similarity=0.5) == [(0, 1), (1, 0)]


def test_what_is_not_alike_is_nobody() -> None:
    """A face that resembles none enough has no partner, even if another is left over."""
    assert pair_faces(matrix([0.9, 0.1], [0.2, 0.3]), NO_PLACE, min_similarity=0.5) == [(0, 0)]


def test_places_decide_between_equals() -> None:
    """Of one face twice in a picture each goes to where it was."""
    similarity, shares = matrix([0.95, 0.95], [0.95, 0.95]), matrix([0.0, 0.9], [0.9, 0.0])
    assert pair_faces(similarity, shares, min_similarity=0.5) == [(0, 1), (1, 0)]


def test_without_places_order_decides() -> None:
    """Of one face twice in a picture the left one stays the left one."""
    similarity = matrix([0.95, 0.95], [0.95, 0.95])
    assert pair_faces(similarity, NO_PLACE, min_similarity=0.5) == [(0, 0), (1, 1)]


def test_what_cannot_be_is_no_pair() -> None:
    """Faces that lie elsewhere in the same picture are not the same, however alike."""
    may_be = np.array([[False, True], [True, False]])
    pairs = pair_faces(matrix([0.99, 0.4], [0.6, 0.99]), NO_PLACE, min_similarity=0.5, may_be=may_be)
    assert pairs == [(1, 0)]


def test_no_faces() -> None:
    """A photo without faces has no pairs."""
    assert pair_faces(np.empty((0, 3), np.float32), np.empty((0, 3), np.float32), min_similarity=0.5) == []
