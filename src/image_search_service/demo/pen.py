"""A pen that draws smooth shapes in cells (see ``faces.engines.synthetic_code``) on a picture."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from PIL import Image, ImageDraw

from image_search_service.demo.people import Color

Point = tuple[float, float]
Ink = tuple[int, int, int] | tuple[int, int, int, int]


class Pen:
    """Draws on ``image``, where a cell is ``scale`` pixels wide and the point (0, 0) lies at ``origin``.

    ``place`` moves every point before it is drawn; a head that leans is drawn with one that leans.
    """

    def __init__(self, image: Image.Image, origin: Point, scale: float) -> None:
        self._draw = ImageDraw.Draw(image, "RGBA")
        self._origin = origin
        self._scale = scale
        self.place: Callable[[float, float], Point] = _stay

    def polygon(self, points: Sequence[Point], ink: Ink) -> None:
        self._draw.polygon([self._pixel(x, y) for x, y in points], fill=ink)

    def blob(self, points: Sequence[Point], ink: Ink) -> None:
        """A closed smooth curve through the points."""
        self.polygon(smooth(points, closed=True), ink)

    def line(self, points: Sequence[Point], ink: Ink, width: float) -> None:
        """A smooth line through the points with round ends; ``width`` in cells."""
        curve = smooth(points, closed=False)
        pixels = [self._pixel(x, y) for x, y in curve]
        thick = max(1, round(width * self._scale))
        self._draw.line(pixels, fill=ink, width=thick, joint="curve")
        radius = thick / 2 - 0.5
        for x, y in (pixels[0], pixels[-1]):
            self._draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=ink)

    def ellipse(self, x: float, y: float, rx: float, ry: float, ink: Ink) -> None:
        self.polygon(oval(x, y, rx, ry), ink)

    def outline(self, points: Sequence[Point], ink: Ink, width: float) -> None:
        """A closed line through the points, with straight pieces."""
        pixels = [self._pixel(x, y) for x, y in [*points, *points[:2]]]
        self._draw.line(pixels, fill=ink, width=max(1, round(width * self._scale)), joint="curve")

    def _pixel(self, x: float, y: float) -> Point:
        x, y = self.place(x, y)
        return self._origin[0] + x * self._scale, self._origin[1] + y * self._scale


def _stay(x: float, y: float) -> Point:
    return x, y


def oval(x: float, y: float, rx: float, ry: float, *, power: float = 2.0, steps: int = 40) -> list[Point]:
    """A superellipse; ``power`` 2 is an ellipse, more is squarer."""
    angles = (2 * math.pi * i / steps for i in range(steps))
    return [(x + rx * _root(math.cos(a), power), y + ry * _root(math.sin(a), power)) for a in angles]


def _root(value: float, power: float) -> float:
    return math.copysign(abs(value) ** (2 / power), value)


def smooth(points: Sequence[Point], *, closed: bool, steps: int = 8) -> list[Point]:
    """Catmull–Rom curve through the points."""
    n = len(points)
    if n < 3:
        return list(points)

    def at(i: int) -> Point:
        return points[i % n if closed else max(0, min(i, n - 1))]

    curve = [
        _between(at(i - 1), at(i), at(i + 1), at(i + 2), step / steps)
        for i in range(n if closed else n - 1)
        for step in range(steps)
    ]
    return curve if closed else [*curve, points[-1]]


def _between(a: Point, b: Point, c: Point, d: Point, t: float) -> Point:
    """Between ``b`` (t = 0) and ``c`` (t = 1)."""

    def blend(p: float, q: float, r: float, s: float) -> float:
        return 0.5 * (
            2 * q + (r - p) * t + (2 * p - 5 * q + 4 * r - s) * t * t + (3 * q - p - 3 * r + s) * t * t * t
        )

    return blend(a[0], b[0], c[0], d[0]), blend(a[1], b[1], c[1], d[1])


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
