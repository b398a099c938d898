"""Decisions that chance chooses, as several people would make them at once."""

from __future__ import annotations

import random
from typing import Any

EACH = 15
"""Faces in one decision."""
NAMES = 4
"""Names that are given: so few that people meet."""


def something_to_say(
    faces: list[str], made: list[Any], persons: list[str], chance: random.Random
) -> tuple[str, Any]:
    """Whose some faces are, or that they are not, or who is one, or that the last decision was a mistake."""
    some = chance.sample(faces, EACH)
    kinds: list[tuple[str, Any]] = [
        ("split", {"face_ids": some, "name": f"{chance.randrange(NAMES)}", "another": True}),
        ("group", {"face_ids": some}),
        ("unassign", {"face_ids": some}),
        ("not-a-face", {"face_ids": some[:2]}),
    ]
    if len(persons) > 1:
        kinds.append(("merge-persons", {"person_ids": persons[:1], "into": persons[1]}))
    if made:
        kinds.append((f"{made[-1]}/undo", None))
    return chance.choice(kinds)
