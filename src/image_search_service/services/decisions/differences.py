"""Finds assignments that contradict differences between groups of faces. Pure functions."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

from image_search_service.db.queries.differences import Side


def clashing(sides: Sequence[Side], placed: Mapping[uuid.UUID, uuid.UUID]) -> set[uuid.UUID]:
    """Those of the faces to be ``placed`` whose person has, or would get, a face of the other side.

    sides: every face of the differences that these faces are in. If both sides are to be placed, side 0
    stays.
    """
    held: dict[tuple[uuid.UUID, uuid.UUID], int] = {}
    for member in sides:
        if member.person_id is not None and member.face_id not in placed:
            held[member.difference_id, member.person_id] = member.side
    clashes: set[uuid.UUID] = set()
    for member in sorted(sides, key=lambda side: (side.side, side.difference_id, side.face_id)):
        person = placed.get(member.face_id)
        if person is not None and held.setdefault((member.difference_id, person), member.side) != member.side:
            clashes.add(member.face_id)
    return clashes
