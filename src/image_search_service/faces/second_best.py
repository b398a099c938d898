"""Compares candidates with the second most similar person. Pure functions."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from image_search_service.core.types import FloatArray, IntArray
from image_search_service.faces.candidates import Candidate, SecondBest
from image_search_service.recognition.centroid import CentroidMatrix
from image_search_service.recognition.matching import match_faces


def compare_with_others(
    suggested: Sequence[Candidate],
    embeddings: Mapping[uuid.UUID, int],
    matrix: FloatArray,
    people: CentroidMatrix,
    rejected: Iterable[tuple[uuid.UUID, uuid.UUID]],
) -> None:
    """Set ``second`` of each candidate that has an embedding: the most similar other centroid, without those
    of persons that the face was rejected for.

    embeddings: each face's row of ``matrix``, ``(n, d)`` of unit length.
    """
    comparable = [candidate for candidate in suggested if candidate.face_id in embeddings]
    if not comparable or not people.person_ids:
        return
    faces = matrix[[embeddings[candidate.face_id] for candidate in comparable]]
    column = {person: number for number, person in enumerate(people.person_ids)}
    others = match_faces(faces, people.matrix, _barred(comparable, rejected, column))
    for row, candidate in enumerate(comparable):
        own = column.get(candidate.person_id)
        similarity = None if own is None else float(faces[row] @ people.matrix[own])
        if others.person[row] >= 0:
            second = float(others.similarity[row])
            margin = None if similarity is None else round(similarity - second, 6)
            candidate.second = SecondBest(people.person_ids[others.person[row]], round(second, 6), margin)


def _barred(
    comparable: Sequence[Candidate],
    rejected: Iterable[tuple[uuid.UUID, uuid.UUID]],
    column: Mapping[uuid.UUID, int],
) -> IntArray:
    """``(2, b)``: rows of candidates and of persons to leave out: the suggested one and rejected ones."""
    rejected_persons: dict[uuid.UUID, list[uuid.UUID]] = {}
    for face, person in rejected:
        rejected_persons.setdefault(face, []).append(person)
    pairs = [
        (row, column[person])
        for row, candidate in enumerate(comparable)
        for person in {candidate.person_id, *rejected_persons.get(candidate.face_id, ())}
        if person in column
    ]
    return np.array(pairs, dtype=np.int64).reshape(-1, 2).T
