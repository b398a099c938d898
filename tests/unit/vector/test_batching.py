"""The batch reader: what it asks for, what it makes of the answers, and how it fails."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from qdrant_client import QdrantClient

from benchmarks.before import get_embeddings_one_by_one
from image_search_service.core.errors import (
    DataIntegrityError,
    InvalidInputError,
    KeyRefusedError,
    NotFoundError,
    UnavailableError,
    VectorStoreError,
)
from image_search_service.vector.batching import BatchReader, EmbeddingBatch, as_matrix
from image_search_service.vector.calls import MISSING, POINTS, Retry
from image_search_service.vector.face_qdrant import FaceQdrantClient
from tests.support.backends import face_points, unit_vectors
from tests.support.qdrant_server import Failing, Fault, QdrantServer
from tests.support.round_trips import round_trips
from tests.unit.vector.scripted_qdrant import ScriptedQdrant

FACES = face_points(250)
IDS = [face.point_id for face in FACES]
A, B, C = IDS[:3]


def read(vectors: dict[UUID, Any], ids: list[UUID] | None = None, **options: Any) -> EmbeddingBatch:
    return BatchReader(ScriptedQdrant(vectors), "faces", 2, **options).read(ids or list(vectors))  # type: ignore[arg-type]


class Pauses:
    """A clock's sleep that only notes."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)


@pytest.fixture(scope="module")
def server() -> Iterator[QdrantServer]:
    """A stand-in server with 250 faces, for the tests of faults."""
    engine = QdrantClient(":memory:")
    faces = FaceQdrantClient(engine, "faces", 16)
    faces.ensure_collection()
    faces.upsert_faces(FACES)
    with QdrantServer(engine) as running:
        yield running
    engine.close()


@pytest.fixture(params=["grpc", "rest"])
def faces(server: QdrantServer, request: pytest.FixtureRequest) -> Iterator[FaceQdrantClient]:
    """The faces over one of the protocols, from a server in good health; its pauses are only noted."""
    server.heal()
    server.requests.clear()
    client = server.client(grpc=request.param == "grpc")
    yield FaceQdrantClient(client, "faces", 16, retry=Retry(sleep=Pauses()))
    server.heal()


def pauses(faces: FaceQdrantClient) -> list[float]:
    sleep = faces._retry.sleep
    assert isinstance(sleep, Pauses)
    return sleep.slept


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


class TestUnavailable:
    """A server that does not answer is an error for the whole call."""

    @pytest.mark.parametrize("fault", [Fault.OVERLOADED, Fault.UNAVAILABLE, Fault.DROPS])
    def test_tried_again_and_again_then_an_error(
        self, faces: FaceQdrantClient, server: QdrantServer, fault: Fault
    ) -> None:
        """After a few tries with growing pauses it is UnavailableError, without a call for each point."""
        server.fail(fault, "retrieve")
        with pytest.raises(UnavailableError):
            faces.get_embeddings_by_point_ids(IDS)
        assert pauses(faces) == [0.1, 0.4, 1.6]
        assert server.requests["retrieve"] <= 3 + 3

    def test_a_gap_is_bridged(self, faces: FaceQdrantClient, server: QdrantServer) -> None:
        """An overload that passes costs a pause and no point."""
        server.fail(Fault.OVERLOADED, "retrieve", times=2)
        assert faces.get_embeddings_by_point_ids(IDS).ids == tuple(IDS)
        assert pauses(faces)

    def test_half_the_batches_are_no_result(self, faces: FaceQdrantClient, server: QdrantServer) -> None:
        """When one batch never arrives, the others that did are not passed off as the answer."""
        server.fail(Fault.UNAVAILABLE, "retrieve", only_with=IDS[-1:])
        with pytest.raises(UnavailableError):
            faces.get_embeddings_by_point_ids(IDS)

    def test_the_single_method_too(self, faces: FaceQdrantClient, server: QdrantServer) -> None:
        """One point of a server that does not answer is an error, not None."""
        server.fail(Fault.UNAVAILABLE, "retrieve")
        with pytest.raises(UnavailableError):
            faces.get_embedding_by_point_id(A)

    def test_a_refused_key_is_not_tried_again(self, faces: FaceQdrantClient, server: QdrantServer) -> None:
        """Waiting makes no key right: the error comes at once and says what to set."""
        server.gate.api_key = "secret"
        try:
            with pytest.raises(KeyRefusedError) as raised:
                faces.get_embeddings_by_point_ids(IDS)
        finally:
            server.gate.api_key = None
        assert "IMAGE_SEARCH_QDRANT_API_KEY" in str(raised.value.hint)
        assert pauses(faces) == []

    @pytest.mark.parametrize("grpc", [True, False], ids=["grpc", "rest"])
    def test_the_right_key_is_sent(self, server: QdrantServer, grpc: bool) -> None:
        """The client's key opens every way of reading."""
        server.heal()
        with pytest.warns(UserWarning, match="insecure connection"):
            client = server.client(grpc=grpc, api_key="secret")
        server.gate.api_key = "secret"
        try:
            batch = FaceQdrantClient(client, "faces", 16).get_embeddings_by_point_ids(IDS)
        finally:
            server.gate.api_key = None
        assert len(batch) == len(IDS)

    def test_a_missing_collection_is_no_outage(self, faces: FaceQdrantClient) -> None:
        """Without the collection there is nothing to fall back to."""
        elsewhere = FaceQdrantClient(faces.client, "nowhere", 16)
        with pytest.raises(NotFoundError):
            elsewhere.get_embeddings_by_point_ids(IDS)


@pytest.mark.parametrize("grpc", [True, False], ids=["grpc", "rest"])
def test_a_refused_connection(grpc: bool) -> None:
    """Where no server listens the error comes after a few tries."""
    with QdrantServer(QdrantClient(":memory:")) as server:
        sleep = Pauses()
        faces = FaceQdrantClient(server.client(grpc=grpc), "faces", 16, retry=Retry(sleep=sleep))
        server.stop()
        with pytest.raises(UnavailableError):
            faces.get_embeddings_by_point_ids(IDS)
        assert len(sleep.slept) == 3


@pytest.mark.parametrize("grpc", [True, False], ids=["grpc", "rest"])
def test_a_time_out(grpc: bool) -> None:
    """A server that says nothing is unavailable once the time-out has passed."""
    with QdrantServer(QdrantClient(":memory:")) as server:
        faces = FaceQdrantClient(server.client(grpc=grpc, timeout=1), "faces", 16, retry=Retry(pauses=()))
        server.fail(Fault.HANGS)
        with pytest.raises(UnavailableError):
            faces.get_embeddings_by_point_ids(IDS)


class TestFallback:
    """A batch that fails for a reason of its own is read point by point, and loses none of the others."""

    @pytest.mark.parametrize("fault", [Fault.REFUSED, Fault.TOO_LARGE, Fault.INTERNAL, Fault.GARBAGE])
    def test_one_bad_point_costs_no_other(
        self, faces: FaceQdrantClient, server: QdrantServer, fault: Fault
    ) -> None:
        """The point that makes requests fail is missing with a reason; all the others are there."""
        server.fail(fault, "retrieve", only_with=[IDS[120]])
        batch = faces.get_embeddings_by_point_ids(IDS)
        assert len(batch) == len(IDS) - 1
        assert list(batch.missing) == [IDS[120]]
        assert server.requests["retrieve"] == 3 + 100

    def test_a_batch_that_is_too_large(self, faces: FaceQdrantClient, server: QdrantServer) -> None:
        """What cannot be had at once is had one by one."""
        server.fail(Fault.TOO_LARGE, "retrieve", times=1)
        assert faces.get_embeddings_by_point_ids(IDS[:50]).ids == tuple(IDS[:50])
        assert server.requests["retrieve"] == 51

    def test_a_malformed_id(self, faces: FaceQdrantClient, server: QdrantServer) -> None:
        """An id that is none makes the server refuse the batch; the others are read all the same."""
        wrong: Any = "not-an-id"
        server.fail(Fault.REFUSED, "retrieve", only_with=[wrong])
        batch = faces.get_embeddings_by_point_ids([A, wrong, B])
        assert batch.ids == (A, B)
        assert list(batch.missing) == [wrong]
        assert faces.get_embedding_by_point_id(wrong) is None

    @pytest.mark.parametrize("fault", [Fault.INTERNAL, Fault.GARBAGE])
    def test_a_broken_server_is_given_up_early(
        self, faces: FaceQdrantClient, server: QdrantServer, fault: Fault
    ) -> None:
        """When no point can be read at all it is an error after a few, not a hundred missing points."""
        server.fail(fault, "retrieve")
        with pytest.raises(VectorStoreError):
            faces.get_embeddings_by_point_ids(IDS)
        assert server.requests["retrieve"] < 40

    def test_an_outage_during_the_fallback(self, faces: FaceQdrantClient, server: QdrantServer) -> None:
        """A server that goes away while points are read one by one is an error for the whole call."""
        server.fail(Fault.UNAVAILABLE, "retrieve", only_with=[IDS[7]])
        server.gate.failing.insert(0, Failing(Fault.REFUSED, ("retrieve",), times=1))
        with pytest.raises(UnavailableError):
            faces.get_embeddings_by_point_ids(IDS[:50])
        assert pauses(faces) == [0.1, 0.4, 1.6]


def test_a_message_over_the_clients_limit_falls_back(server: QdrantServer) -> None:
    """gRPC's own refusal of a large message is no outage: the points come one by one."""
    server.heal()
    client = server.client(grpc=True, grpc_options={"grpc.max_receive_message_length": 2000})
    faces = FaceQdrantClient(client, "faces", 16)
    assert faces.get_embeddings_by_point_ids(IDS[:50]).ids == tuple(IDS[:50])


def test_half_an_answer_is_no_answer(faces: FaceQdrantClient, server: QdrantServer) -> None:
    """Points that a server leaves out and has, once it is asked again, are an outage, not missing."""
    server.fail(Fault.HALF, "retrieve", times=1)
    with pytest.raises(UnavailableError, match="left out 50 embeddings"):
        faces.get_embeddings_by_point_ids(IDS[:100])
    assert faces.get_embeddings_by_point_ids(IDS[:100]).ids == tuple(IDS[:100])


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
