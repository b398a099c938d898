"""Compares every face that a human placed with the person's other faces that humans placed.

A name that a mistake put on somebody else's face looks like a human's word, so only the embeddings show it. A
finding is a hint: people grow up, turn away and wear masks. Nothing is repaired.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from itertools import groupby

import numpy as np

from image_search_service.core.paging import keyset_pages
from image_search_service.core.printable import printable
from image_search_service.core.types import FloatArray
from image_search_service.db.queries.doctor import placed_faces
from image_search_service.db.queries.doctor.placed_faces import PlacedPoint, Placing
from image_search_service.services.doctor.context import PAGE, DoctorContext
from image_search_service.services.doctor.findings import EXAMPLES, Kind
from image_search_service.vector.batching import FETCH_BATCH
from image_search_service.vector.face_qdrant import FaceQdrantClient
from image_search_service.vector.stored_points import is_unit


class NameCheck:
    """One pass through the faces that humans placed: a statement and a fetch for each 1,000."""

    def __init__(self, context: DoctorContext, faces: FaceQdrantClient, least: float) -> None:
        """least: the cosine similarity to the mean of the person's other faces that a face should reach."""
        self._context = context
        self._faces = faces
        self._least = least

    def run(self) -> None:
        unlike: list[tuple[float, uuid.UUID]] = []
        for _, rows in groupby(self._embedded(), key=lambda row: row[0].person_id):
            points, embeddings = zip(*rows, strict=True)
            self._context.report.checked["names"] += len(points)
            similarity = similarity_to_others(np.stack(embeddings))
            unlike += [
                (float(similarity[row]), points[row].id)
                for row in np.flatnonzero(similarity < self._least).tolist()
            ]
        unlike.sort()
        with self._context.database.read() as session:
            shown = placed_faces.placings(session, [face for _, face in unlike[:EXAMPLES]])
        examples = [_in_words(face, value, shown[face]) for value, face in unlike[:EXAMPLES] if face in shown]
        self._context.report.add_counted(Kind.UNLIKE_THE_OTHERS, len(unlike), examples)

    def _embedded(self) -> Iterator[tuple[PlacedPoint, FloatArray]]:
        """Faces by person, each with its embedding; those without a usable one are another check's."""

        def read_next(after: tuple[uuid.UUID, uuid.UUID] | None) -> list[PlacedPoint]:
            with self._context.database.read() as session:
                return placed_faces.placed_page(session, after, PAGE)

        for page in keyset_pages(read_next, lambda face: (face.person_id, face.id), PAGE):
            batch = self._faces.get_embeddings_by_point_ids([face.point_id for face in page], FETCH_BATCH)
            usable = is_unit(batch.matrix)
            row_of = {point_id: row for row, point_id in enumerate(batch.ids) if usable[row]}
            for face in page:
                if face.point_id in row_of:
                    yield face, batch.matrix[row_of[face.point_id]]


def similarity_to_others(embeddings: FloatArray) -> FloatArray:
    """For each of a person's faces ``(n, d)`` the cosine to the mean of the others, ``(n,)``; 1 for a single
    one."""
    if len(embeddings) < 2:
        return np.ones(len(embeddings), dtype=np.float32)
    others = embeddings.sum(axis=0) - embeddings
    lengths = np.maximum(np.linalg.norm(others, axis=1), 1e-9)
    similarity: FloatArray = (np.einsum("nd,nd->n", embeddings, others) / lengths).astype(np.float32)
    return similarity


def _in_words(face: uuid.UUID, similarity: float, placing: Placing) -> str:
    where = "no file" if placing.path is None else printable(str(placing.path))
    undo = "" if placing.decision_id is None else f": image-search undo {placing.decision_id}"
    kind = (
        ""
        if placing.kind is None
        else f", placed by the decision {placing.decision_id} ({placing.kind}){undo}"
    )
    return f"face {face} of {placing.name} in {where}: similarity {similarity:.2f}{kind}"
