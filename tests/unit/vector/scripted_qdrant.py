"""A vector store whose answers a test writes, for vectors that no real one would hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from qdrant_client import models


class ScriptedQdrant:
    """Answers ``retrieve`` from ``vectors``; an error is raised when it is asked for."""

    def __init__(self, vectors: Mapping[UUID, Any]) -> None:
        self.vectors = {str(point_id): vector for point_id, vector in vectors.items()}
        self.asked: list[list[str]] = []

    def retrieve(self, collection_name: str, ids: Sequence[str], **_: Any) -> list[models.Record]:
        """The points that there are, with whatever stands for their vectors."""
        self.asked.append(list(ids))
        found = {point_id: self.vectors[point_id] for point_id in ids if point_id in self.vectors}
        for vector in found.values():
            if isinstance(vector, Exception):
                raise vector
        return [
            models.Record.model_construct(id=point_id, vector=vector) for point_id, vector in found.items()
        ]
