"""Explains why a face has no person, by the assigner's own comparison for one photo."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from image_search_service.core.decisions import NameOrigin
from image_search_service.core.errors import NotFoundError
from image_search_service.core.types import Because, FloatArray
from image_search_service.db.queries import persons as person_queries
from image_search_service.db.queries.suggestions import explanation as queries
from image_search_service.db.queries.suggestions.assignment import UnassignedFaces, unassigned_beside
from image_search_service.db.queries.suggestions.explanation import FaceFacts
from image_search_service.faces.assigner import FaceConstraints, compare
from image_search_service.library.stores import Stores
from image_search_service.recognition.centroid import CentroidMatrix
from image_search_service.recognition.engines.calibrated import quality_tables
from image_search_service.recognition.engines.calibration import QualityTables
from image_search_service.recognition.explanation import (
    FaceVisibility,
    PersonSimilarity,
    Reason,
    Verdict,
    poor,
    reasons,
    unrecognizable,
)
from image_search_service.recognition.matching import most_similar
from image_search_service.vector.batching import FETCH_BATCH

MOST_NAMED = 25
"""The most ruled-out persons named that are more similar than the best possible one."""
POOR_MATTERS = (Because.BELOW_THRESHOLD, Because.TOO_CLOSE)
"""The reasons for which a poor picture is named as a cause."""
LOST = Reason(Because.NO_EMBEDDING, "Its embedding is missing: image-search doctor --repair makes it again.")


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a face has no person. person_name: its person, if any. reasons: empty for a face with a person.
    name_origin: where a human's name comes from."""

    face_id: uuid.UUID
    person_id: uuid.UUID | None
    person_name: str | None
    reasons: list[Reason]
    name_origin: NameOrigin | None = None


class ExplanationService:
    """Explains single faces. Raises UnavailableError, and DataIntegrityError where a centroid is lost."""

    def __init__(self, stores: Stores) -> None:
        self._database = stores.database
        self._faces = stores.faces
        self._centroids = stores.centroids_in_memory
        calibration = stores.binding.calibration()
        self._thresholds = calibration.thresholds
        self._tables = quality_tables(calibration)

    def explain(self, face_id: uuid.UUID) -> Explanation:
        """Explain a face. Raises NotFoundError for an unknown one."""
        with self._database.read() as session:
            facts = queries.face_facts(session, face_id)
            if facts is None:
                raise NotFoundError(f"There is no face {face_id}.")
            beside = unassigned_beside(session, facts.face.id, facts.face.asset_id)
            person_id = facts.face.person_id
            names = {} if person_id is None else person_queries.names(session, [person_id])
        if person_id is not None:
            origin = facts.face.name_origin
            return Explanation(
                face_id, person_id, names[person_id], [], None if origin is None else NameOrigin(origin)
            )
        return Explanation(
            face_id, None, None, _left_out(facts, self._tables) or self._compared(facts, beside)
        )

    def _compared(self, facts: FaceFacts, beside: UnassignedFaces) -> list[Reason]:
        """The assigner's decision on the face, with its reasons."""
        ids = [face.point_id for face in beside.faces]
        batch = self._faces.get_embeddings_by_point_ids(ids, FETCH_BATCH)
        comparable = [face for face in beside.faces if face.point_id in batch]
        row = next((row for row, face in enumerate(comparable) if face.id == facts.face.id), None)
        if row is None:
            return [LOST]
        people = self._centroids.now()
        constraints = FaceConstraints({face.id for face in comparable}, beside.barred, beside.sides)
        min_similarity = self._thresholds.suggest
        matches, decision = compare(
            comparable, batch.matrix, people, constraints, self._thresholds, min_similarity=min_similarity
        )
        beaten = any(
            decision.assign[other] and matches.person[other] == matches.person[row]
            for other, face in enumerate(comparable)
            if face.asset_id == facts.face.asset_id
        )
        verdict = Verdict(bool(decision.sure[row]), bool(decision.assign[row]), beaten)
        return self._in_words(facts, self._resembled(batch.matrix[row], people, facts), verdict)

    def _in_words(
        self, facts: FaceFacts, resembled: list[PersonSimilarity], verdict: Verdict
    ) -> list[Reason]:
        explained = reasons(
            resembled,
            facts.rejected,
            facts.in_photo,
            verdict,
            self._thresholds,
            different=facts.different,
        )
        return explained + (poor(_seen(facts, self._tables)) if explained[-1].because in POOR_MATTERS else [])

    def _resembled(
        self, embedding: FloatArray, people: CentroidMatrix, facts: FaceFacts
    ) -> list[PersonSimilarity]:
        """The most similar persons: the best two possible ones, and ruled-out ones that are more similar."""
        ranked = most_similar(embedding, people, facts.barred, free=2, barred_most=MOST_NAMED)
        with self._database.read() as session:
            names = person_queries.names(session, [person for person, _ in ranked])
        return [PersonSimilarity(person, names[person], similarity) for person, similarity in ranked]


def _left_out(facts: FaceFacts, tables: QualityTables) -> list[Reason]:
    """Why a face is not compared with anybody."""
    if not facts.face.is_face:
        return [Reason(Because.NOT_A_FACE, "Somebody has said that it is no face.")]
    if facts.face.set_aside:
        return [Reason(Because.SET_ASIDE, "It was set aside, so that nothing is suggested for it.")]
    if facts.photo.replaced:
        return [Reason(Because.REPLACED, "Its photo has been edited; the faces of what it is now count.")]
    if facts.face.group_id is not None:
        text = "Somebody put it into a group: no job gives it to anybody, until the group has a name."
        return [Reason(Because.IN_GROUP, text)]
    return [] if facts.face.recognizable else unrecognizable(_seen(facts, tables))


def _seen(facts: FaceFacts, tables: QualityTables) -> FaceVisibility:
    face, photo = facts.face, facts.photo
    parts = {name: float(value) for name, value in face.quality_parts.items()}
    # A photo with faces has both its sides.
    return FaceVisibility(face.box, photo.width or 1, photo.height or 1, parts, tables)
