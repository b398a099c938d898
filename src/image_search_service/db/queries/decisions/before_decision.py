"""Reads what a decision depends on: persons of faces, pending suggestions, statements about persons."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from image_search_service.core.decisions import NameOrigin
from image_search_service.core.parallel import chunks
from image_search_service.db.models import (
    ClusterRow,
    FaceInstance,
    FaceSuggestion,
    ImageAsset,
    PersonDifference,
    PersonPrototype,
    PersonRow,
)
from image_search_service.db.queries import prepared
from image_search_service.db.queries.batches import BATCH
from image_search_service.db.queries.faces import HUMAN
from image_search_service.db.queries.suggestion_states import IS_ANSWERABLE, REJECTED


@dataclass(frozen=True, slots=True)
class PersonStatements:
    """What humans decided about some persons. Pairs are (face, person) or (person, other person)."""

    faces: list[tuple[uuid.UUID, uuid.UUID]]
    rejected: list[tuple[uuid.UUID, uuid.UUID]]
    pinned: list[tuple[uuid.UUID, uuid.UUID]]
    different: list[tuple[uuid.UUID, uuid.UUID]]
    persons: frozenset[uuid.UUID]
    origins: dict[uuid.UUID, NameOrigin]
    """Of the faces that a human named."""

    @property
    def different_among(self) -> bool:
        """Whether two of them were marked as different persons."""
        return any(a in self.persons and b in self.persons for a, b in self.different)

    def faces_of(self, person_ids: Iterable[uuid.UUID]) -> list[uuid.UUID]:
        return _of(self.faces, person_ids)

    def rejected_for(self, person_ids: Iterable[uuid.UUID]) -> list[uuid.UUID]:
        """Faces rejected for these persons, except faces that belong to one of them."""
        own_faces = {face for face, _ in self.faces}
        return [face for face in _of(self.rejected, person_ids) if face not in own_faces]

    def pinned_for(self, person_ids: Iterable[uuid.UUID]) -> list[uuid.UUID]:
        return _of(self.pinned, person_ids)

    def different_from(self, person_ids: Iterable[uuid.UUID]) -> list[uuid.UUID]:
        """Persons who were marked as different from these."""
        these = set(person_ids)
        return sorted({b if a in these else a for a, b in self.different if a in these or b in these})


def _of(pairs: Iterable[tuple[uuid.UUID, uuid.UUID]], person_ids: Iterable[uuid.UUID]) -> list[uuid.UUID]:
    wanted = set(person_ids)
    return sorted({face for face, person in pairs if person in wanted})


def statements_about(session: Session, person_ids: Sequence[uuid.UUID]) -> PersonStatements:
    """Four statements, for at most ``BATCH`` persons."""
    faces = session.execute(
        select(FaceInstance.id, FaceInstance.person_id, FaceInstance.name_origin).where(
            FaceInstance.person_id.in_(person_ids)
        )
    ).all()
    rejected = session.execute(
        select(FaceSuggestion.face_instance_id, FaceSuggestion.person_id).where(
            FaceSuggestion.person_id.in_(person_ids), FaceSuggestion.state == REJECTED
        )
    )
    pinned = session.execute(
        select(PersonPrototype.face_instance_id, PersonPrototype.person_id).where(
            PersonPrototype.person_id.in_(person_ids), PersonPrototype.pinned
        )
    )
    different = session.execute(
        select(PersonDifference.person_id, PersonDifference.other_id).where(
            PersonDifference.person_id.in_(person_ids) | PersonDifference.other_id.in_(person_ids)
        )
    )
    return PersonStatements(
        [(row[0], row[1]) for row in faces if row[1] is not None],
        [(row[0], row[1]) for row in rejected],
        [(row[0], row[1]) for row in pinned],
        [(row[0], row[1]) for row in different],
        frozenset(person_ids),
        {row[0]: NameOrigin(row[2]) for row in faces if row[2] is not None},
    )


_DIFFERENCES = select(PersonDifference.person_id, PersonDifference.other_id)
_MERGED = select(PersonRow.id, PersonRow.merged_into).where(
    PersonRow.deleted, PersonRow.merged_into.is_not(None)
)  # who was merged is deleted, too, and the deleted ones have an index


def differences(session: Session) -> list[tuple[uuid.UUID, uuid.UUID]]:
    """All pairs of persons who were marked as different."""
    return [(row[0], row[1]) for row in prepared.run(session, _DIFFERENCES)]


def merged(session: Session) -> dict[uuid.UUID, uuid.UUID]:
    """Each merged person, and the person that they were merged into."""
    return {row[0]: row[1] for row in prepared.run(session, _MERGED)}


def human_faces_of(session: Session, person_ids: Sequence[uuid.UUID]) -> list[uuid.UUID]:
    """The faces that a human assigned to these persons."""
    return [
        face_id
        for part in chunks(sorted(set(person_ids)), BATCH)
        for face_id in session.scalars(
            select(FaceInstance.id).where(FaceInstance.person_id.in_(part), FaceInstance.assigned_by == HUMAN)
        )
    ]


def human_faces_of_others(
    session: Session, face_ids: Sequence[uuid.UUID], person_id: uuid.UUID
) -> set[uuid.UUID]:
    """Those of at most ``BATCH`` faces that a human assigned to somebody else."""
    return set(
        session.scalars(
            select(FaceInstance.id).where(
                FaceInstance.id.in_(face_ids),
                FaceInstance.assigned_by == HUMAN,
                FaceInstance.person_id != person_id,
            )
        )
    )


def faces_shown_and_replaced(session: Session, person_id: uuid.UUID) -> tuple[int, list[uuid.UUID]]:
    """How many faces a person has, however assigned, and their faces in photos that were replaced."""
    rows = session.execute(
        select(FaceInstance.id, ImageAsset.replaced)
        .join(ImageAsset, ImageAsset.id == FaceInstance.asset_id)
        .where(FaceInstance.person_id == person_id)
    ).all()
    replaced = [row[0] for row in rows if row[1]]
    return len(rows) - len(replaced), replaced


def clusters_by_id(session: Session, cluster_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, ClusterRow]:
    """Those of the clusters that exist."""
    return {
        cluster.id: cluster
        for part in chunks(sorted(set(cluster_ids)), BATCH)
        for cluster in session.scalars(select(ClusterRow).where(ClusterRow.id.in_(part)))
    }


def owners(session: Session, face_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, uuid.UUID]:
    """The person of each face that has one."""
    statement = select(FaceInstance.id, FaceInstance.person_id).where(FaceInstance.person_id.is_not(None))
    return {
        row[0]: row[1]
        for part in chunks(sorted(set(face_ids)), BATCH)
        for row in session.execute(statement.where(FaceInstance.id.in_(part)))
        if row[1] is not None
    }


def clusters_of(session: Session, face_ids: Sequence[uuid.UUID]) -> list[ClusterRow]:
    """The clusters that these faces are in."""
    clusters = {
        cluster.id: cluster
        for part in chunks(sorted(set(face_ids)), BATCH)
        for cluster in session.scalars(
            select(ClusterRow).join(
                FaceInstance, and_(FaceInstance.cluster_id == ClusterRow.id, FaceInstance.id.in_(part))
            )
        )
    }
    return list(clusters.values())


def suggestions(session: Session, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, FaceSuggestion]:
    return {
        suggestion.id: suggestion
        for part in chunks(sorted(set(ids)), BATCH)
        for suggestion in session.scalars(select(FaceSuggestion).where(FaceSuggestion.id.in_(part)))
    }


def pending_by_face(session: Session, person_id: uuid.UUID) -> dict[uuid.UUID, uuid.UUID]:
    """The pending suggestions for a person, by face."""
    rows = session.execute(
        select(FaceSuggestion.face_instance_id, FaceSuggestion.id).where(
            FaceSuggestion.person_id == person_id, IS_ANSWERABLE
        )
    )
    return {row[0]: row[1] for row in rows}


def person_rows(session: Session, person_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, PersonRow]:
    """Those of the persons who exist, neither merged nor deleted."""
    return {
        person.id: person
        for part in chunks(sorted(set(person_ids)), BATCH)
        for person in session.scalars(select(PersonRow).where(PersonRow.id.in_(part), ~PersonRow.deleted))
    }
