"""Value types and array aliases that every layer shares. No input, no output, no vendor.

The aliases are strings, since most commands that import this module do not need NumPy.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

FloatArray: TypeAlias = "npt.NDArray[np.float32]"
"""float32 array; embeddings are ``(d,)`` or ``(n, d)`` with rows of unit length."""

IntArray: TypeAlias = "npt.NDArray[np.int64]"
BoolArray: TypeAlias = "npt.NDArray[np.bool_]"
Pixels: TypeAlias = "npt.NDArray[np.uint8]"
"""``(height, width, 3)`` uint8, RGB, upright (EXIF orientation already applied)."""

ClusteringMethod: TypeAlias = Literal["agglomerative"]
MethodName: TypeAlias = Literal["agglomerative", "hdbscan", "dbscan"]
"""What a caller may give as a method. ``hdbscan`` and ``dbscan`` are former ones and mean ``agglomerative``;
see ``recognition/clustering``."""
DEFAULT_METHOD: Final = "agglomerative"


class SearchMethod(StrEnum):
    """What to search with for more of a person's faces."""

    PROTOTYPES = "prototypes"
    """Some of their best faces."""
    MULTI_PROTOTYPE = "multi_prototype"
    """All their prototypes."""
    CENTROID = "centroid"
    """The mean of their faces."""


class Likeness(StrEnum):
    """How alike a face and a person are, for people who want no number (``Thresholds.likeness``)."""

    VERY = "very"
    """So much that it would be assigned without asking."""
    QUITE = "quite"
    """As two photos of one person usually are."""
    HARDLY = "hardly"


Progress: TypeAlias = Callable[[int, int | None], None]
"""Called with the number of steps done and, once known, the total."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels of the upright photo; may reach over the photo's edge."""

    x: float
    y: float
    width: float
    height: float

    @property
    def center(self) -> tuple[float, float]:
        return self.x + self.width / 2, self.y + self.height / 2

    def holds(self, point: tuple[float, float]) -> bool:
        x, y = point
        return self.x <= x <= self.x + self.width and self.y <= y <= self.y + self.height

    def scaled_by(self, across: float, down: float) -> Box:
        return Box(self.x * across, self.y * down, self.width * across, self.height * down)

    def scaled(self, factor: float) -> Box:
        return Box(self.x * factor, self.y * factor, self.width * factor, self.height * factor)


@dataclass(frozen=True, slots=True)
class EngineIdentity:
    """The engine that a library is bound to. Two engines are the same if all fields are equal.

    name: the engine's name, such as ``opencv``.
    checksum: SHA-256 (hex) over the engine's model files, or over its version for ``synthetic``.
    dimension: numbers in an embedding.
    """

    name: str
    checksum: str
    dimension: int


JsonObject: TypeAlias = dict[str, Any]


class Because(StrEnum):
    """Why a face has no person, or what prevents the most similar one."""

    NOT_A_FACE = "not_a_face"
    SET_ASIDE = "set_aside"
    REPLACED = "replaced"
    IN_GROUP = "in_group"
    UNRECOGNIZABLE = "unrecognizable"
    CUT_OFF = "cut_off"
    TOO_SMALL = "too_small"
    BLURRED = "blurred"
    TURNED_AWAY = "turned_away"
    UNCERTAIN = "uncertain"
    NO_EMBEDDING = "no_embedding"
    NOBODY_KNOWN = "nobody_known"
    REJECTED = "rejected"
    IN_PHOTO = "in_photo"
    DIFFERENT = "different"
    BELOW_THRESHOLD = "below_threshold"
    TOO_CLOSE = "too_close"
    TWO_IN_PHOTO = "two_in_photo"
    NOT_ASKED = "not_asked"
