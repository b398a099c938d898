"""Why a face has no person: the rules of ``assigner.py`` in words, for one face. Pure functions."""

from __future__ import annotations

import uuid
from collections.abc import Sequence, Set
from dataclasses import dataclass
from enum import StrEnum

from image_search_service.faces.thresholds import Thresholds

POOR = 0.5
"""A part of the quality below it is named as a reason."""


class Because(StrEnum):
    """Why a face has no person, or what stands in the way of the most similar one."""

    NOT_A_FACE = "not_a_face"
    UNRECOGNIZABLE = "unrecognizable"
    NO_EMBEDDING = "no_embedding"
    NOBODY_KNOWN = "nobody_known"
    REJECTED = "rejected"
    IN_PHOTO = "in_photo"
    DIFFERENT = "different"
    BELOW_THRESHOLD = "below_threshold"
    TOO_CLOSE = "too_close"
    NOT_ASKED = "not_asked"


@dataclass(frozen=True, slots=True)
class Reason:
    """because: in words in ``text``. similarity, needed: cosine, −1 to 1; of TOO_CLOSE, the margin."""

    because: Because
    text: str
    person_id: uuid.UUID | None = None
    similarity: float | None = None
    needed: float | None = None


@dataclass(frozen=True, slots=True)
class Resembled:
    """Somebody whose centroid the face resembles."""

    person_id: uuid.UUID
    name: str
    similarity: float


def unrecognizable(parts: dict[str, float]) -> Reason:
    """parts: of the quality by name, 0 to 1."""
    poor = sorted((value, name) for name, value in parts.items() if value < POOR)
    why = ", ".join(f"{name} {value:.2f}" for value, name in poor)
    return Reason(
        Because.UNRECOGNIZABLE,
        "The face cannot be told from others: it is too blurred, turned away, hidden or cut off"
        + (f" (of 1: {why})." if why else "."),
    )


def reasons(
    found: Sequence[Resembled],
    rejected: Set[uuid.UUID],
    in_photo: Set[uuid.UUID],
    thresholds: Thresholds,
    *,
    different: Set[uuid.UUID] = frozenset(),
) -> list[Reason]:
    """What stands in the way of each person in turn, until one is met who might be it.

    found: the most similar first. rejected, in_photo, different: who cannot be it, and why: the pair was
    rejected, they are in the photo, or the face was said to be of other people than a face of theirs.
    """
    if not found:
        return [Reason(Because.NOBODY_KNOWN, "There is nobody yet whose faces it could be compared with.")]
    listed: list[Reason] = []
    barred = [
        (rejected, Because.REJECTED, "was rejected for this face."),
        (in_photo, Because.IN_PHOTO, "is in this photo already."),
        (different, Because.DIFFERENT, "has a face that was said to be of somebody else than this one."),
    ]
    free = [one for one in found if not any(one.person_id in persons for persons, _, _ in barred)]
    for one in found:
        if free and one == free[0]:
            break
        why, text = next((why, text) for persons, why, text in barred if one.person_id in persons)
        listed.append(Reason(why, f"{one.name} {text}", one.person_id, one.similarity))
    return listed + ([_about_best(free, thresholds)] if free else [])


def _about_best(free: Sequence[Resembled], thresholds: Thresholds) -> Reason:
    best, needed = free[0], thresholds.assign_to_centroid
    if best.similarity < needed:
        return Reason(
            Because.BELOW_THRESHOLD,
            f"It resembles {best.name} most, by {best.similarity:.3f}; {needed:.3f} are needed to give it to "
            f"somebody without asking, {needed - best.similarity:.3f} more.",
            best.person_id,
            best.similarity,
            needed,
        )
    margin = best.similarity - (free[1].similarity if len(free) > 1 else -1.0)
    if margin < thresholds.margin:
        return Reason(
            Because.TOO_CLOSE,
            f"It resembles {best.name} and {free[1].name} almost equally: {margin:.3f} apart, "
            f"{thresholds.margin:.3f} are needed.",
            best.person_id,
            margin,
            thresholds.margin,
        )
    return Reason(
        Because.NOT_ASKED,
        f"It resembles {best.name} enough: image-search assign would give it to them.",
        best.person_id,
        best.similarity,
        needed,
    )
