"""Why a suggested person is not the second best one: how much more a face resembles them. Pure functions."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from image_search_service.core.types import FloatArray, IntArray
from image_search_service.faces.candidates import Candidate, SecondBest
from image_search_service.recognition.centroid import ActiveCentroids
from image_search_service.recognition.matching import match_faces


def compare_with_others(
    found: Sequence[Candidate],
    embeddings: Mapping[uuid.UUID, int],
    matrix: FloatArray,
    people: ActiveCentroids,
    rejected: Iterable[tuple[uuid.UUID, uuid.UUID]],
) -> None:
    """Set the ``second`` of each candidate whose embedding is there: the most similar other centroid, but of
    those whom the face was rejected for.

    embeddings: each face's row of ``matrix``, ``(n, d)`` of unit length.
    """
    there = [one for one in found if one.face_id in embeddings]
    if not there or not people.person_ids:
        return
    faces = matrix[[embeddings[one.face_id] for one in there]]
    column = {person: number for number, person in enumerate(people.person_ids)}
    others = match_faces(faces, people.matrix, _barred(there, rejected, column))
    for row, one in enumerate(there):
        own = column.get(one.person_id)
        similarity = None if own is None else float(faces[row] @ people.matrix[own])
        if others.person[row] >= 0:
            second = float(others.similarity[row])
            margin = None if similarity is None else round(similarity - second, 6)
            one.second = SecondBest(people.person_ids[others.person[row]], round(second, 6), margin)


def _barred(
    there: Sequence[Candidate],
    rejected: Iterable[tuple[uuid.UUID, uuid.UUID]],
    column: Mapping[uuid.UUID, int],
) -> IntArray:
    """``(2, b)``: rows of candidates and people: who is suggested, and whom the face was rejected for."""
    said: dict[uuid.UUID, list[uuid.UUID]] = {}
    for face, person in rejected:
        said.setdefault(face, []).append(person)
    pairs = [
        (row, column[person])
        for row, one in enumerate(there)
        for person in {one.person_id, *said.get(one.face_id, ())}
        if person in column
    ]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2).T
