"""A pen that draws smooth shapes in cells (see ``faces.engines.synthetic_code``) on a picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache

import numpy as np
from PIL import Image, ImageDraw

from image_search_service.demo.people import Color

Point = tuple[float, float]
Ink = tuple[int, int, int] | tuple[int, int, int, int]

_STEPS = 8
"""Pieces of a smooth curve between two of its points."""
_T = np.arange(_STEPS)[:, None] / _STEPS
_CATMULL_ROM = np.hstack(
    [-_T + 2 * _T**2 - _T**3, 2 - 5 * _T**2 + 3 * _T**3, _T + 4 * _T**2 - 3 * _T**3, -(_T**2) + _T**3]
) / 2  # fmt: skip
"""(steps, 4) weights of the points before, at, after and after next."""


class Pen:
    """Draws on ``image``, where a cell is ``scale`` pixels wide and the point (0, 0) lies at ``origin``.

    ``lean``: radians by which everything drawn is turned about ``pivot``, in cells; a head that leans is
    drawn with a pen that leans.
    """

    def __init__(
        self, image: Image.Image, origin: Point, scale: float, *, lean: float = 0.0, pivot: Point = (0.0, 0.0)
    ) -> None:
        # Blending costs several times what covering does, so it is kept for inks that one sees through.
        self._brushes = {3: ImageDraw.Draw(image), 4: ImageDraw.Draw(image, "RGBA")}
        self._scale = scale
        cos, sin = math.cos(lean), math.sin(lean)
        self._turn = np.array([[cos, sin], [-sin, cos]]) * scale
        self._shift = np.array(origin) + np.array(pivot) * scale - np.array(pivot) @ self._turn

    def polygon(self, points: Sequence[Point], ink: Ink) -> None:
        self._brushes[len(ink)].polygon(self._pixels(points), fill=ink)

    def blob(self, points: Sequence[Point], ink: Ink) -> None:
        """A closed smooth curve through the points."""
        self.polygon(smooth(points, closed=True), ink)

    def line(self, points: Sequence[Point], ink: Ink, width: float) -> None:
        """A smooth line through the points with round ends; ``width`` in cells."""
        pixels = self._pixels(smooth(points, closed=False))
        thick = max(1, round(width * self._scale))
        brush = self._brushes[len(ink)]
        brush.line(pixels, fill=ink, width=thick, joint="curve")
        radius = thick / 2 - 0.5
        for x, y in (pixels[:2], pixels[-2:]):
            brush.ellipse((x - radius, y - radius, x + radius, y + radius), fill=ink)

    def ellipse(self, x: float, y: float, rx: float, ry: float, ink: Ink) -> None:
        self.polygon(oval(x, y, rx, ry), ink)

    def outline(self, points: Sequence[Point], ink: Ink, width: float) -> None:
        """A closed line through the points, with straight pieces."""
        pixels = self._pixels([*points, *points[:2]])
        self._brushes[len(ink)].line(
            pixels, fill=ink, width=max(1, round(width * self._scale)), joint="curve"
        )

    def _pixels(self, points: Sequence[Point]) -> list[float]:
        """x, y, x, y …"""
        pixels: list[float] = (np.array(points) @ self._turn + self._shift).ravel().tolist()
        return pixels


def oval(x: float, y: float, rx: float, ry: float, *, power: float = 2.0, steps: int = 40) -> list[Point]:
    """A superellipse from its right end on, downwards; ``power`` 2 is an ellipse, more is squarer."""
    return [(x + rx * dx, y + ry * dy) for dx, dy in _unit_oval(power, steps)]


@cache
def _unit_oval(power: float, steps: int) -> list[Point]:
    def root(value: float) -> float:
        return math.copysign(abs(value) ** (2 / power), value)

    angles = (2 * math.pi * i / steps for i in range(steps))
    return [(root(math.cos(angle)), root(math.sin(angle))) for angle in angles]


def smooth(points: Sequence[Point], *, closed: bool) -> list[Point]:
    """Catmull–Rom curve through the points."""
    n = len(points)
    if n < 3:
        return list(points)
    around = np.array([points[-1], *points, *points[:2]] if closed else [points[0], *points, points[-1]])
    neighbours = np.stack([around[i : i + len(around) - 3] for i in range(4)])
    pieces = (_CATMULL_ROM @ neighbours.reshape(4, -1)).reshape(_STEPS, -1, 2)
    curve: list[Point] = pieces.transpose(1, 0, 2).reshape(-1, 2).tolist()
    return curve if closed else [*curve, points[-1]]


def shade(color: Color, factor: float) -> Color:
    """Darker below 1, towards white above 1."""
    if factor <= 1:
        red, green, blue = (round(part * factor) for part in color)
    else:
        red, green, blue = (round(part + (255 - part) * (factor - 1)) for part in color)
    return red, green, blue


def mix(a: Color, b: Color, share: float) -> Color:
    """``share`` of ``b`` in ``a``."""
    red, green, blue = (round(p + (q - p) * share) for p, q in zip(a, b, strict=True))
    return red, green, blue
