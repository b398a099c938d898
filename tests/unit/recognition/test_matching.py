"""Faces against people."""

from __future__ import annotations

import numpy as np
import pytest

from image_search_service.core.types import FloatArray
from image_search_service.recognition import matching
from image_search_service.recognition.matching import match_faces


def unit(count: int, seed: int) -> FloatArray:
    rows = np.random.default_rng(seed).normal(size=(count, 8))
    made: FloatArray = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return made


def test_best_and_second_best_are_those_of_the_full_product(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks give what one product gives."""
    monkeypatch.setattr(matching, "BLOCK_BYTES", 4 * 7 * 3)
    faces, people = unit(50, 1), unit(7, 2)
    found = match_faces(faces, people)
    scores = np.sort(faces @ people.T, axis=1)
    np.testing.assert_array_equal(found.person, (faces @ people.T).argmax(axis=1))
    np.testing.assert_allclose(found.similarity, scores[:, -1], rtol=1e-5)
    np.testing.assert_allclose(found.runner_up, scores[:, -2], rtol=1e-4, atol=1e-6)


def test_acceptance_needs_threshold_and_margin() -> None:
    """A face between two people is nobody's."""
    people = np.eye(2, dtype=np.float32)
    faces = np.array([[1, 0], [0.8, 0.6], [0.71, 0.70], [0, -1]], dtype=np.float32)
    found = match_faces(faces, people)
    assert found.accepted(0.7, margin=0.1).tolist() == [True, True, False, False]
    assert found.accepted(0.75).tolist() == [True, True, False, False]


def test_nobody_to_compare_with_matches_nobody() -> None:
    """Without people no face matches; with one person there is no second."""
    faces = unit(3, 3)
    assert match_faces(faces, faces[:0]).person.tolist() == [-1, -1, -1]
    assert not match_faces(faces, faces[:0]).accepted(-1).any()
    assert match_faces(faces, faces[:1]).runner_up.tolist() == [-1, -1, -1]
    assert match_faces(faces[:0], faces).person.shape == (0,)


def test_barred_pairs_are_neither_best_nor_second() -> None:
    """Who may not be matched leaves the place to the next; a face that may be nobody has nobody."""
    people = np.eye(3, dtype=np.float32)
    faces = np.array([[0.8, 0.6, 0], [0.8, 0.6, 0], [0, 0, 1]], dtype=np.float32)
    barred = np.array([[0, 1, 1, 1], [0, 0, 1, 2]])
    found = match_faces(faces, people, barred)
    assert found.person.tolist() == [1, -1, 2]
    assert found.similarity.tolist() == pytest.approx([0.6, -1, 1])
    assert found.runner_up.tolist() == pytest.approx([0, -1, 0])
    assert found.accepted(-1).tolist() == [True, False, True]
