"""The batch reader, when a server fails: an outage is an error, one bad point is missing."""

from __future__ import annotations

from typing import Any

import pytest
from qdrant_client import QdrantClient

from image_search_service.core.errors import (
    InvalidInputError,
    KeyRefusedError,
    NotFoundError,
    UnavailableError,
    VectorStoreError,
)
from image_search_service.vector.calls import Retry
from image_search_service.vector.face_qdrant import FaceQdrantClient
from tests.support.qdrant_server import Failing, Fault, QdrantServer
from tests.unit.vector.stored_faces import IDS, A, B, Pauses, pauses


class TestUnavailable:
    """A server that does not answer is an error for the whole call."""

    @pytest.mark.parametrize("fault", [Fault.UNAVAILABLE, Fault.DROPS, Fault.INTERNAL])
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

    @pytest.mark.parametrize("fault", [Fault.REFUSED, Fault.GARBAGE])
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
        """What cannot be had at once is had in halves, and asked for in halves from then on."""
        server.fail(Fault.TOO_LARGE, "retrieve", times=1)
        assert faces.get_embeddings_by_point_ids(IDS[:50]).ids == tuple(IDS[:50])
        assert server.requests["retrieve"] == 1 + 2
        assert faces.get_embeddings_by_point_ids(IDS[:50]).ids == tuple(IDS[:50])
        assert server.requests["retrieve"] == 1 + 2 + 2

    def test_a_malformed_id(self, faces: FaceQdrantClient, server: QdrantServer) -> None:
        """An id that is none makes the server refuse the batch; the others are read all the same."""
        wrong: Any = "not-an-id"
        server.fail(Fault.REFUSED, "retrieve", only_with=[wrong])
        batch = faces.get_embeddings_by_point_ids([A, wrong, B])
        assert batch.ids == (A, B)
        assert list(batch.missing) == [wrong]
        assert faces.get_embedding_by_point_id(wrong) is None

    @pytest.mark.parametrize("fault", [Fault.REFUSED, Fault.GARBAGE])
    def test_a_broken_server_is_given_up_early(
        self, faces: FaceQdrantClient, server: QdrantServer, fault: Fault
    ) -> None:
        """When no point can be read at all it is an error after a few, not a hundred missing points."""
        server.fail(fault, "retrieve")
        with pytest.raises((InvalidInputError, VectorStoreError)):
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
    """gRPC's own refusal of a large message is no outage: the points come in smaller batches."""
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
