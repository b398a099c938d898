"""Everything that a library holds in both stores and on the disk, to be compared."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from image_search_service.db.models import STAYS_HERE, Base
from image_search_service.library.opening import Library
from image_search_service.vector.centroid_qdrant import MARK_ID
from image_search_service.vector.qdrant_collection import QdrantCollection


def contents(library: Library) -> dict[str, Any]:
    """Rows of every table, points with payloads and embeddings, pictures by name."""
    with library.database.read() as session:
        rows = {
            table.name: [tuple(row) for row in session.execute(select(table).order_by(*table.primary_key))]
            for table in Base.metadata.sorted_tables
            if not table.info.get(STAYS_HERE)
        }
    return rows | {
        "faces": points(library.faces),
        "centroids": points(library.centroids),
        "pictures": {
            str(path.relative_to(library.paths.root)): path.read_bytes()
            for root in (library.paths.crops, library.paths.thumbnails)
            for path in root.rglob("*.jpg")
        },
    }


def points(collection: QdrantCollection) -> dict[str, tuple[Any, Any]]:
    """Each point's payload and embedding, by id; not the mark of whoever opened the library last."""
    records, _ = collection.client.scroll(
        collection.collection_name, limit=10_000, with_payload=True, with_vectors=True
    )
    found = {str(record.id): (record.payload, record.vector) for record in records}
    found.pop(str(MARK_ID), None)
    return found
