"""The batch reader's answer: a mapping from id to embedding, and what counts as an embedding."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from image_search_service.core.errors import (
    DataIntegrityError,
)
from image_search_service.vector.batching import EmbeddingBatch, as_matrix
from tests.unit.vector.stored_faces import A, B, C, read


class TestEmbeddingBatch:
    """Behaves as the specification's dict, over one array."""

    def test_behaves_as_the_dict(self) -> None:
        """Everything that can be done with the dict gives the same with the batch."""
        plain = {A: [1.0, 0.0], B: [0.0, 1.0]}
        batch = EmbeddingBatch.from_mapping(plain)
        assert batch == plain
        assert plain == batch
        assert dict(batch) == plain
        assert list(batch) == [A, B]
        assert batch[A] == [1.0, 0.0]
        assert batch.get(C) is None
        assert A in batch
        assert C not in batch
        assert bool(batch)
        assert not EmbeddingBatch.from_mapping({})
        assert batch.get(A)
        with pytest.raises(KeyError):
            batch[C]

    def test_the_array_is_not_copied_and_cannot_be_written(self) -> None:
        """``matrix`` is the array that was read, and nobody can spoil it for the others."""
        batch = read({A: [1.0, 0.0], B: [0.0, 1.0]})
        assert EmbeddingBatch.from_mapping(batch) is batch
        assert EmbeddingBatch.from_mapping(batch, [A, B]).matrix is batch.matrix
        with pytest.raises(ValueError, match="read-only"):
            batch.matrix[0, 0] = 5

    def test_a_plain_dict_works_wherever_it_does(self) -> None:
        """Ids and array come out the same for a dict and a batch, in the order asked for."""
        plain = {A: [1.0, 0.0], B: [0.0, 1.0]}
        for mapping in (plain, EmbeddingBatch.from_mapping(plain)):
            ids, matrix = as_matrix(mapping, [B, C, A, B])
            assert ids == [B, A]
            assert matrix.tolist() == [[0.0, 1.0], [1.0, 0.0]]
            assert matrix.dtype == np.float32
            assert EmbeddingBatch.from_mapping(mapping, [B, C]).missing == {C: "not found"}

    def test_nothing_has_a_shape(self) -> None:
        """An empty mapping gives an empty array."""
        ids, matrix = as_matrix({})
        assert (ids, matrix.shape[0]) == ([], 0)

    def test_embeddings_of_different_lengths_are_refused(self) -> None:
        """A mapping with embeddings of two engines is an error, not an array."""
        with pytest.raises(DataIntegrityError):
            as_matrix({A: [1.0], B: [1.0, 2.0]})

    def test_batches_join(self) -> None:
        """Pages become one batch, in order."""
        pages = [EmbeddingBatch.from_mapping({A: [1.0, 0.0]}), EmbeddingBatch.from_mapping({B: [0.0, 1.0]})]
        assert EmbeddingBatch.concatenated(pages, 2) == {A: [1.0, 0.0], B: [0.0, 1.0]}
        assert EmbeddingBatch.concatenated([], 2).matrix.shape == (0, 2)


class TestWhatCountsAsAnEmbedding:
    """A vector that cannot be used is missing, with its reason."""

    @pytest.mark.parametrize(
        ("vector", "reason"),
        [
            (None, "has no embedding"),
            ([], "has no embedding"),
            ({}, "has no embedding"),
            ([1.0], "has 1 numbers, expected 2"),
            ([1.0, 2.0, 3.0], "has 3 numbers, expected 2"),
            ([1.0, math.nan], "has a number that is infinite or NaN"),
            ([math.inf, 1.0], "has a number that is infinite or NaN"),
            ([1.0, None], "has a number that is infinite or NaN"),
            (["a", "b"], "is not made of numbers"),
            ([[1.0], [1.0, 2.0]], "is not made of numbers"),
            ({"a": [1.0, 0.0], "b": [0.0, 1.0]}, "has the vectors ['a', 'b']: their name is needed"),
        ],
    )
    def test_missing_with_its_reason(self, vector: Any, reason: str) -> None:
        """The point with the bad vector is left out, and costs the other one nothing."""
        batch = read({A: vector, B: [0.0, 1.0]})
        assert batch == {B: [0.0, 1.0]}
        assert batch.missing == {A: reason}

    def test_ints_are_numbers(self) -> None:
        """Whole numbers that JSON turned into ints are taken."""
        assert read({A: [1, 0]}) == {A: [1.0, 0.0]}

    def test_one_named_vector_is_taken(self) -> None:
        """A single named vector needs no name; several need theirs."""
        assert read({A: {"face": [1.0, 0.0]}}) == {A: [1.0, 0.0]}
        two = {A: {"face": [1.0, 0.0], "body": [0.0, 1.0]}}
        assert read(two, vector_name="body") == {A: [0.0, 1.0]}
        assert read(two, vector_name="hand").missing == {A: "has no embedding"}
