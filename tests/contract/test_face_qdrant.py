"""What holds for faces on every backend: in memory, embedded, over gRPC, over REST, on a real server."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
import pytest

from image_search_service.core.errors import (
    ConflictError,
    DataIntegrityError,
    InvalidInputError,
    NotFoundError,
)
from image_search_service.vector.collections import FaceFilter, FacePayload
from image_search_service.vector.face_qdrant import FaceQdrantClient
from image_search_service.vector.queries import point
from tests.support.backends import BACKENDS, face_points, open_faces, unit_vectors
from tests.support.round_trips import round_trips

FACES = face_points(130, quality_score=0.5, detection_confidence=0.9)
IDS = [face.point_id for face in FACES]
ANNA, BEN = UUID(int=9001), UUID(int=9002)


@pytest.fixture(params=BACKENDS)
def faces(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FaceQdrantClient]:
    """130 faces without a person on each backend."""
    with open_faces(request.param, tmp_path) as client:
        client.upsert_faces(FACES)
        yield client


def payloads(faces: FaceQdrantClient, where: FaceFilter = FaceFilter()) -> dict[UUID, FacePayload]:  # noqa: B008
    return {
        point_id: payload for page in faces.scroll_faces(where) for point_id, payload in page.payloads.items()
    }


def test_a_collection_is_made_once(faces: FaceQdrantClient) -> None:
    """Making sure of a collection again changes nothing."""
    faces.ensure_collection()
    assert faces.count() == 130


def test_another_dimension_is_refused(faces: FaceQdrantClient) -> None:
    """A collection of another engine's embeddings is an explained conflict."""
    other = FaceQdrantClient(faces.client, faces.collection_name, 8)
    with pytest.raises(ConflictError, match="8 numbers") as raised:
        other.ensure_collection()
    assert raised.value.hint


def test_reset_needs_the_name(faces: FaceQdrantClient) -> None:
    """A collection that is not empty is emptied only by whoever names it."""
    with pytest.raises(ConflictError, match="130 points"):
        faces.reset_collection()
    with pytest.raises(ConflictError):
        faces.reset_collection("faces")
    faces.reset_collection(faces.collection_name)
    assert faces.count() == 0
    faces.reset_collection()


def test_no_collection_is_not_found(faces: FaceQdrantClient) -> None:
    """Every method says so when the collection is not there."""
    nowhere = FaceQdrantClient(faces.client, f"nowhere_{uuid4().hex}", 16)
    for use in (nowhere.count, lambda: nowhere.upsert_faces(FACES[:1]), lambda: payloads(nowhere)):
        with pytest.raises(NotFoundError):
            use()
    with pytest.raises(NotFoundError):
        nowhere.search_similar_faces(FACES[0].embedding)
    with pytest.raises(NotFoundError):
        nowhere.get_embedding_by_point_id(IDS[0])


def test_stored_again_nothing_changes(faces: FaceQdrantClient) -> None:
    """A retry of storing leaves each face once, in one request for each batch."""
    with round_trips() as trips:
        faces.upsert_faces(FACES, batch_size=50)
    assert trips.qdrant == {"upsert": 3}
    assert payloads(faces) == {face.point_id: face.payload for face in FACES}


@pytest.mark.parametrize("bad", [np.zeros(8, np.float32), np.full(16, np.nan, np.float32)])
def test_what_is_no_embedding_is_not_stored(faces: FaceQdrantClient, bad: np.ndarray) -> None:
    """A vector of another engine, or one with NaN, is refused before it is sent."""
    with pytest.raises(InvalidInputError):
        faces.upsert_faces([replace(FACES[0], embedding=bad)])


def test_search_gives_the_most_similar_first(faces: FaceQdrantClient) -> None:
    """A search agrees with the matrix product, to the order and the score."""
    matrix = np.stack([face.embedding for face in FACES])
    query = unit_vectors(1, seed=5)[0]
    similarities = matrix @ query
    expected = [IDS[row] for row in np.argsort(-similarities)[:7]]
    found = faces.search_similar_faces(query, limit=7)
    assert [match.point_id for match in found] == expected
    np.testing.assert_allclose([match.score for match in found], np.sort(similarities)[::-1][:7], atol=1e-5)
    assert found[0].payload.face_instance_id == found[0].point_id


def test_search_many_is_one_request_for_a_hundred(faces: FaceQdrantClient) -> None:
    """Many searches give what each alone gives, in ⌈n ÷ 100⌉ requests; each may have its own filter."""
    queries = np.stack([face.embedding for face in FACES])
    wheres = [FaceFilter(except_ids=[point_id]) for point_id in IDS]
    with round_trips() as trips:
        found = faces.search_many(queries, limit=3, where=wheres)
    assert trips.qdrant == {"search": 2}
    assert all(
        point_id not in [match.point_id for match in matches]
        for point_id, matches in zip(IDS, found, strict=True)
    )
    assert found[4] == faces.search_similar_faces(queries[4], limit=3, where=wheres[4])
    assert faces.search_many([]) == []


def test_search_keeps_to_threshold_and_filter(faces: FaceQdrantClient) -> None:
    """What is below the threshold or outside the filter is not found."""
    query = FACES[0].embedding
    assert [match.point_id for match in faces.search_similar_faces(query, 10, score_threshold=0.999)] == IDS[
        :1
    ]
    among = faces.search_similar_faces(query, 10, where=FaceFilter(among=IDS[3:6]))
    assert {match.point_id for match in among} == set(IDS[3:6])


@pytest.mark.parametrize("query", [[1.0] * 8, [float("nan")] * 16])
def test_a_query_that_is_no_embedding_is_refused(faces: FaceQdrantClient, query: list[float]) -> None:
    """A search for another engine's embedding is an explained error."""
    with pytest.raises(InvalidInputError, match="16 finite numbers"):
        faces.search_similar_faces(query)


def test_equal_scores_come_by_id(faces: FaceQdrantClient) -> None:
    """Faces that are alike are ordered by their ids, so that the same search gives the same result."""
    twins = [replace(FACES[0], point_id=UUID(int=number)) for number in (7002, 7000, 7001)]
    faces.upsert_faces(twins)
    found = faces.search_similar_faces(FACES[0].embedding, limit=4)
    assert [match.point_id for match in found] == [IDS[0], *sorted(twin.point_id for twin in twins)]


def test_person_ids_are_set_and_taken_away(faces: FaceQdrantClient) -> None:
    """One request tells many points their persons; a point that is not there is passed over."""
    with round_trips() as trips:
        faces.update_person_ids({IDS[0]: ANNA, IDS[1]: BEN, IDS[2]: ANNA, uuid4(): ANNA})
    assert trips.qdrant == {"update_payload": 1}
    assert set(payloads(faces, FaceFilter(person_id=ANNA))) == {IDS[0], IDS[2]}
    faces.update_person_ids({IDS[0]: None, IDS[2]: BEN, uuid4(): None})
    assert payloads(faces, FaceFilter(person_id=ANNA)) == {}
    assert set(payloads(faces, FaceFilter(person_id=BEN))) == {IDS[1], IDS[2]}
    assert payloads(faces)[IDS[0]] == FACES[0].payload


def test_cluster_ids_are_set_and_taken_away(faces: FaceQdrantClient) -> None:
    """Clusters are told like persons, in ⌈n ÷ batch⌉ requests; noise has none."""
    clusters = {point_id: UUID(int=500 + row % 40) for row, point_id in enumerate(IDS)}
    with round_trips() as trips:
        faces.update_cluster_ids(clusters)
    assert trips.qdrant == {"update_payload": 1}
    assert {point_id: payload.cluster_id for point_id, payload in payloads(faces).items()} == clusters
    faces.update_cluster_ids(dict.fromkeys(IDS))
    assert payloads(faces) == {face.point_id: face.payload for face in FACES}
    with round_trips() as trips:
        faces.update_cluster_ids({})
    assert trips.qdrant == {}


def test_hidden_faces_are_found_only_if_asked_for(faces: FaceQdrantClient) -> None:
    """Points are hidden in one request; a search for shown faces leaves them out, and any other has them."""
    query = FACES[0].embedding
    with round_trips() as trips:
        faces.update_hidden({IDS[0]: True, IDS[1]: True, IDS[2]: False, uuid4(): True})
    assert trips.qdrant == {"update_payload": 1}
    assert [match.point_id for match in faces.search_similar_faces(query, 1)] == IDS[:1]
    shown = faces.search_similar_faces(query, len(IDS), where=FaceFilter(shown=True))
    assert {match.point_id for match in shown} == set(IDS[2:])
    faces.update_hidden(dict.fromkeys(IDS[:2], False))
    assert payloads(faces) == {face.point_id: face.payload for face in FACES}


def test_unlabeled_faces_come_with_embeddings(faces: FaceQdrantClient) -> None:
    """Faces without a person are given with their embeddings, as many as wanted, good ones if wanted."""
    faces.update_person_ids(dict.fromkeys(IDS[:30], ANNA))
    batch = faces.get_unlabeled_faces_with_embeddings()
    assert batch.ids == tuple(IDS[30:])
    np.testing.assert_allclose(batch.matrix, np.stack([face.embedding for face in FACES[30:]]), atol=1e-6)
    assert faces.get_unlabeled_faces_with_embeddings(limit=5).ids == tuple(IDS[30:35])
    assert len(faces.get_unlabeled_faces_with_embeddings(min_quality=0.4)) == 100
    assert len(faces.get_unlabeled_faces_with_embeddings(min_quality=0.6)) == 0


def test_scrolling_gives_every_face_once(faces: FaceQdrantClient) -> None:
    """Pages hold each face once, in the order of ids, with embeddings if wanted, a request a page."""
    with round_trips() as trips:
        pages = list(faces.scroll_faces(page_size=50, with_embeddings=True))
    assert trips.qdrant == {"scroll": 3}
    assert [point_id for page in pages for point_id in page.payloads] == IDS
    assert [len(page.embeddings) for page in pages] == [50, 50, 30]
    assert [len(page.embeddings) for page in faces.scroll_faces()] == [0]
    assert list(faces.scroll_faces(FaceFilter(person_id=ANNA))) == []
    assert sum(len(page.payloads) for page in faces.scroll_faces(page_size=50, limit=60)) == 60


@pytest.mark.parametrize("size", [0, -3])
def test_sizes_below_one_are_errors(faces: FaceQdrantClient, size: int) -> None:
    """A page, a batch or a limit of nothing is refused."""
    with pytest.raises(InvalidInputError):
        list(faces.scroll_faces(page_size=size))
    with pytest.raises(InvalidInputError):
        faces.upsert_faces(FACES, batch_size=size)
    with pytest.raises(InvalidInputError):
        faces.search_similar_faces(FACES[0].embedding, limit=size)


def test_deleted_faces_are_gone(faces: FaceQdrantClient) -> None:
    """Deleting takes one request, and a face that is not there is as good as deleted."""
    with round_trips() as trips:
        faces.delete_faces([*IDS[:100], uuid4()])
    assert trips.qdrant == {"delete": 1}
    assert list(payloads(faces)) == IDS[100:]
    assert faces.get_embeddings_by_point_ids(IDS[:2]) == {}
    faces.delete_faces([])


def test_a_foreign_point_is_no_face(faces: FaceQdrantClient) -> None:
    """A point whose payload is not a face's is an error that names it, not a face without an id."""
    faces.client.upsert(faces.collection_name, [point(UUID(int=1), FACES[0].embedding, {"face_id": "x"})])
    with pytest.raises(DataIntegrityError, match=str(UUID(int=1))):
        payloads(faces)
