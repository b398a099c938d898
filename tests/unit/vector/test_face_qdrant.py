"""The specification's checklist for ``get_embeddings_by_point_ids``, line by line, on every backend."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pytest

from benchmarks.before import (
    get_embedding_by_point_id,
    get_embeddings_as_specified,
    get_embeddings_one_by_one,
)
from image_search_service.core.errors import UnavailableError
from image_search_service.vector.face_qdrant import (
    FaceQdrantClient,
    configure_face_qdrant_client,
    get_face_qdrant_client,
)
from tests.support.backends import BACKENDS, face_points, open_faces
from tests.support.round_trips import round_trips

FACES = face_points(200)
IDS = [face.point_id for face in FACES]


@pytest.fixture(scope="module", params=BACKENDS)
def faces(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FaceQdrantClient]:
    """200 faces on each backend."""
    with open_faces(request.param, tmp_path_factory.mktemp("vectors")) as client:
        client.upsert_faces(FACES)
        yield client


def as_stored(embedding: list[float]) -> list[float]:
    """Each number as float32. Over REST a server writes the shortest decimals that stand for it, which are
    other numbers when they are read as double."""
    stored: list[float] = np.asarray(embedding, dtype=np.float32).tolist()
    return stored


def test_empty_list_returns_empty_dict(faces: FaceQdrantClient) -> None:
    """An empty list returns an empty dict, without a request."""
    with round_trips() as trips:
        assert faces.get_embeddings_by_point_ids([]) == {}
    assert trips.requests == 0


def test_1_id_returns_same_result_as_get_embedding_by_point_id(faces: FaceQdrantClient) -> None:
    """One id gives what the single method gives, and what the one-by-one reader of before gave."""
    embedding = faces.get_embedding_by_point_id(IDS[0])
    assert faces.get_embeddings_by_point_ids(IDS[:1]) == {IDS[0]: embedding}
    before = get_embedding_by_point_id(faces.client, faces.collection_name, IDS[0])
    assert before is not None
    assert embedding == as_stored(before)
    assert all(isinstance(number, float) for number in embedding)


def test_200_ids_exceed_batch_size_100_and_are_processed_correctly(faces: FaceQdrantClient) -> None:
    """200 ids come in two requests, every one with its own embedding."""
    with round_trips() as trips:
        batch = faces.get_embeddings_by_point_ids(IDS, batch_size=100)
    assert trips.qdrant == {"retrieve": 2}
    assert batch.ids == tuple(IDS)
    np.testing.assert_allclose(batch.matrix, np.stack([face.embedding for face in FACES]), atol=1e-6)


def test_mix_of_valid_and_invalid_ids_returns_only_valid_ones(faces: FaceQdrantClient) -> None:
    """Unknown ids are left out and named as missing; the valid ones are all there."""
    unknown = [uuid4(), uuid4()]
    batch = faces.get_embeddings_by_point_ids([unknown[0], *IDS[:3], unknown[1]])
    assert list(batch) == IDS[:3]
    assert batch.missing == dict.fromkeys(unknown, "not found")
    assert faces.get_embedding_by_point_id(unknown[0]) is None


def test_before_and_after_are_identical(faces: FaceQdrantClient) -> None:
    """The one-by-one reader, the specification's own batches and this reader give the same numbers."""
    ids = [*IDS[50:120], uuid4()]
    batch = faces.get_embeddings_by_point_ids(ids, batch_size=30)
    for before in (get_embeddings_one_by_one, get_embeddings_as_specified):
        found = before(faces.client, faces.collection_name, ids)
        assert batch == {point_id: as_stored(embedding) for point_id, embedding in found.items()}


def test_over_rest_numbers_are_the_float32_that_is_stored(tmp_path: Path) -> None:
    """A server writes the shortest decimals of a float32; one id and many give its value all the same."""
    with open_faces("rest", tmp_path) as faces:
        faces.upsert_faces(FACES[:3])
        (record,) = faces.client.retrieve(faces.collection_name, [str(IDS[0])], with_vectors=True)
        stored = np.asarray(record.vector, dtype=np.float32)
        written: Any = record.vector
        assert [str(number) for number in written] == [str(number) for number in stored]
        assert written != stored.tolist()
        assert faces.get_embedding_by_point_id(IDS[0]) == stored.tolist()
        assert faces.get_embeddings_by_point_ids(IDS[:3])[IDS[0]] == stored.tolist()


def test_only_one_warning_for_all_that_is_missing(
    faces: FaceQdrantClient, capsys: pytest.CaptureFixture[str]
) -> None:
    """However many points are missing, the log says it once."""
    faces.get_embeddings_by_point_ids([uuid4() for _ in range(250)])
    said = capsys.readouterr()
    assert (said.out + said.err).count("Embeddings are missing") == 1


def test_the_configured_client_is_returned(tmp_path: Path) -> None:
    """``get_face_qdrant_client`` gives what was configured, and says so when nothing was."""
    with open_faces("memory", tmp_path) as client:
        configure_face_qdrant_client(client)
        assert get_face_qdrant_client() is client
        configure_face_qdrant_client(None)
    with pytest.raises(UnavailableError, match="No library is open"):
        get_face_qdrant_client()
