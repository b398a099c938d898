"""Compares the faces in SQL with their points in Qdrant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeAlias
from uuid import UUID

from image_search_service.core.parallel import chunks
from image_search_service.core.types import Progress
from image_search_service.db.queries import events, faces as face_queries
from image_search_service.db.queries.doctor import expected
from image_search_service.db.queries.doctor.expected import FaceTruth
from image_search_service.services.doctor.context import PAGE, DoctorContext
from image_search_service.services.doctor.findings import (
    DoctorProblem,
    Kind,
    face_payload,
    face_problems,
    merge_ordered,
    point_key,
)
from image_search_service.vector.face_qdrant import FaceQdrantClient
from image_search_service.vector.stored_points import PointId, StoredPoint

Pair: TypeAlias = tuple[FaceTruth | None, StoredPoint | None]


class FaceCheck:
    """One pass through all faces and all points."""

    def __init__(self, context: DoctorContext, faces: FaceQdrantClient, progress: Progress | None) -> None:
        self._context = context
        self._report = context.report
        self._faces = faces
        self._progress = progress

    def run(self) -> None:
        """⌈n ÷ 1,000⌉ statements and requests for n faces, and for each page with a
        difference one request and at most three statements more.

        Points without a face and payloads are mended at once; faces without an embedding are counted.
        """
        with self._context.database.read() as session:
            total = face_queries.count_faces(session)
        for pairs in chunks(self._pairs(), PAGE):
            self._report.checked["faces"] += sum(face is not None for face, _ in pairs)
            self._report.checked["points"] += sum(point is not None for _, point in pairs)
            self._report.waiting["payloads"] += sum(face.is_due for face, _ in pairs if face is not None)
            suspects = [_point_id(*pair) for pair in pairs if _is_suspect(*pair)]
            if suspects:
                self._look_again(suspects)
            if self._progress is not None:
                self._progress(min(self._report.checked["faces"], total), total)

    def _pairs(self) -> Iterator[Pair]:
        rows = self._context.rows(expected.face_page, lambda face: face.point_id)
        points = self._faces.scroll_stored(PAGE)
        return merge_ordered(
            ((point_key(point_id), face) for point_id, face in rows),
            ((point_key(point.id), point) for point in points),
        )

    def _look_again(self, point_ids: Sequence[PointId]) -> None:
        orphans: list[PointId] = []
        wrong: list[FaceTruth] = []
        for point_id, face, problems in self._confirmed(point_ids):
            self._report.add(problems)
            kinds = {problem.kind for problem in problems}
            if Kind.POINT_WITHOUT_FACE in kinds:
                orphans.append(point_id)
            if Kind.WRONG_PAYLOAD in kinds and face is not None:
                wrong.append(face)
        if self._context.repair:
            self._delete(orphans)
            self._rewrite(wrong)

    def _confirmed(
        self, point_ids: Sequence[PointId]
    ) -> Iterator[tuple[PointId, FaceTruth | None, list[DoctorProblem]]]:
        """Read again by id from SQL, Qdrant and SQL. A face that changed in between is being written."""
        uuids = [point_id for point_id in point_ids if isinstance(point_id, UUID)]
        with self._context.database.read() as session:
            before = expected.faces_at_points(session, uuids)
        points = self._faces.retrieve_stored(point_ids)
        with self._context.database.read() as session:
            in_transit = self._context.is_in_transit(session)
            after = expected.faces_at_points(session, uuids)
        for point_id in point_ids:
            ours = point_id if isinstance(point_id, UUID) else None
            face = after.get(ours) if ours else None
            problems = _lasting_problems(before.get(ours) if ours else None, face, points.get(point_id))
            if problems and face is None and ours and in_transit:
                self._report.waiting["points"] += 1
            else:
                yield point_id, face, problems

    def _delete(self, orphans: Sequence[PointId]) -> None:
        self._faces.delete_faces(orphans)
        self._report.repair(Kind.POINT_WITHOUT_FACE, len(orphans))

    def _rewrite(self, wrong: Sequence[FaceTruth]) -> None:
        """Qdrant first; what was decided since these rows were read is sent once more after it."""
        self._faces.overwrite_payloads({face.point_id: face_payload(face) for face in wrong})
        if wrong:
            with self._context.database.write() as session:
                events.take_turn(session)
                expected.mark_payloads_due(session, [face.id for face in wrong])
        self._report.repair(Kind.WRONG_PAYLOAD, len(wrong))


def _is_suspect(face: FaceTruth | None, point: StoredPoint | None) -> bool:
    return bool(face_problems(face, point, is_due=face is not None and face.is_due))


def _lasting_problems(
    before: FaceTruth | None, after: FaceTruth | None, point: StoredPoint | None
) -> list[DoctorProblem]:
    """What is wrong with a point seen between two looks at its face's row."""
    if before is None and after is not None:
        return []
    is_due = before != after or (after is not None and after.is_due)
    return face_problems(after, point, is_due=is_due)


def _point_id(face: FaceTruth | None, point: StoredPoint | None) -> PointId:
    if face is not None:
        return face.point_id
    assert point is not None  # noqa: S101 - one of a pair is there
    return point.id
