"""What the project asks of a Qdrant client: embedded, in memory, stand-in and real server alike."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings, strategies as st
from qdrant_client import models

from image_search_service.core.errors import InvalidInputError, NotFoundError
from image_search_service.vector.client import open_embedded
from image_search_service.vector.errors import translated
from tests.support.backends import BACKENDS, REAL, open_backend, unit_vectors
from tests.support.databases import depth

WHOLE = ("embedded", depth("memory"), *REAL)
"""Backends with every method; the stand-in server has those that the project's jobs and routes need."""
INDEXED = ("embedded", "grpc", depth("rest"), *REAL)
"""Backends with payload indexes."""

COUNT = 60
GROUPS = ("red", "green", "blue")


def point_id(n: int) -> str:
    return str(UUID(int=n + 1))


def payload(n: int) -> dict[str, Any]:
    values: dict[str, Any] = {"n": n, "half": n / 2, "group": GROUPS[n % 3], "note": None if n % 4 else "x"}
    return values | ({"owner": str(UUID(int=n % 5))} if n % 2 else {})


@pytest.fixture(params=BACKENDS)
def client(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    with open_backend(request.param, tmp_path) as opened:
        yield opened


@pytest.fixture
def name(client: Any) -> Iterator[str]:
    """A collection of 60 points with payloads, removed in the end."""
    made = f"contract_{uuid4().hex}"
    client.create_collection(made, models.VectorParams(size=16, distance=models.Distance.COSINE))
    rows = unit_vectors(COUNT).tolist()
    client.upsert(
        made,
        [models.PointStruct(id=point_id(n), vector=row, payload=payload(n)) for n, row in enumerate(rows)],
    )
    yield made
    client.delete_collection(made)


def everything(client: Any, name: str, where: models.Filter | None = None, page: int = 7) -> list[str]:
    """Ids of all points that pass, page by page."""
    found: list[str] = []
    offset = None
    while True:
        records, offset = client.scroll(name, scroll_filter=where, limit=page, offset=offset)
        found += [str(record.id) for record in records]
        if offset is None:
            return found


def search(client: Any, name: str, vector: Any, **options: Any) -> list[Any]:
    request = models.QueryRequest(query=vector.tolist(), **options)
    points: list[Any] = client.query_batch_points(name, [request])[0].points
    return points


def test_collection_exists_from_making_to_removal(client: Any) -> None:
    """A collection is there once it was made, is made once, and is gone once it was removed."""
    made = f"contract_{uuid4().hex}"
    vectors = models.VectorParams(size=4, distance=models.Distance.COSINE)
    assert not client.collection_exists(made)
    client.create_collection(made, vectors)
    assert client.collection_exists(made)
    params = client.get_collection(made).config.params.vectors
    assert (params.size, params.distance) == (4, models.Distance.COSINE)
    with pytest.raises(Exception, match="already exists"):
        client.create_collection(made, vectors)
    client.delete_collection(made)
    assert not client.collection_exists(made)


def test_retrieve_gives_what_is_there(client: Any, name: str) -> None:
    """Points that are not there are left out; vectors and payloads come as they were stored."""
    records = client.retrieve(name, [point_id(3), str(uuid4()), point_id(1)], with_vectors=True)
    found = {str(record.id): record for record in records}
    assert set(found) == {point_id(1), point_id(3)}
    assert found[point_id(3)].payload == payload(3)
    assert found[point_id(3)].vector == pytest.approx(unit_vectors(COUNT)[3].tolist(), abs=1e-6)
    bare = client.retrieve(name, [point_id(3)], with_payload=False, with_vectors=False)[0]
    assert (bare.payload or None, bare.vector) == (None, None)


def test_upsert_replaces(client: Any, name: str) -> None:
    """A point that is stored again is the new one, payload included."""
    vector = unit_vectors(1, seed=9)[0].tolist()
    client.upsert(name, [models.PointStruct(id=point_id(0), vector=vector, payload={"new": True})])
    record = client.retrieve(name, [point_id(0)], with_vectors=True)[0]
    assert record.payload == {"new": True}
    assert record.vector == pytest.approx(vector, abs=1e-6)
    assert client.count(name, exact=True).count == COUNT


def test_search_finds_the_nearest_first(client: Any, name: str) -> None:
    """The best match is the point itself; a threshold and a limit cut the list."""
    rows = unit_vectors(COUNT)
    found = search(client, name, rows[5], limit=5)
    expected = (rows @ rows[5]).argsort()[::-1][:5]
    assert [str(point.id) for point in found] == [point_id(int(n)) for n in expected]
    assert found[0].score == pytest.approx(1, abs=1e-5)
    above = search(client, name, rows[5], limit=50, score_threshold=0.3)
    assert len(above) == int((rows @ rows[5] >= 0.3).sum())


def test_batch_of_searches_equals_single_ones(client: Any, name: str) -> None:
    """One request with many searches gives what many requests give."""
    rows = unit_vectors(COUNT)
    where = models.Filter(must=[models.FieldCondition(key="group", match=models.MatchValue(value="red"))])
    requests = [models.QueryRequest(query=rows[n].tolist(), limit=4, filter=where) for n in range(6)]
    answers = client.query_batch_points(name, requests)
    for n, answer in enumerate(answers):
        single = search(client, name, rows[n], limit=4, filter=where)
        assert [point.id for point in answer.points] == [point.id for point in single]


def test_scroll_pages_neither_overlap_nor_miss(client: Any, name: str) -> None:
    """All pages together are all points, each once, in the order of their ids."""
    assert everything(client, name) == [point_id(n) for n in range(COUNT)]


def test_payload_updates_touch_only_what_they_name(client: Any, name: str) -> None:
    """One request sets a key of some points and takes another from others."""
    some = models.Filter(must=[models.HasIdCondition(has_id=[point_id(1), point_id(3), str(uuid4())])])
    client.batch_update_points(
        name,
        [
            models.SetPayloadOperation(set_payload=models.SetPayload(payload={"owner": "ada"}, filter=some)),
            models.DeletePayloadOperation(
                delete_payload=models.DeletePayload(keys=["group"], points=[point_id(2)])
            ),
        ],
    )
    found = {str(r.id): r.payload for r in client.retrieve(name, [point_id(n) for n in (1, 2, 3, 5)])}
    assert found[point_id(1)] == payload(1) | {"owner": "ada"}
    assert found[point_id(3)] == payload(3) | {"owner": "ada"}
    assert "group" not in found[point_id(2)]
    assert found[point_id(5)] == payload(5)


def test_delete_by_ids_and_by_filter(client: Any, name: str) -> None:
    """Deleted points are gone; one that is not there is as good as deleted."""
    client.delete(name, [point_id(0), str(uuid4())])
    red = models.Filter(must=[models.FieldCondition(key="group", match=models.MatchValue(value="red"))])
    client.delete(name, models.FilterSelector(filter=red))
    left = [n for n in range(COUNT) if n != 0 and GROUPS[n % 3] != "red"]
    assert everything(client, name) == [point_id(n) for n in left]


CONDITIONS: list[tuple[Any, Any]] = [
    (models.FieldCondition(key="group", match=models.MatchValue(value="red")), lambda p: p["group"] == "red"),
    (
        models.FieldCondition(key="group", match=models.MatchAny(any=["red", "blue"])),
        lambda p: p["group"] in {"red", "blue"},
    ),
    (models.FieldCondition(key="half", range=models.Range(gte=5, lt=20)), lambda p: 5 <= p["half"] < 20),
    (models.IsEmptyCondition(is_empty=models.PayloadField(key="owner")), lambda p: "owner" not in p),
    (
        models.FieldCondition(key="owner", match=models.MatchValue(value=str(UUID(int=3)))),
        lambda p: p.get("owner") == str(UUID(int=3)),
    ),
    (models.HasIdCondition(has_id=[point_id(n) for n in range(0, 60, 7)]), lambda p: p["n"] % 7 == 0),
    (
        models.FieldCondition(key="n", match=models.MatchExcept(**{"except": [1, 2, 3]})),
        lambda p: p["n"] not in {1, 2, 3},
    ),
    (models.IsNullCondition(is_null=models.PayloadField(key="note")), lambda p: p["note"] is None),
    (models.FieldCondition(key="note", is_empty=False), lambda p: p["note"] is not None),
    (
        models.Filter(
            should=[
                models.FieldCondition(key="n", range=models.Range(lt=10)),
                models.Filter(
                    must_not=[models.FieldCondition(key="group", match=models.MatchAny(any=["red", "blue"]))]
                ),
            ]
        ),
        lambda p: p["n"] < 10 or p["group"] == "green",
    ),
]
picks = st.lists(st.integers(0, len(CONDITIONS) - 1), max_size=3, unique=True)


@settings(max_examples=15)
@given(must=picks, should=picks, must_not=picks)
def test_filters_mean_what_they_say(
    client: Any, name: str, must: list[int], should: list[int], must_not: list[int]
) -> None:
    """Any filter lets through exactly the points that the same rule in Python lets through."""
    where = models.Filter(
        must=[CONDITIONS[i][0] for i in must] or None,
        should=[CONDITIONS[i][0] for i in should] or None,
        must_not=[CONDITIONS[i][0] for i in must_not] or None,
    )
    expected = [
        point_id(n)
        for n in range(COUNT)
        if all(CONDITIONS[i][1](payload(n)) for i in must)
        and (not should or any(CONDITIONS[i][1](payload(n)) for i in should))
        and not any(CONDITIONS[i][1](payload(n)) for i in must_not)
    ]
    assert everything(client, name, where) == expected
    assert client.count(name, count_filter=where, exact=True).count == len(expected)


def test_malformed_requests_are_told_apart(client: Any, name: str) -> None:
    """A collection that is not there, a wrong dimension and a malformed id are the same on every backend."""
    short = models.PointStruct(id=point_id(0), vector=[1.0, 2.0], payload={})
    nameless = models.PointStruct(id="face-1", vector=[1.0] * 16, payload={})
    with pytest.raises(NotFoundError), translated("in a test"):
        client.retrieve(f"no_{name}", [point_id(0)])
    with pytest.raises(InvalidInputError), translated("in a test"):
        client.upsert(name, [short])
    with pytest.raises(InvalidInputError), translated("in a test"):
        search(client, name, unit_vectors(1, 15)[0])
    with pytest.raises(InvalidInputError), translated("in a test"):
        client.upsert(name, [nameless])
    assert client.count(name, exact=True).count == COUNT


@pytest.mark.parametrize("client", INDEXED, indirect=True)
def test_payload_indexes_do_not_change_answers(client: Any, name: str) -> None:
    """An index may be made twice, is listed, and finds what was found without it."""
    where = models.Filter(
        must=[models.FieldCondition(key="owner", match=models.MatchAny(any=[str(UUID(int=3))]))]
    )
    before = everything(client, name, where)
    for _ in range(2):
        client.create_payload_index(name, "owner", field_schema=models.PayloadSchemaType.UUID)
    assert before
    assert everything(client, name, where) == before


@pytest.mark.parametrize("client", WHOLE, indirect=True)
def test_payloads_by_ids_and_by_filter(client: Any, name: str) -> None:
    """Keys are set, taken away and replaced on the points that are named, and on no others."""
    blue = models.Filter(must=[models.FieldCondition(key="group", match=models.MatchValue(value="blue"))])
    client.set_payload(name, {"owner": "ada"}, points=[point_id(0)])
    client.set_payload(name, {"owner": "bea"}, points=blue)
    client.delete_payload(name, ["half", "note"], points=[point_id(3)])
    client.overwrite_payload(name, {"only": 1}, points=models.PointIdsList(points=[point_id(6)]))
    found = {str(r.id): r.payload for r in client.retrieve(name, [point_id(n) for n in (0, 2, 3, 6, 9)])}
    assert found[point_id(0)] == payload(0) | {"owner": "ada"}
    assert found[point_id(2)] == payload(2) | {"owner": "bea"}
    assert found[point_id(3)] == {key: payload(3)[key] for key in ("n", "group", "owner")}
    assert found[point_id(6)] == {"only": 1}
    assert found[point_id(9)] == payload(9)


@pytest.mark.parametrize("client", WHOLE, indirect=True)
def test_vectors_are_replaced_alone(client: Any, name: str) -> None:
    """A new vector leaves the payload as it was."""
    vector = unit_vectors(1, seed=9)[0].tolist()
    client.update_vectors(name, [models.PointVectors(id=point_id(1), vector=vector)])
    record = client.retrieve(name, [point_id(1)], with_vectors=True)[0]
    assert record.vector == pytest.approx(vector, abs=1e-6)
    assert record.payload == payload(1)


@pytest.mark.parametrize("client", WHOLE, indirect=True)
def test_every_kind_of_update_in_one_call(client: Any, name: str) -> None:
    """Updates of different kinds are done in the order in which they are given."""
    first, second = unit_vectors(2, seed=9).tolist()
    new, ids = str(uuid4()), models.PointIdsList(points=[point_id(0)])
    upsert = models.PointsList(
        points=[models.PointStruct(id=new, vector=first, payload={"new": 1, "old": 1})]
    )
    client.batch_update_points(
        name,
        [
            models.UpsertOperation(upsert=upsert),
            models.OverwritePayloadOperation(
                overwrite_payload=models.SetPayload(payload={"new": 2}, points=[new])
            ),
            models.UpdateVectorsOperation(
                update_vectors=models.UpdateVectors(points=[models.PointVectors(id=new, vector=second)])
            ),
            models.DeleteOperation(delete=ids),
        ],
    )
    record = client.retrieve(name, [new, point_id(0)], with_vectors=True)
    assert [(str(r.id), r.payload) for r in record] == [(new, {"new": 2})]
    assert record[0].vector == pytest.approx(second, abs=1e-6)
    assert name in {one.name for one in client.get_collections().collections}


@pytest.mark.parametrize("client", WHOLE, indirect=True)
def test_single_query_equals_one_of_a_batch(client: Any, name: str) -> None:
    """A search by itself finds what it finds in a batch, and gives what of the points is asked for."""
    row = unit_vectors(COUNT)[7]
    single = client.query_points(name, row.tolist(), limit=3, offset=1, with_payload=["n"], with_vectors=True)
    batched = search(client, name, row, limit=4)
    assert [point.id for point in single.points] == [point.id for point in batched[1:]]
    assert all(set(point.payload) == {"n"} and len(point.vector) == 16 for point in single.points)


def test_the_embedded_engine_is_opened_empty(tmp_path: Path) -> None:
    """Without an address the engine in this process is opened in its folder."""
    with open_embedded(tmp_path / "own") as own:
        assert not own.collection_exists("faces")
