"""Compares the persons' centroids in SQL with their points, and with the faces that they are of."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias
from uuid import UUID

from image_search_service.core.parallel import chunks
from image_search_service.db.models import utc_now
from image_search_service.db.queries.doctor import expected
from image_search_service.db.queries.doctor.expected import CentroidTruth
from image_search_service.db.queries.suggestions.centroids import ACTIVE, BUILDING
from image_search_service.services.centroid_service import ABANDONED, CentroidService
from image_search_service.services.doctor.context import PAGE, DoctorContext
from image_search_service.services.doctor.findings import (
    DoctorProblem,
    Kind,
    centroid_problems,
    merge_ordered,
    point_key,
)
from image_search_service.vector.centroid_qdrant import CentroidQdrantClient
from image_search_service.vector.stored_points import PointId, StoredPoint

Pair: TypeAlias = tuple[CentroidTruth | None, StoredPoint | None]


class CentroidCheck:
    """One pass through all centroids and all points, and one through all persons."""

    def __init__(
        self, context: DoctorContext, centroids: CentroidQdrantClient, service: CentroidService
    ) -> None:
        self._context = context
        self._report = context.report
        self._centroids = centroids
        self._service = service
        self._broken: dict[UUID, Kind] = {}

    def run(self) -> None:
        """⌈p ÷ 1,000⌉ statements and requests for p persons, and a fixed number of statements for each group
        of persons. Repair deletes the points of nobody at once and computes again what is wrong."""
        for pairs in chunks(self._pairs(), PAGE):
            self._report.checked["centroids"] += sum(row is not None for row, _ in pairs)
            suspects = [_point_id(*pair) for pair in pairs if centroid_problems(*pair)]
            if suspects:
                self._look_again(suspects)
        stale = self._service.persons_with_stale_centroid()
        self._report.add(DoctorProblem(Kind.STALE_CENTROID, f"person {person_id}") for person_id in stale)
        if self._context.repair:
            self._compute(stale)

    def _compute(self, stale: Sequence[UUID]) -> None:
        """A centroid stays stale if one of its person's faces has no embedding and cannot get one."""
        if self._broken:
            self._service.make_again(sorted(self._broken))
        for kind in self._broken.values():
            self._report.repair(kind, 1)
        if not stale:
            return
        self._service.compute_centroids(stale)
        left = set(stale).intersection(self._service.persons_with_stale_centroid())
        self._report.repair(Kind.STALE_CENTROID, len(stale) - len(left))
        for person_id in sorted(left):
            self._report.give_up(Kind.STALE_CENTROID, f"person {person_id}: a face has no embedding")

    def _pairs(self) -> Iterator[Pair]:
        rows = self._context.rows(expected.centroid_page, lambda row: row.id)
        points = self._centroids.scroll_stored(PAGE)
        return merge_ordered(
            ((point_key(centroid_id), row) for centroid_id, row in rows),
            ((point_key(point.id), point) for point in points),
        )

    def _look_again(self, point_ids: Sequence[PointId]) -> None:
        """Read again by id from SQL, Qdrant and SQL. A centroid that changed in between is being computed."""
        uuids = [point_id for point_id in point_ids if isinstance(point_id, UUID)]
        with self._context.database.read() as session:
            before = expected.centroids_by_id(session, uuids)
        points = self._centroids.retrieve_stored(point_ids)
        with self._context.database.read() as session:
            after = expected.centroids_by_id(session, uuids)
        orphans: list[PointId] = []
        for point_id in point_ids:
            row = after.get(point_id) if isinstance(point_id, UUID) else None
            if row != (before.get(row.id) if row else None) or self._is_unfinished(row):
                continue
            problems = centroid_problems(row, points.get(point_id))
            self._report.add(problems)
            if problems and row is not None and row.state == ACTIVE:
                self._broken[row.person_id] = problems[0].kind
            elif problems:
                orphans.append(point_id)
        if self._context.repair:
            self._centroids.delete_centroids(orphans)
            self._report.repair(Kind.POINT_WITHOUT_CENTROID, len(orphans))

    def _is_unfinished(self, row: CentroidTruth | None) -> bool:
        """Whether the centroid is still being built, or about to be deleted after its replacement."""
        if row is None or row.state == ACTIVE:
            return False
        if row.state == BUILDING:
            return row.created_at > utc_now() - ABANDONED
        return not self._context.alone


def _point_id(row: CentroidTruth | None, point: StoredPoint | None) -> PointId:
    if row is not None:
        return row.id
    assert point is not None  # noqa: S101 - one of a pair is there
    return point.id
