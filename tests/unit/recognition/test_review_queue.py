"""What a question is worth, and how sure a proposal is."""

from __future__ import annotations

import pytest

from image_search_service.core.types import Likeness
from image_search_service.recognition.review_queue import (
    LEAST_SURE,
    PAGE_PRECISION,
    AnsweredProposal,
    Chances,
    expected_precision,
    is_sure,
    own_similarity,
    value_of_naming,
    value_of_page,
    value_of_setting_aside,
)
from image_search_service.recognition.thresholds import Thresholds

THRESHOLDS = Thresholds(same_person=0.34, assign=0.47, suggest=0.26, neighbour=0.45, baseline=0.015)
CHANCES = Chances(THRESHOLDS)


def test_more_alike_and_further_ahead_is_surer() -> None:
    """The chance grows with similarity and margin; nobody else at all is as far ahead as can be."""
    by_similarity = [CHANCES.of(similarity, 0.1) for similarity in (0.2, 0.3, 0.4, 0.5, 0.6, 0.7)]
    assert by_similarity == sorted(by_similarity)
    by_margin = [CHANCES.of(0.5, margin) for margin in (-0.1, 0.0, 0.05, 0.1, 0.3)]
    assert by_margin == sorted(by_margin)
    assert CHANCES.of(0.5, None) == CHANCES.of(0.5, 1.0)


def test_what_a_machine_would_assign_is_asked_for_with_one_key() -> None:
    """Well above the threshold of assigning, and ahead, a name is proposed; at that of suggesting not."""
    assert CHANCES.of(THRESHOLDS.assign_to_centroid + 0.1, 3 * THRESHOLDS.margin) > LEAST_SURE
    assert CHANCES.of(THRESHOLDS.suggest, 3 * THRESHOLDS.margin) < 0.01


def test_answers_move_the_chance_towards_what_they_say() -> None:
    """Proposals that turned out wrong make the next less sure, right ones surer; one alone does little."""
    wrong = CHANCES.calibrated([AnsweredProposal(0.55, 0.1, False)] * 20)
    right = CHANCES.calibrated([AnsweredProposal(0.45, 0.1, True)] * 20)
    assert wrong.of(0.55, 0.1) < CHANCES.of(0.55, 0.1) - 0.1
    assert right.of(0.45, 0.1) > CHANCES.of(0.45, 0.1) + 0.1
    one = CHANCES.calibrated([AnsweredProposal(0.55, 0.1, False)])
    assert wrong.of(0.55, 0.1) < one.of(0.55, 0.1) < CHANCES.of(0.55, 0.1)


def test_answers_as_expected_move_nothing() -> None:
    """If as many were right as the chance said, it stays as it is."""
    chance = CHANCES.of(0.47, 0.05)
    right = round(chance * 1000)
    answers = [AnsweredProposal(0.47, 0.05, number < right) for number in range(1000)]
    assert CHANCES.calibrated(answers).of(0.47, 0.05) == pytest.approx(chance, abs=0.01)


def test_a_large_group_comes_before_a_small_one_and_a_key_before_a_name() -> None:
    """Of equal groups one with a sure proposal is worth more; of others the larger one, and one that others
    follow."""
    assert value_of_naming(34, 12, 0.0) > value_of_naming(5, 5, 0.0)
    assert value_of_naming(5, 5, 0.99) > value_of_naming(5, 5, 0.0)
    assert value_of_naming(5, 5, 0.0, follow=20) > value_of_naming(5, 5, 0.0)


def test_a_wrong_answer_is_dearer_among_lookalikes() -> None:
    """The less sure a proposal is, the less it is worth, and more so where somebody looks alike."""
    sure, less = value_of_naming(10, 10, 0.99), value_of_naming(10, 10, 0.91)
    assert sure > less > value_of_naming(10, 10, 0.91, lookalike=True)


def test_the_more_faces_a_key_gives_the_surer_it_has_to_be() -> None:
    """A small group is asked about by one name from nine in ten on, a large one only beyond doubt."""
    assert is_sure(5, 0.9)
    assert not is_sure(5, 0.89)
    assert not is_sure(49, 0.95)
    assert is_sure(49, 0.99)


def test_a_page_is_worth_its_right_suggestions() -> None:
    """A full page of sure ones is worth more than of doubtful ones, and than a single one."""
    assert value_of_page([0.99] * 24) > value_of_page([0.86] * 24)
    assert value_of_page([0.99] * 24) > value_of_page([0.99])
    assert 0 < value_of_setting_aside(60, 24) < value_of_naming(5, 5, 0.0)


def test_precision_is_learned_from_the_last_pages() -> None:
    """What was right on the last two pages counts more than what the model expects, the more there was."""
    expected = [0.95] * 24
    assert expected_precision(expected, []) == pytest.approx(0.95)
    assert expected_precision(expected, [(12, 24), (12, 24)]) < PAGE_PRECISION
    assert expected_precision([0.7] * 24, [(24, 24), (24, 24)]) > PAGE_PRECISION
    assert expected_precision([], [(24, 24)]) == 0


def test_a_suggestion_is_compared_with_its_centroid_where_it_is_known() -> None:
    """The second best and the margin say how alike it is to the person's own centroid."""
    assert own_similarity(0.9, 0.3, 0.2) == pytest.approx(0.5)
    assert own_similarity(0.9, None, None) == own_similarity(0.9, 0.3, None) == 0.9


def test_words_for_likeness() -> None:
    """What would be assigned without asking is very alike; below what one in a thousand reaches, hardly."""
    words = [THRESHOLDS.likeness(similarity) for similarity in (0.6, 0.4, 0.3)]
    assert words == [Likeness.VERY, Likeness.QUITE, Likeness.HARDLY]
