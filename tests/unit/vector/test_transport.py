"""How numbers leave a gRPC message, whatever the server's version wrote into it."""

from __future__ import annotations

import numpy as np
import pytest
from qdrant_client import grpc as messages

from image_search_service.core.types import FloatArray
from image_search_service.vector.transport import _numbers


def row(number: int) -> FloatArray:
    return np.random.default_rng(number).standard_normal(number).astype(np.float32)


@pytest.mark.parametrize("number", [1, 31, 32, 512, 4095, 4096, 10_000])
def test_a_dense_vector(number: int) -> None:
    """Every bit of the numbers arrives, however long the vector is."""
    given = row(number)
    vector = messages.VectorOutput(dense=messages.DenseVector(data=given.tolist()))
    assert np.array_equal(_numbers(vector), given)


def test_a_vector_of_an_older_server() -> None:
    """Before Qdrant 1.16 the numbers stood in another field."""
    assert np.array_equal(_numbers(messages.VectorOutput(data=row(16).tolist())), row(16))


@pytest.mark.parametrize(
    "vector", [messages.VectorOutput(), messages.VectorOutput(dense=messages.DenseVector())]
)
def test_no_numbers(vector: messages.VectorOutput) -> None:
    """A vector without numbers has none."""
    assert len(_numbers(vector)) == 0


@pytest.mark.parametrize("unknown", [b"\x10\x01", b"\x1a\x04abcd"])
def test_a_field_of_a_newer_server(unknown: bytes) -> None:
    """What these messages do not know is not taken for numbers."""
    encoded = messages.DenseVector(data=row(16).tolist()).SerializeToString() + unknown
    vector = messages.VectorOutput(dense=messages.DenseVector.FromString(encoded))
    assert np.array_equal(_numbers(vector), row(16))
