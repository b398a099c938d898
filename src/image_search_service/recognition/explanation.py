"""Explains why a face has no person, following the decisions of ``assigner.py``. Pure functions."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

from image_search_service.core.types import Because, Box
from image_search_service.recognition.engines.calibration import QualityTables
from image_search_service.recognition.quality import pixels_keeping
from image_search_service.recognition.recognizability import LEAST_VISIBLE, visible_share
from image_search_service.recognition.thresholds import Thresholds

POOR = 0.5
"""A part of the quality below it, half of the resemblance lost, is named as a reason."""


@dataclass(frozen=True, slots=True)
class Reason:
    """because: in words in ``text``. similarity: cosine, −1 to 1; of TOO_CLOSE the margin. measured: of the
    picture, in pixels of TOO_SMALL, else a share, 0 to 1. needed: what either would have to be."""

    because: Because
    text: str
    person_id: uuid.UUID | None = None
    similarity: float | None = None
    measured: float | None = None
    needed: float | None = None


@dataclass(frozen=True, slots=True)
class PersonSimilarity:
    """A person whose centroid the face resembles."""

    person_id: uuid.UUID
    name: str
    similarity: float


@dataclass(frozen=True, slots=True)
class FaceVisibility:
    """How well a face can be seen. box: in pixels of its photo. parts: of its quality by name, 0 to 1.
    tables: the engine's, by which size is judged."""

    box: Box
    photo_width: int
    photo_height: int
    parts: Mapping[str, float]
    tables: QualityTables


@dataclass(frozen=True, slots=True)
class Verdict:
    """The assigner's decision about a face. sure: similar enough to the best person, and by enough more than
    to others. given: it would be assigned. beaten_in_photo: another face of the photo is assigned to that
    person."""

    sure: bool
    given: bool
    beaten_in_photo: bool


def unrecognizable(seen: FaceVisibility) -> list[Reason]:
    """Why a face was left out when its photo was indexed, as far as it can be measured."""
    what = "The face cannot be told from others"
    if causes := poor(seen):
        return [Reason(Because.UNRECOGNIZABLE, f"{what}."), *causes]
    too_little = "the engine sees hardly more in it than in a picture of nothing; perhaps it is half hidden."
    return [Reason(Because.UNRECOGNIZABLE, f"{what}: {too_little}")]


def poor(seen: FaceVisibility) -> list[Reason]:
    """The parts of the picture's quality that lower every similarity, the worst first."""
    causes: list[Reason] = []
    visible = visible_share(seen.box, width=seen.photo_width, height=seen.photo_height)
    if visible < LEAST_VISIBLE:
        text = f"It is cut off: {visible:.0%} of it are in the photo, {LEAST_VISIBLE:.0%} are needed."
        causes.append(Reason(Because.CUT_OFF, text, measured=round(visible, 3), needed=LEAST_VISIBLE))
    worst_first = sorted((value, name) for name, value in seen.parts.items() if value < POOR)
    return causes + [_poor_part(name, value, seen) for value, name in worst_first]


def _poor_part(name: str, kept: float, seen: FaceVisibility) -> Reason:
    if name == "size":
        pixels, needed = min(seen.box.width, seen.box.height), pixels_keeping(POOR, seen.tables)
        text = (
            f"It is too small: {pixels:.0f} pixels, {needed:.0f} are needed to keep half of its resemblance."
        )
        return Reason(Because.TOO_SMALL, text, measured=round(pixels, 1), needed=round(needed, 1))
    if name == "confidence":
        text = f"The detector is not certain that it is a face: {kept:.2f} of 1."
        return Reason(Because.UNCERTAIN, text, measured=kept, needed=POOR)
    because, what = _POOR_LOOKS.get(name, (Because.UNCERTAIN, f"of poor {name}"))
    text = f"It is {what}: {kept:.0%} of its resemblance are kept, {POOR:.0%} are needed."
    return Reason(because, text, measured=kept, needed=POOR)


_POOR_LOOKS = {
    "sharpness": (Because.BLURRED, "blurred"),
    "pose": (Because.TURNED_AWAY, "turned away"),
}


def reasons(
    resembled: Sequence[PersonSimilarity],
    rejected: Set[uuid.UUID],
    in_photo: Set[uuid.UUID],
    verdict: Verdict,
    thresholds: Thresholds,
    *,
    different: Set[uuid.UUID] = frozenset(),
) -> list[Reason]:
    """What rules out each person in turn, until one comes who is possible.

    resembled: the most similar first. rejected, in_photo, different: persons who are ruled out, by the
    reason: the pair was rejected, they are in the photo already, or a difference separates the face from one
    of theirs. verdict: about the most similar of the others.
    """
    if not resembled:
        return [Reason(Because.NOBODY_KNOWN, "There is no person yet to compare it with.")]
    listed: list[Reason] = []
    barred = [
        (rejected, Because.REJECTED, "was rejected for this face."),
        (in_photo, Because.IN_PHOTO, "is in this photo already."),
        (different, Because.DIFFERENT, "has a face that was marked as of a different person."),
    ]
    free = [
        person for person in resembled if not any(person.person_id in persons for persons, _, _ in barred)
    ]
    for person in resembled:
        if free and person == free[0]:
            break
        why, text = next((why, text) for persons, why, text in barred if person.person_id in persons)
        listed.append(Reason(why, f"{person.name} {text}", person.person_id, person.similarity))
    return listed + ([_about_best(free, verdict, thresholds)] if free else [])


def _about_best(free: Sequence[PersonSimilarity], verdict: Verdict, thresholds: Thresholds) -> Reason:
    best, needed = free[0], thresholds.assign_to_centroid
    if not verdict.sure:
        close = best.similarity >= needed and len(free) > 1
        return _too_close(free, thresholds) if close else _below(best, needed)
    if verdict.given:
        why, text = (
            Because.NOT_ASKED,
            f"It resembles {best.name} enough: image-search assign would assign it.",
        )
    elif verdict.beaten_in_photo:
        why = Because.TWO_IN_PHOTO
        text = f"Two in one photo: another face of it resembles {best.name} more, who is not in it twice."
    else:
        why = Because.DIFFERENT
        text = f"A face that was marked as of a different person resembles {best.name} more."
    return Reason(why, text, best.person_id, best.similarity, needed=needed)


def _below(best: PersonSimilarity, needed: float) -> Reason:
    return Reason(
        Because.BELOW_THRESHOLD,
        f"It resembles {best.name} most, by {best.similarity:.3f}; {needed:.3f} are needed to assign it "
        f"without asking, {needed - best.similarity:.3f} more.",
        best.person_id,
        best.similarity,
        needed=needed,
    )


def _too_close(free: Sequence[PersonSimilarity], thresholds: Thresholds) -> Reason:
    margin = free[0].similarity - free[1].similarity
    return Reason(
        Because.TOO_CLOSE,
        f"It resembles {free[0].name} and {free[1].name} almost equally: {margin:.3f} apart, "
        f"{thresholds.margin:.3f} are needed.",
        free[0].person_id,
        margin,
        needed=thresholds.margin,
    )
