"""Reads clusters for display: with their best faces and the years of their photos."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Final

from image_search_service.core.records.faces import ClusterFilter, ClusterRecord, FaceRecord
from image_search_service.core.records.lists import ListPage
from image_search_service.db.models import ClusterRow
from image_search_service.db.queries.people import clusters as queries, faces as face_queries
from image_search_service.db.queries.people.clusters import ClusterMembers
from image_search_service.db.session import Database, Session
from image_search_service.services.existing import required
from image_search_service.services.people.versions import version_of

FIRST_FACES: Final = 8
"""Faces that a cluster is shown with in a list."""
NO_MEMBERS: Final = ClusterMembers()


class ClusterCatalogue:
    """Lists clusters. Each method costs a fixed number of statements."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(self, where: ClusterFilter, limit: int) -> ListPage[ClusterRecord]:
        """Clusters without a name, the largest first."""
        with self._database.read() as session:
            page = queries.clusters_page(session, where, limit)
            return ListPage(_records(session, page), queries.count_clusters(session, where))

    def require(self, cluster_id: uuid.UUID) -> None:
        """Raises NotFoundError if there is no such cluster."""
        with self._database.read() as session:
            required(queries.cluster_by_id(session, cluster_id), "cluster", cluster_id)

    def cluster(
        self, cluster_id: uuid.UUID, after: tuple[float, uuid.UUID] | None, limit: int
    ) -> tuple[ClusterRecord, ListPage[FaceRecord]]:
        """A cluster and some of its faces, the best first. Raises NotFoundError."""
        with self._database.read() as session:
            row = required(queries.cluster_by_id(session, cluster_id), "cluster", cluster_id)
            faces = face_queries.faces_of_cluster(session, cluster_id, after, limit)
            return _records(session, [row])[0], ListPage(faces, row.size)


def _records(session: Session, page: Sequence[ClusterRow]) -> list[ClusterRecord]:
    members = queries.members_of_clusters(session, [row.id for row in page])
    return [_record(row, members.get(row.id, NO_MEMBERS)) for row in page]


def _record(row: ClusterRow, members: ClusterMembers) -> ClusterRecord:
    return ClusterRecord(
        id=row.id,
        size=row.size,
        confidence=row.confidence,
        representative_face_id=row.representative_face_id,
        version=version_of(members.face_ids),
        first_faces=members.face_ids[:FIRST_FACES],
        first_year=None if members.first is None else members.first.year,
        last_year=None if members.last is None else members.last.year,
    )
