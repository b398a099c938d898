"""Limits that a server sets: strict mode, rate limits, the size of requests, small copies of the vectors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
import pytest

from image_search_service.core.errors import (
    InvalidInputError,
    KeyRefusedError,
    RateLimitedError,
    RequestTooLargeError,
    UnavailableError,
)
from image_search_service.vector.calls import Retry
from image_search_service.vector.collections import CollectionSettings, FaceFilter, FacePayload, FacePoint
from image_search_service.vector.embedded import EmbeddedQdrant
from image_search_service.vector.face_qdrant import FaceQdrantClient
from image_search_service.vector.limits import Limits
from tests.support.backends import face_points
from tests.support.qdrant_server import Fault, QdrantServer, Refused
from tests.unit.vector.stored_faces import Pauses, pauses
from tests.unit.vector.strict_qdrant import CAPACITY, StrictQdrant

FACES = face_points(50, quality_score=0.5)
IDS = [face.point_id for face in FACES]
ROWS = np.array([face.embedding for face in FACES])

Opened = Callable[..., FaceQdrantClient]


class Strict:
    """A stand-in server with strict mode, and faces on it over one protocol."""

    def __init__(self, engine: Any, server: QdrantServer, grpc: bool) -> None:
        self.engine, self.server, self._grpc = engine, server, grpc

    def faces(self, **settings: Any) -> FaceQdrantClient:
        retry = Retry(sleep=Pauses())
        own = CollectionSettings(**settings)
        return FaceQdrantClient(self.server.client(grpc=self._grpc), "faces", 16, retry=retry, settings=own)


@pytest.fixture(params=[True, False], ids=["grpc", "rest"])
def strict(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Callable[..., Strict]]:
    """Makes a server with these limits."""
    with ExitStack() as stack:
        engine = stack.enter_context(EmbeddedQdrant(tmp_path))

        def make(**limits: Any) -> Strict:
            limited = StrictQdrant(engine, **limits)
            return Strict(limited, stack.enter_context(QdrantServer(limited)), request.param)

        yield make


@pytest.fixture(params=[True, False], ids=["known", "found out"])
def known(request: pytest.FixtureRequest) -> bool:
    """Whether the limits are set before the collection is opened, or met afterwards."""
    return bool(request.param)


def test_limits_of_strict_mode_are_kept_to(strict: Callable[..., Strict], known: bool) -> None:
    """Everything that the project asks succeeds below the limits; known ones are never run into."""
    limits = {"max_query_limit": 10, "upsert_max_batchsize": 7, "condition_max_size": 6}
    server = strict()
    server.faces().ensure_collection()
    if known:
        server.engine.configure(_strict_mode(**limits, search_max_batchsize=4, search_allow_exact=False))
    faces = server.faces()
    faces.ensure_collection()
    if not known:
        server.engine.configure(_strict_mode(upsert_max_batchsize=7, search_max_batchsize=4))
    faces.upsert_faces(FACES)
    faces.update_person_ids(dict.fromkeys(IDS, UUID(int=1)))
    pages = list(faces.scroll_faces(page_size=1000, with_embeddings=True))
    assert [point for page in pages for point in page.payloads] == IDS
    assert {payload.person_id for page in pages for payload in page.payloads.values()} == {UUID(int=1)}
    where = FaceFilter(among=IDS[:30], except_ids=IDS[20:40])
    found = faces.search_many(ROWS[:9], 25, where=where)
    assert [{match.point_id for match in matches} for matches in found] == [set(IDS[:20])] * 9
    assert faces.count() == len(FACES)
    assert set(faces.retrieve_stored(IDS)) == set(IDS)
    faces.delete_faces(IDS)
    assert faces.count() == 0
    if known:
        assert server.server.requests["upsert"] == -(-50 // 7)
        assert server.server.requests["search"] == -(-9 * 3 // 4)
        assert server.server.requests["update_payload"] == -(-50 // 6)


def _strict_mode(**limits: Any) -> Any:
    from qdrant_client.models import StrictModeConfig

    return StrictModeConfig(enabled=True, **limits)


def test_an_index_that_is_not_there_is_made(strict: Callable[..., Strict]) -> None:
    """A start that broke off before the payload indexes is mended by the next, which strict mode needs."""
    server = strict(unindexed_filtering_retrieve=False)
    server.engine.create_collection("faces", vectors_config=_vectors())
    faces = server.faces()
    faces.upsert_faces(FACES)
    with pytest.raises(InvalidInputError, match="Index required but not found"):
        faces.search_similar_faces(ROWS[0], where=FaceFilter(unlabeled=True))
    assert set(faces.lacking_indexes()) == set(faces.indexes)
    faces.ensure_collection()
    assert faces.lacking_indexes() == []
    assert faces.search_similar_faces(ROWS[0], where=FaceFilter(unlabeled=True))
    made = server.server.requests["create_payload_index"]
    faces.ensure_collection()
    assert server.server.requests["create_payload_index"] == made == len(faces.indexes)


def test_a_key_that_may_make_no_index_opens_the_collection(
    strict: Callable[..., Strict],
) -> None:
    """Searches work without an index, so that a key for one's own collections is enough."""
    server = strict()
    server.engine.create_collection("faces", vectors_config=_vectors())
    server.server.fail(_FORBIDDEN, "create_payload_index")
    server.faces().ensure_collection()


def test_a_key_that_may_not_make_the_collection(strict: Callable[..., Strict]) -> None:
    """It is refused at once, and the hint says which rights are needed for what."""
    server = strict()
    server.server.fail(_FORBIDDEN, "create_collection")
    faces = server.faces()
    with pytest.raises(KeyRefusedError, match="Global manage access is required") as raised:
        faces.ensure_collection()
    assert "to make them, it has to manage the server" in str(raised.value.hint)
    assert pauses(faces) == []


_FORBIDDEN = Refused(403, "PERMISSION_DENIED", "Forbidden: Global manage access is required")


def _vectors() -> Any:
    from qdrant_client.models import Distance, VectorParams

    return VectorParams(size=16, distance=Distance.COSINE)


def test_a_rate_limit_is_waited_for_as_told(strict: Callable[..., Strict]) -> None:
    """The pause is the server's; one that is longer than a call waits ends it, and names the rate limit."""
    server = strict()
    faces = server.faces()
    faces.ensure_collection()
    faces.upsert_faces(FACES)
    server.server.fail(Fault.OVERLOADED, "retrieve", "count", times=2)
    assert faces.get_embeddings_by_point_ids(IDS).ids == tuple(IDS)
    assert faces.count() == len(IDS)
    assert pauses(faces) == [5, 5]
    server.server.fail(Refused(429, "RESOURCE_EXHAUSTED", "Rate limiting exceeded. Retry after 61s"), "count")
    with pytest.raises(RateLimitedError, match="rate limit") as raised:
        faces.count()
    assert "read_rate_limit" in str(raised.value.hint)
    assert raised.value.seconds == 61
    assert len(pauses(faces)) == 2


def test_what_the_rate_limiter_can_never_let_through_is_split(strict: Callable[..., Strict]) -> None:
    """A request larger than its capacity is sent in halves; a limit that strict mode tells is not met."""
    server = strict()
    faces = server.faces()
    faces.ensure_collection()
    faces.upsert_faces(FACES)
    server.server.fail(Refused(429, "RESOURCE_EXHAUSTED", CAPACITY), "retrieve", times=2)
    assert faces.get_embeddings_by_point_ids(IDS).ids == tuple(IDS)
    assert pauses(faces) == []
    assert server.server.requests["retrieve"] == 2 + 3
    server.server.requests.clear()
    server.engine.configure(_strict_mode(read_rate_limit=25))
    server.engine.tokens = 50
    known = server.faces()
    known.ensure_collection()
    assert known.get_embeddings_by_point_ids(IDS).ids == tuple(IDS)
    assert server.server.requests["retrieve"] == 2


def test_a_body_that_is_too_large_is_halved(strict: Callable[..., Strict]) -> None:
    """Nothing is lost of what a server or proxy refuses for its size; later batches are small at once."""
    server = strict()
    faces = server.faces()
    faces.ensure_collection()
    server.server.fail(Fault.TOO_LARGE, "upsert", times=2)
    faces.upsert_faces(FACES)
    assert faces.count() == len(FACES)
    assert server.server.requests["upsert"] == 2 + 5
    faces.upsert_faces(FACES)
    assert server.server.requests["upsert"] == 2 + 5 + 5
    server.server.fail(Fault.TOO_LARGE, "upsert")
    with pytest.raises(RequestTooLargeError) as raised:
        faces.upsert_faces(FACES)
    assert "client_max_body_size" in str(raised.value.hint)


def test_batches_are_cut_by_bytes() -> None:
    """Points of many numbers go in smaller batches, below what a server takes as JSON."""
    assert Limits(512).writes.most == 1000
    assert 100 <= Limits(2048).writes.most < 1000 * 33_554_432 // 43_835_084
    assert Limits(10**7).writes.most == 1


@pytest.mark.parametrize(
    "fault", [Fault.INTERNAL, Refused(500, "INTERNAL", "2 out of 4 shards failed to apply operation")]
)
def test_a_shard_that_is_away_is_an_outage(strict: Callable[..., Strict], fault: Any) -> None:
    """What a server fails at is tried again, as a whole, and then unavailable: jobs try again later."""
    server = strict()
    faces = server.faces()
    faces.ensure_collection()
    faces.upsert_faces(FACES)
    server.server.fail(fault, "retrieve", "upsert")
    for attempt in (lambda: faces.get_embeddings_by_point_ids(IDS), lambda: faces.upsert_faces(FACES)):
        server.server.requests.clear()
        with pytest.raises(UnavailableError) as raised:
            attempt()
        assert "log says more" in str(raised.value.hint)
        assert sum(server.server.requests.values()) == 1 + 3


def test_a_full_disk_of_the_server(strict: Callable[..., Strict]) -> None:
    """It passes once there is room, and the hint says where to make it."""
    server = strict()
    faces = server.faces()
    faces.ensure_collection()
    text = "Service internal error: No space left on device: WAL buffer size exceeds available disk space"
    server.server.fail(Refused(500, "INTERNAL", text), "upsert")
    with pytest.raises(UnavailableError) as raised:
        faces.upsert_faces(FACES)
    assert "room on the disk of the Qdrant server" in str(raised.value.hint)


def test_small_copies_are_rescored(strict: Callable[..., Strict]) -> None:
    """Where a collection is quantised, scores are asked for from the vectors themselves; else nothing is."""
    server = strict(search_max_oversampling=1.5)
    faces = server.faces(quantization="scalar")
    faces.ensure_collection()
    faces.upsert_faces(FACES)
    faces.search_similar_faces(ROWS[0])
    again = server.faces()
    again.ensure_collection()
    again.search_similar_faces(ROWS[0])
    plain = server.faces()
    plain.search_similar_faces(ROWS[0])
    params = [request.params and request.params.quantization for request in server.engine.asked]
    assert [each and each.rescore for each in params] == [True, True, None]
    assert params[1] is not None
    assert params[1].oversampling == 1.5


def test_a_score_equal_to_the_threshold_is_found(strict: Callable[..., Strict]) -> None:
    """A threshold is the least similarity that counts: what has exactly it is found, what has less is not."""
    server = strict()
    faces = server.faces()
    faces.ensure_collection()
    rows = np.zeros((3, 16), dtype=np.float32)
    rows[:, 0], rows[:, 1] = (1.0, 0.6, 0.599), (0.0, 0.8, (1 - 0.599**2) ** 0.5)
    faces.upsert_faces(
        FacePoint(UUID(int=n), row, FacePayload(UUID(int=n), UUID(int=7))) for n, row in enumerate(rows, 1)
    )
    (found,) = faces.search_many(rows[:1], 10, 0.6)
    assert [(match.point_id.int, match.score) for match in found] == [(1, 1.0), (2, 0.6)]
    assert [match.point_id.int for match in faces.search_similar_faces(rows[0], 10, 1.0)] == [1]
