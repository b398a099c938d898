"""Tells Qdrant what SQL has decided: the person and the cluster of each face, in batches.

SQL marks a face as due in the same transaction that changes it. Sending is idempotent and ends only when
nothing is due, so that a crash, or a Qdrant that was down, delays it and loses nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from image_search_service.db.queries import faces
from image_search_service.db.session import Database
from image_search_service.vector.face_qdrant import FaceQdrantClient

BATCH = 1_000
"""Faces told of in one request."""


def send_due_payloads(database: Database, open_faces: Callable[[], FaceQdrantClient]) -> int:
    """Send until nothing is due; returns the number of faces. Raises UnavailableError.

    Qdrant is opened only if there is something to send.
    """
    sent = 0
    while True:
        with database.read() as session:
            due = faces.due_payloads(session, BATCH)
        if not due:
            return sent
        vectors = open_faces()
        vectors.update_person_ids({face.point_id: face.person_id for face in due})
        vectors.update_cluster_ids({face.point_id: face.cluster_id for face in due})
        with database.write() as session:
            faces.mark_payloads_sent(session, due)
        sent += len(due)
