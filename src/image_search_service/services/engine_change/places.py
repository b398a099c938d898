"""Matches faces of the new engine with those of the former one, by their place in the photo."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from image_search_service.core.types import Box
from image_search_service.db.queries.engine_change.changes import new_face_id
from image_search_service.recognition.boxes import SAME_FACE, overlap
from image_search_service.recognition.engines.base import Detection


class Origin(StrEnum):
    """Where a face as it will be comes from."""

    FOUND_AGAIN = "found_again"
    """The new engine found it where the former one had: it keeps its id and all decisions about it."""
    NEW = "new"
    """Only the new engine found it."""
    KEPT = "kept"
    """The new engine did not find it, but a decision is about it: it stays in its place, and the new engine
    embeds it from there."""
    FROM_CROP = "from_crop"
    """No file of its photo can be read: it stays where it was, embedded from its small picture."""


@dataclass(frozen=True, slots=True)
class KnownFace:
    """A face as the library has it. spoken_of: whether a decision speaks of it. by_hand: whether a human
    placed it, so that it stays there."""

    id: uuid.UUID
    detection: Detection
    spoken_of: bool
    by_hand: bool = False


def place_faces(
    asset_id: uuid.UUID, change_id: int, known: Sequence[KnownFace], detections: Sequence[Detection]
) -> list[tuple[uuid.UUID, Detection]]:
    """The faces that a photo will have: those that were found, and those that must stay; left to right. A
    face by hand stays where it is, whatever is found there."""
    by_hand = [face for face in known if face.by_hand]
    known = [face for face in known if not face.by_hand]
    detections = [
        found
        for found in detections
        if all(overlap(found.box, face.detection.box) < SAME_FACE for face in by_hand)
    ]
    same = match_places([face.detection.box for face in known], [face.box for face in detections])
    placed = [
        (known[same[n]].id if n in same else new_face_id(asset_id, change_id, n), face)
        for n, face in enumerate(detections)
    ]
    again = set(same.values())
    placed += [(face.id, face.detection) for n, face in enumerate(known) if n not in again and face.spoken_of]
    placed += [(face.id, face.detection) for face in by_hand]
    return sorted(placed, key=lambda each: (each[1].box.x, each[1].box.y))


def match_places(known: Sequence[Box], new: Sequence[Box]) -> dict[int, int]:
    """For numbers of ``found`` the number of the known box in the same place, one to one; those first that
    overlap most."""
    shares = sorted(
        ((overlap(a, b), i, n) for i, a in enumerate(known) for n, b in enumerate(new)),
        key=lambda each: (-each[0], each[1], each[2]),
    )
    same: dict[int, int] = {}
    for share, i, n in shares:
        if share >= SAME_FACE and n not in same and i not in same.values():
            same[n] = i
    return same


def origin_of(face_id: uuid.UUID, detection: Detection, known: Sequence[KnownFace]) -> Origin:
    """Where a face that ``place_faces`` gave comes from."""
    former = next((face for face in known if face.id == face_id), None)
    if former is None:
        return Origin.NEW
    return Origin.KEPT if former.detection is detection else Origin.FOUND_AGAIN
