"""The outbox: faces of which Qdrant has not been told the last change yet."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, func, select, tuple_, update
from sqlalchemy.orm import Session

from image_search_service.core.parallel import chunks
from image_search_service.db.models import FaceInstance
from image_search_service.db.queries import prepared
from image_search_service.db.queries.batches import BATCH
from image_search_service.db.queries.conditions import is_hidden_face


@dataclass(frozen=True, slots=True)
class DuePayload:
    """A payload that must still be sent to Qdrant, and its version."""

    id: uuid.UUID
    point_id: uuid.UUID
    person_id: uuid.UUID | None
    cluster_id: uuid.UUID | None
    hidden: bool
    version: int


_DUE = (
    select(
        FaceInstance.id,
        FaceInstance.qdrant_point_id,
        FaceInstance.person_id,
        FaceInstance.cluster_id,
        is_hidden_face(),
        FaceInstance.payload_version,
    )
    .where(FaceInstance.payload_sent < FaceInstance.payload_version)
    .order_by(FaceInstance.id)
    .limit(bindparam("limit"))
)


def due_payloads(session: Session, limit: int) -> list[DuePayload]:
    """Faces of which Qdrant has not been told the last change yet."""
    return [DuePayload(*row) for row in prepared.run(session, _DUE, {"limit": limit})]


def count_due_payloads(session: Session) -> int:
    """How many faces have a payload to send."""
    due = select(func.count(FaceInstance.id)).where(FaceInstance.payload_sent < FaceInstance.payload_version)
    return session.scalar(due) or 0


_SENT = (
    update(FaceInstance)
    .where(
        prepared.among(FaceInstance.id),  # by pairs alone SQLite would go through all faces
        tuple_(FaceInstance.id, FaceInstance.payload_version).in_(prepared.ids("sent")),
    )
    .values(payload_sent=FaceInstance.payload_version)
)


def mark_payloads_sent(session: Session, sent: Sequence[DuePayload]) -> None:
    """Store that these versions were sent; a face that changed meanwhile stays due: a statement for each
    ``BATCH``."""
    for part in chunks(sent, BATCH):
        pairs = [(due.id, due.version) for due in part]
        prepared.run(session, _SENT, {"ids": [due.id for due in part], "sent": pairs})
