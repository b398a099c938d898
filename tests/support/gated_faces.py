"""A collection of faces that takes no payload until it may, and remembers what it was told."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from uuid import UUID

from image_search_service.vector.face_qdrant import FaceQdrantClient
from tests.support.waiting import LIMIT


class GatedFaces(FaceQdrantClient):
    """``told``: the persons of each call, in the order in which they reached Qdrant. The first call waits at
    the gate; ``waiting`` is set when it does."""

    def __init__(self, faces: FaceQdrantClient) -> None:
        super().__init__(faces.client, faces.collection_name, faces.dimension)
        self.gate = threading.Event()
        self.waiting = threading.Event()
        self.told: list[dict[UUID, UUID | None]] = []

    def update_person_ids(self, person_ids: Mapping[UUID, UUID | None]) -> None:
        if not self.waiting.is_set():
            self.waiting.set()
            if not self.gate.wait(LIMIT):
                raise AssertionError("nobody opened the gate")
        self.told.append(dict(person_ids))
        super().update_person_ids(person_ids)
