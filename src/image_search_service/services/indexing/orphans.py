"""Deletes points in Qdrant without a face in SQL, which a crash between the two stores can leave."""

from __future__ import annotations

from image_search_service.db.queries import faces
from image_search_service.db.session import Database
from image_search_service.vector.face_qdrant import FaceQdrantClient

PAGE = 1_000


def remove_orphaned_points(database: Database, vectors: FaceQdrantClient) -> int:
    """Delete them, a page at a time; returns how many there were.

    The transaction around a deletion makes sure that this run still has its turn, and keeps it until then:
    else the points may be another run's, whose rows come next. Raises LostTurnError.
    """
    removed = 0
    for page in vectors.scroll_faces(page_size=PAGE):
        with database.read() as session:
            known = faces.existing_points(session, list(page.payloads))
        if orphans := [point_id for point_id in page.payloads if point_id not in known]:
            with database.write():
                vectors.delete_faces(orphans)
        removed += len(orphans)
    return removed
