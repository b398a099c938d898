"""Answers to names that have lost their face: which face it is now, or that it is none."""

from __future__ import annotations

import uuid

from image_search_service.core.decisions import Fact, Key
from image_search_service.core.errors import InvalidInputError, NotFoundError
from image_search_service.db.queries import lost_faces
from image_search_service.db.queries.decisions import before_decision
from image_search_service.db.queries.lost_faces import LostName
from image_search_service.db.session import Session
from image_search_service.services.decisions.base import DecisionService
from image_search_service.services.decisions.facts import facts_moving, former_clusters, require
from image_search_service.services.decisions.log import RecordedDecision


class LostFaceService(DecisionService):
    """Records answers. Every method raises NotFoundError for a face that is not lost, and ConflictError when
    one of the facts has changed since ``based_on``, the last decision seen."""

    def found(
        self, lost_face_id: uuid.UUID, face_id: uuid.UUID, based_on: int | None = None
    ) -> RecordedDecision:
        """Give the lost face's name to another face, wherever that is now. Raises InvalidInputError for a
        face of another person."""
        with self._deciding() as session:
            lost = _require_lost(session, lost_face_id)
            require(session, [lost.person_id])
            if face_id in before_decision.human_faces_of_others(session, [face_id], lost.person_id):
                raise InvalidInputError(
                    f"The face {face_id} is somebody else's.",
                    hint=f"If it is {lost.name}: image-search give {face_id} --to {lost.name!r}.",
                )
            facts = facts_moving(session, [face_id], lost.person_id) | {_answered(lost): True}
            details = former_clusters(session, [face_id])
            return self._decide(session, "lost_face_found", facts, based_on, details)

    def nowhere(self, lost_face_id: uuid.UUID, based_on: int | None = None) -> RecordedDecision:
        """Say that none of the faces is the lost one. It keeps its name, should its photo come back."""
        with self._deciding() as session:
            lost = _require_lost(session, lost_face_id)
            details = {"persons": [str(lost.person_id)]}
            return self._decide(session, "lost_face_gone", {_answered(lost): True}, based_on, details)


def _answered(lost: LostName) -> Key:
    return Key(Fact.LOSS_ANSWERED, lost.face_id, lost.id)


def _require_lost(session: Session, face_id: uuid.UUID) -> LostName:
    lost = lost_faces.lost_name_of(session, face_id)
    if lost is None:
        raise NotFoundError(
            f"No name has lost the face {face_id}.", hint="`image-search conflicts` lists those that have."
        )
    return lost
