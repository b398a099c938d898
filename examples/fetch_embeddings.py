"""Fetch 10,000 embeddings by id from a Qdrant collection of your own: one array, few requests.

    python examples/fetch_embeddings.py                     # a made-up collection, in memory
    python examples/fetch_embeddings.py URL COLLECTION      # all of your own collection

Nothing of a photo library is needed for this, only Qdrant.
"""

from __future__ import annotations

import sys
import time
from uuid import UUID, uuid4

import numpy as np
from qdrant_client import QdrantClient, models

from image_search_service import BatchReader, EmbeddingBatch

NUMBER, DIMENSION = 10_000, 512


def made_up_collection() -> tuple[QdrantClient, str]:
    """Random embeddings in memory."""
    client = QdrantClient(":memory:")
    cosine = models.VectorParams(size=DIMENSION, distance=models.Distance.COSINE)
    client.create_collection("made_up", vectors_config=cosine)
    vectors = np.random.default_rng(0).standard_normal((NUMBER, DIMENSION), dtype=np.float32)
    client.upload_collection("made_up", vectors=vectors, ids=[str(uuid4()) for _ in range(NUMBER)])
    return client, "made_up"


def all_ids(client: QdrantClient, collection: str) -> list[UUID]:
    """Here of every point; in your program they come from your database."""
    ids: list[UUID] = []
    offset = None
    while True:
        points, offset = client.scroll(collection, limit=1_000, offset=offset, with_payload=False)
        if points and isinstance(points[0].id, int):
            raise SystemExit("The ids of this collection are numbers; BatchReader reads points by UUID.")
        ids += [UUID(str(point.id)) for point in points]
        if offset is None:
            return ids


def dimension(client: QdrantClient, collection: str) -> int:
    """The length of the collection's vectors; a collection may also have several, with names."""
    vectors = client.get_collection(collection).config.params.vectors
    if not isinstance(vectors, models.VectorParams):
        raise SystemExit("The collection has named vectors; give BatchReader vector_name=… for one of them.")
    return vectors.size


def fetch(client: QdrantClient, collection: str) -> EmbeddingBatch:
    """Every embedding, 1,000 a request, several requests at once."""
    reader = BatchReader(client, collection, dimension(client, collection))
    ids = all_ids(client, collection)
    started = time.perf_counter()
    embeddings = reader.read(ids, batch_size=1_000)
    print(f"{len(embeddings):,} of {len(ids):,} embeddings in {time.perf_counter() - started:.2f} s")
    return embeddings


def main() -> None:
    client, collection = (
        (QdrantClient(sys.argv[1], prefer_grpc=True), sys.argv[2]) if sys.argv[1:] else made_up_collection()
    )
    embeddings = fetch(client, collection)
    print(f"embeddings.matrix: {embeddings.matrix.shape} {embeddings.matrix.dtype}, in the order of the ids")
    for point_id, reason in embeddings.missing.items():
        print(f"{point_id} {reason}")
    if embeddings:
        first = embeddings.ids[0]
        print(f"embeddings[{first}]: {len(embeddings[first])} numbers, as a dict has them")


if __name__ == "__main__":
    main()
