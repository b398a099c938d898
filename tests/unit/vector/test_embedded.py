"""The embedded Qdrant: lasting, shared by threads, closed to others, and honest about what it cannot do."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import qdrant_edge as edge
from qdrant_client import models

from image_search_service.core.errors import (
    ConflictError,
    DamagedCollectionError,
    InvalidInputError,
    NotFoundError,
    UnavailableError,
    UnsupportedByEmbeddedQdrantError,
)
from image_search_service.vector.embedded import EmbeddedQdrant
from image_search_service.vector.errors import translated
from tests.support.backends import unit_vectors

VECTORS = models.VectorParams(size=16, distance=models.Distance.COSINE)

WRITE_UNTIL_KILLED = """
import contextlib, sys
from pathlib import Path
from qdrant_client import models
from image_search_service.vector.embedded import EmbeddedQdrant
store = EmbeddedQdrant(Path(sys.argv[1]))
store.create_collection("faces", models.VectorParams(size=4, distance=models.Distance.COSINE))
number = 0
while True:
    number += 1
    store.upsert("faces", [models.PointStruct(id=number, vector=[1.0, 0.0, 0.0, number], payload={})])
    with contextlib.suppress(Exception):  # what the engine refuses stands in its log all the same
        store.set_payload("faces", {"owner": "ada"}, [number, 10**9])
    print(number, flush=True)
"""

OPEN = """
import sys
from pathlib import Path
from image_search_service.vector.embedded import EmbeddedQdrant
print(EmbeddedQdrant(Path(sys.argv[1])).count("faces").count)
"""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[EmbeddedQdrant]:
    with EmbeddedQdrant(tmp_path / "vectors") as opened:
        yield opened


def points(count: int) -> list[models.PointStruct]:
    rows = unit_vectors(count).tolist()
    return [models.PointStruct(id=n, vector=row, payload={"n": n}) for n, row in enumerate(rows)]


def test_acknowledged_points_survive_kill_9(tmp_path: Path) -> None:
    """Every point whose upsert had returned is there after the process was killed."""
    command = [sys.executable, "-c", WRITE_UNTIL_KILLED, str(tmp_path / "vectors")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for line in writer.stdout:
            if line == "50\n":
                break
        writer.kill()
        last = int(([line, *writer.stdout][-1]).strip())
    with EmbeddedQdrant(tmp_path / "vectors") as reopened:
        assert reopened.count("faces").count >= last
        assert len(reopened.retrieve("faces", range(1, last + 1), with_vectors=True)) == last


def test_vectors_come_back_to_the_bit_after_reopening(tmp_path: Path) -> None:
    """Unit vectors are stored as float32, without a change."""
    with EmbeddedQdrant(tmp_path) as store:
        store.create_collection("faces", VECTORS)
        store.upsert("faces", points(50))
    with EmbeddedQdrant(tmp_path) as store:
        found = {record.id: record.vector for record in store.retrieve("faces", range(50), with_vectors=True)}
    read = np.array([found[n] for n in range(50)], dtype=np.float32)
    np.testing.assert_allclose(read, unit_vectors(50), atol=1e-7)


def test_unfinished_collection_is_cleared_away(tmp_path: Path) -> None:
    """What a crash left of a collection that was being made, or removed, is as if it had never been."""
    for name in (".unfinished-faces", ".removed-faces"):
        (tmp_path / name / "shard").mkdir(parents=True)
    with EmbeddedQdrant(tmp_path) as store:
        assert not store.collection_exists("faces")
        assert store.get_collections().collections == []
        store.create_collection("faces", VECTORS)
    assert not list(tmp_path.glob(".*-faces"))


def test_damaged_collection_is_not_replaced_by_an_empty_one(tmp_path: Path) -> None:
    """A folder that lost its parameters may hold points, so nothing is made in its place."""
    (tmp_path / "faces" / "shard").mkdir(parents=True)
    with EmbeddedQdrant(tmp_path) as store:
        with pytest.raises(ValueError, match="already exists"):
            store.create_collection("faces", VECTORS)
        with pytest.raises(DamagedCollectionError):
            store.count("faces")


def test_second_process_is_refused(tmp_path: Path, store: EmbeddedQdrant) -> None:
    """A folder that one process has open cannot be opened by another, which is told by which."""
    store.create_collection("faces", VECTORS)
    command = [sys.executable, "-c", OPEN, str(tmp_path / "vectors")]
    second = subprocess.run(command, capture_output=True, text=True, check=False)
    assert second.returncode != 0
    assert (
        f"LibraryInUseError: The library {tmp_path}/vectors is in use by process {os.getpid()}"
        in second.stderr
    )


def test_full_disk_is_refused_in_time(tmp_path: Path) -> None:
    """With too little space nothing is written, since the engine would end the process; reading goes on."""
    with EmbeddedQdrant(tmp_path) as store:
        store.create_collection("faces", VECTORS)
    with EmbeddedQdrant(tmp_path, space_needed=2**62) as store:
        with pytest.raises(UnavailableError, match="nearly full"):
            store.upsert("faces", points(1))
        with pytest.raises(UnavailableError, match="nearly full"):
            store.create_collection("other", VECTORS)
        assert store.count("faces").count == 0
        assert not store.collection_exists("other")


def test_log_does_not_grow_without_end(tmp_path: Path, store: EmbeddedQdrant) -> None:
    """What is in the log is flushed as it grows, so that it stays small and opening stays fast."""
    store.create_collection("faces", VECTORS)
    eight_megabytes = {"text": "x" * 8 * 2**20}
    vector = unit_vectors(1)[0].tolist()
    for _ in range(20):
        store.upsert("faces", [models.PointStruct(id=1, vector=vector, payload=eight_megabytes)])
        log = tmp_path / "vectors" / "faces" / "shard" / "wal"
        assert len(list(log.glob("closed-*"))) <= 3


def test_threads_read_while_another_writes(store: EmbeddedQdrant) -> None:
    """Readers see whole points, whatever is being written."""
    store.create_collection("faces", VECTORS)
    store.upsert("faces", points(100))

    def read(_: int) -> int:
        return len(store.retrieve("faces", range(100), with_vectors=True))

    with ThreadPoolExecutor(4) as pool:
        reads = pool.map(read, range(40))
        for _ in range(10):
            store.upsert("faces", points(100))
        assert set(reads) == {100}


def test_collection_removed_while_threads_use_it(store: EmbeddedQdrant) -> None:
    """Whoever uses a collection that is being removed is told that it is gone, and nothing crashes."""
    store.create_collection("faces", VECTORS)
    store.upsert("faces", points(100))

    def use(_: int) -> str:
        try:
            with translated("in a test"):
                store.upsert("faces", points(100))
                return str(len(store.retrieve("faces", range(100), with_vectors=True)))
        except (NotFoundError, ConflictError) as error:
            return type(error).__name__

    with ThreadPoolExecutor(4) as pool:
        answers = pool.map(use, range(100))
        store.delete_collection("faces")
        assert set(answers) <= {"100", "LostCollectionError", "ConflictError"}
    assert not store.collection_exists("faces")


def test_writing_into_a_collection_removed_meanwhile(store: EmbeddedQdrant) -> None:
    """A thread that had found the collection before another removed it is told that it is not there."""
    store.create_collection("faces", VECTORS)
    found = store._shards.shard("faces")
    store.delete_collection("faces")
    with pytest.raises(NotFoundError), translated("in a test"):
        found.update(edge.UpdateOperation.delete_points([1]))


CALLS: list[Callable[[EmbeddedQdrant], object]] = [
    lambda store: store.count("faces"),
    lambda store: store.collection_exists("faces"),
    lambda store: store.get_collections(),
    lambda store: store.create_collection("other", VECTORS),
    lambda store: store.delete_collection("faces"),
    lambda store: store.upsert("faces", points(1)),
]


@pytest.mark.parametrize("call", CALLS)
def test_closed_store_says_so(store: EmbeddedQdrant, call: Callable[[EmbeddedQdrant], object]) -> None:
    """After it was closed nothing can be done, and that is not the same as nothing being there."""
    store.create_collection("faces", VECTORS)
    store.close()
    with pytest.raises(RuntimeError, match="closed"):
        call(store)
    store.close()


GOOD = [1.0] * 16


@pytest.mark.parametrize(
    "bad",
    [
        {"id": 2, "vector": [1.0] * 15},
        {"id": 2, "vector": [*GOOD[1:], float("nan")]},
        {"id": 2, "vector": [*GOOD[1:], 1e39]},
        {"id": 2, "vector": {"other": GOOD}},
        {"id": -1, "vector": GOOD},
        {"id": 2**64, "vector": GOOD},
        {"id": "face-2", "vector": GOOD},
    ],
    ids=str,
)
def test_malformed_point_is_refused_with_its_batch(store: EmbeddedQdrant, bad: dict[str, Any]) -> None:
    """A malformed point is the caller's mistake, and nothing of its batch is stored, not even in part."""
    store.create_collection("faces", VECTORS)
    batch = [
        models.PointStruct(id=1, vector=GOOD, payload={}),
        models.PointStruct.model_construct(**bad, payload={}),
    ]
    with pytest.raises(InvalidInputError), translated("in a test"):
        store.upsert("faces", batch)
    assert store.count("faces").count == 0


def test_page_has_room_for_a_point(store: EmbeddedQdrant) -> None:
    """A limit below one is refused: whoever pages with it would never come to an end."""
    store.create_collection("faces", VECTORS)
    with pytest.raises(ValueError, match="limit"):
        store.scroll("faces", limit=0)
    with pytest.raises(ValueError, match="limit"):
        store.query_points("faces", GOOD, limit=0)


def test_collection_keeps_its_points_when_it_is_optimized(store: EmbeddedQdrant) -> None:
    """Merging segments changes neither what is there nor what can be written."""
    store.create_collection("faces", VECTORS)
    store.upsert("faces", points(100))
    store.optimize("faces")
    store.upsert("faces", points(101))
    assert store.count("faces").count == 101


def test_a_count_is_of_what_is_there(store: EmbeddedQdrant) -> None:
    """Counted twice after each update of whatever kind, it is the number of that collection's points."""
    for name in ("faces", "others"):
        store.create_collection(name, VECTORS)
    again, counted = models.UpsertOperation(upsert=models.PointsList(points=points(7))), []
    for update in (
        lambda: store.upsert("faces", points(5)),
        lambda: store.delete("faces", [1, 2]),
        lambda: store.upsert("others", points(9)),
        lambda: store.batch_update_points("faces", [again]),
        lambda: store.delete_collection("faces") and store.create_collection("faces", VECTORS),
    ):
        update()
        counted.append([store.count("faces").count for _ in range(2)])
    assert counted == [[5, 5], [3, 3], [3, 3], [7, 7], [0, 0]]


@pytest.mark.parametrize("name", ["../faces", "", "a/b", ".hidden"])
def test_collection_names_stay_in_the_folder(store: EmbeddedQdrant, name: str) -> None:
    """A name that would lead out of the folder is refused."""
    with pytest.raises(ValueError, match="Invalid collection name"):
        store.create_collection(name, VECTORS)


def test_what_is_not_supported_is_refused_by_name(store: EmbeddedQdrant) -> None:
    """Nothing that was asked for is left out in silence."""
    store.create_collection("faces", VECTORS)
    geo = models.Filter(
        must=[
            models.FieldCondition(
                key="at", geo_radius=models.GeoRadius(center=models.GeoPoint(lon=0, lat=0), radius=1)
            )
        ]
    )
    with pytest.raises(UnsupportedByEmbeddedQdrantError, match="geo_radius"):
        store.count("faces", geo)
    with pytest.raises(UnsupportedByEmbeddedQdrantError, match="RecommendQuery"):
        store.query_points("faces", models.RecommendQuery(recommend=models.RecommendInput(positive=[1])))
    with pytest.raises(UnsupportedByEmbeddedQdrantError, match="order_by"):
        store.scroll("faces", order_by="n")
    with pytest.raises(UnsupportedByEmbeddedQdrantError, match="update_filter"):
        store.upsert("faces", points(1), update_filter=models.Filter())
    with pytest.raises(UnsupportedByEmbeddedQdrantError, match="sparse_vectors_config"):
        store.create_collection("other", VECTORS, sparse_vectors_config={"text": models.SparseVectorParams()})
    with pytest.raises(UnsupportedByEmbeddedQdrantError, match="text"):
        store.create_payload_index("faces", "name", models.PayloadSchemaType.TEXT)
    with pytest.raises(UnsupportedByEmbeddedQdrantError, match="ClearPayloadOperation"):
        clear = models.ClearPayloadOperation(clear_payload=models.PointIdsList(points=[1]))
        store.batch_update_points("faces", [clear])
    with pytest.raises(UnsupportedByEmbeddedQdrantError, match="shard_key_selector"):
        store.retrieve("faces", [1], shard_key_selector="a")


def test_methods_of_the_client_that_are_not_here_are_refused_by_name(store: EmbeddedQdrant) -> None:
    """A method that only QdrantClient has is not supported; what nobody has is no attribute."""
    method: Any = "facet"
    with pytest.raises(UnsupportedByEmbeddedQdrantError, match="the method facet"):
        getattr(store, method)
    assert not hasattr(store, "no_such_method")


def test_points_may_come_as_columns(store: EmbeddedQdrant) -> None:
    """A batch of ids, vectors and payloads is the same as a list of points."""
    store.create_collection("faces", VECTORS)
    rows = unit_vectors(2).tolist()
    store.upsert("faces", models.Batch(ids=[1, 2], vectors=rows, payloads=[{"n": 1}, {"n": 2}]))
    assert [record.payload for record in store.retrieve("faces", [1, 2])] == [{"n": 1}, {"n": 2}]
    assert store.query_points("faces", rows[1], limit=1).points[0].id == 2
