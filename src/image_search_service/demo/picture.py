"""A picture before it is drawn: who stands where, what file it will be. A plan is all of a library's."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Literal

from image_search_service.demo.layout import Place
from image_search_service.demo.people import DrawnPerson
from image_search_service.demo.portrait import Expression, Figure, Hat
from image_search_service.recognition.engines.synthetic_code import FaceCode

Format = Literal["JPEG", "PNG", "WEBP", "TIFF", "GIF", "HEIF", "AVIF"]
Tone = Literal["color", "faded", "gray"]
Outfit = tuple[Hat, int]
"""A hat and the number of a colour for the clothes."""

SUFFIXES: dict[Format, str] = {
    "JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp", "TIFF": ".tif", "GIF": ".gif",
    "HEIF": ".heic", "AVIF": ".avif",
}  # fmt: skip
EXPRESSIONS: tuple[Expression, ...] = ("smile",) * 3 + ("grin",) * 2 + ("laugh", "calm", "surprise")
_HATS: dict[str, tuple[Hat, ...]] = {
    "beach": ("", "sun", "cap"), "birthday": ("party", "party", ""), "snow": ("beanie", "beanie", "cap"),
    "garden": ("", "", "", "sun"), "mountains": ("", "", "cap"), "evening": ("", "", "", "party"),
    "city": ("", "", "", "", "cap"), "forest": ("", "", "", "", "cap"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture to draw. ``path`` is relative to the library, with ``/``.

    figures: from back to front; positions in pixels of the upright picture.
    light: 1 as drawn, less is darker. blur: standard deviation of a Gaussian, in pixels.
    orientation: EXIF orientation, 1 to 8; the stored pixels are turned accordingly.
    readable: False when too dark, too blurred or too small for the engine to find the faces.
    """

    path: str
    size: tuple[int, int]
    scene: str
    backdrop: int
    taken: datetime
    figures: tuple[Figure, ...] = ()
    format: Format = "JPEG"
    tone: Tone = "color"
    light: float = 1.0
    blur: float = 0.0
    orientation: int = 1
    dated: bool = True
    readable: bool = True
    supersample: int = 3


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole library: who exists, which pictures there are, which are copies (path → original)."""

    people: list[DrawnPerson]
    strangers: list[DrawnPerson]
    pictures: list[Picture]
    copies: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Moment:
    """When and how somebody was seen. age: years. number: 0 to 255, of the moment. blur: 0 to 15."""

    age: int
    number: int
    blur: int


def pose(rng: Random, person: DrawnPerson, moment: Moment, place: Place, outfit: Outfit) -> Figure:
    """One person at one moment, looking somewhere with some expression."""
    code = FaceCode(
        family=person.family,
        member=person.member,
        age=min(moment.age, 127),
        moment=moment.number,
        blur=moment.blur,
        yaw=rng.choice((-3, -2, -1, -1, 0, 0, 0, 0, 1, 1, 2, 3)),
        tilt=rng.choice((-1, 0, 0, 0, 1)),
    )
    hat, clothes = outfit
    return Figure(person, code, place.x, place.y, place.cell, rng.choice(EXPRESSIONS), hat, clothes)


def choose_outfit(rng: Random, scene: str) -> Outfit:
    """What one would wear there."""
    return rng.choice(_HATS.get(scene, ("",))), rng.randrange(10)


def throw_haze(rng: Random) -> int:
    """How bad a picture is, 0 (mostly) to 15 (seldom)."""
    return min(15, int(rng.expovariate(1 / 3.0)))


def softness(haze: int, cell: float) -> float:
    """Blur, in pixels, of a picture that bad; at most a third of a cell, which a code survives."""
    return 0.02 * haze * cell
