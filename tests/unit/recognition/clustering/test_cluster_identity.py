"""A cluster stays the same cluster as long as it has essentially the same faces."""

from __future__ import annotations

import numpy as np
from hypothesis import given, strategies as st

from image_search_service.recognition.clustering.cluster_identity import match_clusters


def match(old: list[int], new: list[int]) -> list[int]:
    return [int(label) for label in match_clusters(np.array(old, np.int64), np.array(new, np.int64))]


def test_the_same_clusters_in_another_order() -> None:
    """Each cluster finds its former self, whatever its number is now."""
    assert match([4, 4, 9, 9, -1], [1, 1, 0, 0, -1]) == [9, 4]


def test_nothing_before() -> None:
    """In a first run every cluster is new."""
    assert match([-1, -1, -1], [0, 0, 1]) == [-1, -1]


def test_no_clusters_now() -> None:
    """Where all is noise nothing inherits."""
    assert match([3, 3], [-1, -1]) == []
    assert match([], []) == []


def test_half_is_not_enough() -> None:
    """A cluster split into halves is continued by neither, one of which two thirds are left by these."""
    assert match([2, 2, 2, 2], [0, 0, 1, 1]) == [-1, -1]
    assert match([2, 2, 2], [0, 0, -1]) == [2]


def test_a_merge_is_continued_by_the_larger_part() -> None:
    """Of two clusters that became one, the one that is more than half of it goes on."""
    assert match([1, 1, 1, 8], [0, 0, 0, 0]) == [1]


@given(st.lists(st.tuples(st.integers(-1, 5), st.integers(-1, 5)), max_size=40))
def test_it_is_one_to_one(faces: list[tuple[int, int]]) -> None:
    """No two clusters inherit the same id, and only from one with more than half in common."""
    old, new = [face[0] for face in faces], [face[1] for face in faces]
    inherited = match(old, new)
    taken = [cluster for cluster in inherited if cluster >= 0]
    assert len(taken) == len(set(taken))
    for label, cluster in enumerate(inherited):
        mine = {i for i, value in enumerate(new) if value == label}
        overlaps = [
            candidate
            for candidate in set(old) - {-1}
            if mine
            and 2 * len(mine & {i for i, v in enumerate(old) if v == candidate})
            > len(mine | {i for i, v in enumerate(old) if v == candidate})
        ]
        assert overlaps == ([cluster] if cluster >= 0 else [])
