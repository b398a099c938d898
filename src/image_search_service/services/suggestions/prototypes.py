"""Chooses persons' prototypes (``recognition/prototypes.py``), for many persons at once."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

import numpy as np

from image_search_service.core.types import Progress
from image_search_service.db.queries import events, faces as face_queries
from image_search_service.db.queries.batches import person_groups
from image_search_service.db.queries.faces import PersonFacePoint
from image_search_service.db.queries.suggestions import prototypes as prototype_queries
from image_search_service.library.stores import Stores
from image_search_service.recognition.prototypes import UNDATED, Role, select_prototypes
from image_search_service.vector.batching import FETCH_BATCH
from image_search_service.vector.embedding_batch import EmbeddingBatch


@dataclass(slots=True)
class PrototypeRun:
    """The result of choosing prototypes. prototypes: the number that these persons have now, with pinned
    ones."""

    persons: int = 0
    prototypes: int = 0
    added: int = 0
    removed: int = 0
    faces_missing: int = 0


class PrototypeService:
    """Keeps persons' prototypes. Raises UnavailableError; then all persons of the group keep theirs."""

    def __init__(self, stores: Stores) -> None:
        self._database = stores.database
        self._faces = stores.faces

    def compute_prototypes(
        self, person_ids: Sequence[uuid.UUID] | None = None, progress: Progress | None = None
    ) -> PrototypeRun:
        """Choose prototypes again for these persons, or for all; pinned faces stay while they are the
        person's.

        Each group of persons costs ⌈n ÷ 1,000⌉ fetches for n faces and a fixed number of statements.
        """
        with self._database.read() as session:
            counts = face_queries.face_counts(session, person_ids)
        run = PrototypeRun()
        for group in person_groups(counts):
            self._compute_group(group, run)
            if progress is not None:
                progress(run.persons, len(counts))
        return run

    def _compute_group(self, person_ids: Sequence[uuid.UUID], run: PrototypeRun) -> None:
        with self._database.read() as session:
            person_faces = face_queries.faces_of_persons(session, person_ids)
            old = prototype_queries.prototypes_of(session, person_ids)
        ids = [face.point_id for face in person_faces]
        batch = self._faces.get_embeddings_by_point_ids(ids, FETCH_BATCH)
        pinned = {face.face_id for face in old if face.pinned and face.is_theirs}
        roles = _choose(person_faces, pinned, batch)
        outdated = [
            prototype.id
            for prototype in old
            if not prototype.pinned and (prototype.person_id, prototype.face_id) not in roles
        ]
        was = {(prototype.person_id, prototype.face_id): prototype.role for prototype in old}
        rows = [
            {"person_id": person_id, "face_instance_id": face_id, "role": role}
            for (person_id, face_id), role in roles.items()
            if was.get((person_id, face_id)) != role
        ]
        if rows or outdated:
            with self._database.write() as session:
                events.take_turn(session)  # another job may choose the same persons' at the same time
                prototype_queries.delete_prototypes(session, outdated)
                prototype_queries.save_prototypes(session, rows)
        run.persons += len(person_ids)
        run.prototypes += len(roles) + len(pinned)
        run.added += len(roles.keys() - was.keys())
        run.removed += len(outdated)
        run.faces_missing += len(batch.missing)


def _choose(
    person_faces: Iterable[PersonFacePoint], pinned: set[uuid.UUID], batch: EmbeddingBatch
) -> dict[tuple[uuid.UUID, uuid.UUID], Role]:
    """The role of each chosen (person, face) that is not pinned."""
    row_of = {point_id: row for row, point_id in enumerate(batch.ids)}
    roles: dict[tuple[uuid.UUID, uuid.UUID], Role] = {}
    for person_id, own_faces in groupby(person_faces, attrgetter("person_id")):
        faces = [face for face in own_faces if face.point_id in row_of]
        choices = select_prototypes(
            batch.matrix[[row_of[face.point_id] for face in faces]],
            np.array([face.quality for face in faces], dtype=np.float32),
            np.array([face.taken_at.year if face.taken_at else UNDATED for face in faces], dtype=np.int64),
            np.array([row for row, face in enumerate(faces) if face.id in pinned], dtype=np.int64),
        )
        roles |= {(person_id, faces[choice.row].id): choice.role for choice in choices}
    return roles
