"""The embedded Qdrant: lasting, shared by threads, closed to others, and honest about what it cannot do."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from qdrant_client import models

from image_search_service.core.errors import ConflictError, UnsupportedByEmbeddedQdrantError
from image_search_service.vector.embedded import EmbeddedQdrant
from image_search_service.vector.errors import translate
from tests.support.backends import unit_vectors

VECTORS = models.VectorParams(size=16, distance=models.Distance.COSINE)

WRITE_UNTIL_KILLED = """
import sys
from pathlib import Path
from qdrant_client import models
from image_search_service.vector.embedded import EmbeddedQdrant
store = EmbeddedQdrant(Path(sys.argv[1]))
store.create_collection("faces", models.VectorParams(size=4, distance=models.Distance.COSINE))
number = 0
while True:
    number += 1
    store.upsert("faces", [models.PointStruct(id=number, vector=[1.0, 0.0, 0.0, number], payload={})])
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


def test_unfinished_collection_is_made_anew(tmp_path: Path) -> None:
    """What a crash left of a collection that was being made, or removed, is cleared away."""
    for name in (".unfinished-faces", ".removed-faces", "faces"):
        (tmp_path / name / "shard").mkdir(parents=True)
    with EmbeddedQdrant(tmp_path) as store:
        assert not store.collection_exists("faces")
        assert store.get_collections().collections == []
    assert not (tmp_path / ".unfinished-faces").exists()


def test_second_process_is_refused(tmp_path: Path, store: EmbeddedQdrant) -> None:
    """A shard that one process has open cannot be opened by another."""
    store.create_collection("faces", VECTORS)
    store.upsert("faces", points(1))
    command = [sys.executable, "-c", OPEN, str(tmp_path / "vectors")]
    second = subprocess.run(command, capture_output=True, text=True, check=False)
    assert second.returncode != 0
    assert type(translate(Exception(second.stderr), "to open a shard")) is ConflictError


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


def test_closed_store_says_so(store: EmbeddedQdrant) -> None:
    """After it was closed nothing can be read, and that is not the same as nothing being there."""
    store.create_collection("faces", VECTORS)
    store.close()
    with pytest.raises(RuntimeError, match="closed"):
        store.count("faces")


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


def test_points_may_come_as_columns(store: EmbeddedQdrant) -> None:
    """A batch of ids, vectors and payloads is the same as a list of points."""
    store.create_collection("faces", VECTORS)
    rows = unit_vectors(2).tolist()
    store.upsert("faces", models.Batch(ids=[1, 2], vectors=rows, payloads=[{"n": 1}, {"n": 2}]))
    assert [record.payload for record in store.retrieve("faces", [1, 2])] == [{"n": 1}, {"n": 2}]
    assert store.query_points("faces", rows[1], limit=1).points[0].id == 2
