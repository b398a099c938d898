"""The batch reader: what it asks for, how often, and how much at once."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest
from hypothesis import given, strategies as st

from benchmarks.before import get_embeddings_one_by_one
from image_search_service.core.errors import InvalidInputError, UnavailableError
from image_search_service.vector.batching import BatchReader
from image_search_service.vector.calls import MISSING, POINTS, Retry
from image_search_service.vector.face_qdrant import FaceQdrantClient
from tests.support.backends import unit_vectors
from tests.support.qdrant_server import Fault, QdrantServer
from tests.support.round_trips import round_trips
from tests.unit.vector.scripted_qdrant import ScriptedQdrant
from tests.unit.vector.stored_faces import IDS, A, B


class TestWhatIsAsked:
    """Each point once, in batches."""

    def test_repeats_are_asked_for_once(self) -> None:
        """An id that is given three times is in one request, once, and once in the result."""
        store = ScriptedQdrant({A: [1.0, 0.0], B: [0.0, 1.0]})
        batch = BatchReader(store, "faces", 2).read([A, B, A, A], batch_size=10)  # type: ignore[arg-type]
        assert store.asked == [[str(A), str(B)]]
        assert batch.ids == (A, B)

    @pytest.mark.parametrize("batch_size", [0, -1])
    def test_a_batch_size_below_one_is_an_error(self, batch_size: int) -> None:
        """It is refused even when there is nothing to read."""
        with pytest.raises(InvalidInputError, match="batch_size"):
            BatchReader(ScriptedQdrant({}), "faces", 2).read([], batch_size)  # type: ignore[arg-type]

    def test_nothing_asked_costs_nothing(self) -> None:
        """No id, no request; the array has its width all the same."""
        store = ScriptedQdrant({})
        batch = BatchReader(store, "faces", 2).read([])  # type: ignore[arg-type]
        assert batch == {}
        assert batch.matrix.shape == (0, 2)
        assert store.asked == []

    @given(
        ids=st.lists(
            st.integers(min_value=1, max_value=40).map(lambda number: UUID(int=number)), max_size=60
        ),
        batch_size=st.integers(min_value=1, max_value=70),
    )
    def test_the_same_as_one_by_one(self, ids: list[UUID], batch_size: int) -> None:
        """For any ids, repeated or missing, and any batch size it gives what the one-by-one reader gave."""
        vectors = {UUID(int=row + 1): vector.tolist() for row, vector in enumerate(unit_vectors(25, 4))}
        store = ScriptedQdrant(vectors)
        batch = BatchReader(store, "faces", 4).read(ids, batch_size)  # type: ignore[arg-type]
        asked = len(store.asked)
        assert batch == get_embeddings_one_by_one(store, "faces", ids)
        sizes = (len(set(ids)), len(batch.missing))  # what is missing is asked for once more
        assert asked == sum(math.ceil(size / batch_size) for size in sizes)
        assert set(batch) | set(batch.missing) == set(ids)


def test_what_is_not_there_is_asked_for_twice(faces: FaceQdrantClient, server: QdrantServer) -> None:
    """Unknown ids cost one further request a batch of them, known ones none."""
    unknown = [UUID(int=10**9 + row) for row in range(150)]
    with round_trips() as trips:
        batch = faces.get_embeddings_by_point_ids([*IDS[:100], *unknown], batch_size=100)
    assert list(batch.missing) == unknown
    assert trips.qdrant == {"retrieve": 5}


def test_the_metrics_count_what_the_server_counts(faces: FaceQdrantClient, server: QdrantServer) -> None:
    """Requests, points and missing points are counted as they happened."""
    points, missing = POINTS._value.get(), MISSING._value.get()
    server.requests.clear()
    with round_trips() as trips:
        faces.get_embeddings_by_point_ids([*IDS, UUID(int=10**9)], batch_size=100)
        faces.count()
        faces.search_many(unit_vectors(250), limit=1)
    assert trips.qdrant == server.requests == {"retrieve": 4, "count": 1, "search": 3}
    assert POINTS._value.get() - points == 250
    assert MISSING._value.get() - missing == 1


@contextmanager
def waiting_together(server: QdrantServer, number: int) -> Iterator[None]:
    """Holds the first requests until so many are there; in the end there have never been more at once."""
    server.gate.most_waiting, server.gate.together = 0, number
    try:
        yield
    finally:
        server.gate.together = 0
    assert server.gate.most_waiting == number


def test_batches_are_in_flight_at_once(faces: FaceQdrantClient, server: QdrantServer) -> None:
    """So many requests as the bound allows wait at the server at the same time, and no more."""
    from image_search_service.vector.transport import Grpc, Rest, transport_for

    bound = transport_for(faces.client, "faces").in_flight
    assert bound in {Grpc.in_flight, Rest.in_flight}
    with waiting_together(server, bound):
        faces.get_embeddings_by_point_ids(IDS, batch_size=10)


def test_few_large_batches_are_in_flight_at_once(server: QdrantServer) -> None:
    """A decoded answer of REST is large: of batches of 250 two are under way, not five."""
    server.heal()
    client = FaceQdrantClient(server.client(grpc=False), "faces", 16)
    with waiting_together(server, 2):
        client.get_embeddings_by_point_ids([UUID(int=row) for row in range(1, 1001)], batch_size=250)


def test_a_read_that_fails_leaves_no_request_behind(server: QdrantServer) -> None:
    """Over REST no thread still asks when the error is raised: the client may be closed at once."""
    server.heal()
    server.fail(Fault.UNAVAILABLE, "retrieve", times=1)
    client = FaceQdrantClient(server.client(grpc=False), "faces", 16, retry=Retry(pauses=()))
    with pytest.raises(UnavailableError):
        client.get_embeddings_by_point_ids(IDS, batch_size=10)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("qdrant-rest")]
