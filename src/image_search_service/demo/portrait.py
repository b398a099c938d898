"""Draws one person on a picture: shoulders, scarf, head. Cartoons, plainly, and each one recognisable.

Coordinates are cells with x = 0 in the middle of the face; the chin lies at y = −1.5, the crown at −27.5.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Literal

from PIL import Image, ImageDraw

from image_search_service.core.types import Box
from image_search_service.demo import hair
from image_search_service.demo.pen import Pen, Point, mix, oval, shade
from image_search_service.demo.people import CLOTHES, Color, DrawnPerson
from image_search_service.recognition.engines import synthetic_code as marker
from image_search_service.recognition.engines.synthetic_code import FaceCode

Expression = Literal["smile", "laugh", "calm", "surprise", "grin"]
Hat = Literal["", "party", "sun", "beanie", "cap"]

WHITE, INK = (250, 249, 246), (52, 40, 44)
SCARVES: tuple[tuple[Color, Color], ...] = (
    ((250, 240, 224), (112, 22, 34)), ((236, 240, 248), (24, 38, 84)), ((244, 238, 226), (18, 62, 48)),
    ((252, 236, 232), (84, 20, 72)), ((240, 244, 232), (48, 40, 36)), ((232, 244, 246), (12, 56, 74)),
    ((254, 246, 220), (96, 44, 10)), ((246, 246, 246), (34, 32, 40)),
)  # fmt: skip
"""Ground and ink; the ground's luminance is above 230 and the ink's below 60: the code must be readable."""

LEFT, TOP, RIGHT, BOTTOM = -19.0, -37.0, 19.0, 84.0
"""What a person may cover, in cells, from the tip of a hat to the shoes."""


@dataclass(frozen=True, slots=True)
class Figure:
    """One person in one picture. ``x, y``: face's middle and code's top in pixels; ``cell`` too."""

    person: DrawnPerson
    code: FaceCode
    x: float
    y: float
    cell: float
    expression: Expression = "smile"
    hat: Hat = ""
    clothes: int = 0

    @property
    def box(self) -> Box:
        """The face, in pixels, as the engine should find it."""
        cell = self.cell
        left = self.x + (marker.FACE_LEFT - marker.FACE_MIDDLE) * cell
        top = self.y + marker.FACE_TOP * cell
        return Box(left, top, marker.FACE_WIDTH * cell, marker.FACE_HEIGHT * cell)

    def scaled(self, factor: float) -> Figure:
        """The same person in a picture ``factor`` times as large."""
        return replace(self, x=self.x * factor, y=self.y * factor, cell=self.cell * factor)


def draw_figure(picture: Image.Image, figure: Figure, supersample: int = 3) -> None:
    """Paint ``figure`` onto ``picture`` (RGB), anti-aliased by drawing larger and reducing."""
    cell = figure.cell
    area = (
        max(0, int(figure.x + LEFT * cell)),
        max(0, int(figure.y + TOP * cell)),
        min(picture.width, int(figure.x + RIGHT * cell)),
        min(picture.height, int(figure.y + BOTTOM * cell)),
    )
    if area[0] >= area[2] or area[1] >= area[3]:
        return
    size = ((area[2] - area[0]) * supersample, (area[3] - area[1]) * supersample)
    large = picture.crop(area).resize(size, Image.Resampling.NEAREST)
    origin = ((figure.x - area[0]) * supersample, (figure.y - area[1]) * supersample)
    _Portrait(large, figure, origin, cell * supersample).draw()
    picture.paste(large.reduce(supersample), area[:2])


class _Portrait:
    """The drawing of one figure, from back to front."""

    def __init__(self, image: Image.Image, figure: Figure, origin: Point, scale: float) -> None:
        self.image = image
        self.figure = figure
        self.origin, self.scale = origin, scale
        self.look = figure.person.look
        self.age = figure.code.age
        self.turn = figure.code.yaw * marker.YAW_SHIFT
        self.pen = Pen(image, origin, scale)
        lean = math.radians(figure.code.tilt * marker.TILT_DEGREES)
        self.head = Pen(image, origin, scale, lean=lean, pivot=(0.0, marker.CHIN))
        self.skin = mix(self.look.skin, (238, 200, 176), 0.12 if self.age > 65 else 0.0)
        self.dark = mix(shade(self.skin, 0.8), (150, 60, 50), 0.12)
        self.hair = hair.color_at(self.look.hair, self.age)
        self.cut = hair.Cut(figure.person, self.age, self.turn, self.hair, figure.hat)

    def draw(self) -> None:
        self.cut.back(self.head)
        self._body()
        self._scarf()
        self._skull()
        self._cheeks()
        self._nose()
        self._eyes()
        self._mouth()
        self._beard()
        self.cut.front(self.head)
        self._brows()
        self._glasses()
        _HATS[self.figure.hat](self)

    # -- body

    def _body(self) -> None:
        cloth = CLOTHES[self.figure.clothes % len(CLOTHES)]
        neck = [(-3.9, -9.0), (3.9, -9.0), (4.4, 6.0), (-4.4, 6.0)]
        self.pen.polygon(neck, self.dark)
        self._legs()
        wide = 12.5 if self.age < 12 else 15.0 if self.figure.person.sex == "f" else 17.0
        trunk = [
            (-5, 2),
            (-wide * 0.72, 4.6),
            (-wide * 0.97, 9),
            (-wide, 16),
            (-wide * 1.02, 34),
            (wide * 1.02, 34),
        ]
        trunk += [(wide, 16), (wide * 0.97, 9), (wide * 0.72, 4.6), (5, 2)]
        self.pen.blob(trunk, cloth)
        self.pen.line([(-wide * 0.62, 14), (-wide * 0.66, 20), (-wide * 0.66, 34)], shade(cloth, 0.82), 0.5)
        self.pen.line([(wide * 0.62, 14), (wide * 0.66, 20), (wide * 0.66, 34)], shade(cloth, 0.82), 0.5)
        if self.figure.clothes % 3 == 0:
            for y in range(10, 34, 4):
                self.pen.polygon(
                    [(-wide * 0.6, y), (wide * 0.6, y), (wide * 0.6, y + 1.5), (-wide * 0.6, y + 1.5)],
                    (*shade(cloth, 1.35), 150),
                )

    def _legs(self) -> None:
        trousers = shade(CLOTHES[(self.figure.clothes + 7) % len(CLOTHES)], 0.6)
        for side in (-1, 1):
            self.pen.polygon(
                [(side * 0.6, 36), (side * 9.5, 32), (side * 8.4, 78), (side * 2.2, 78)], trousers
            )
            self.pen.ellipse(side * 6.0, 79.0, 5.2, 2.6, (60, 48, 46))

    def _scarf(self) -> None:
        ground, ink = SCARVES[self.figure.person.scarf % len(SCARVES)]
        edge = mix(ground, ink, 0.35)
        self.pen.polygon(oval(0, 7.0, 12.6, 2.2), (0, 0, 0, 50))
        tail = [(5.2, 5.0), (10.6, 5.0), (11.4, 16.5), (5.8, 16.8)]
        self.pen.polygon(tail, shade(ground, 0.93))
        self.pen.polygon([(5.6, 12.2), (11.1, 12.0), (11.25, 14.2), (5.75, 14.4)], ink)
        for i in range(6):
            x = 6.0 + i
            self.pen.line([(x, 16.6), (x + 0.1, 18.0)], shade(ground, 0.85), 0.35)
        for side in (-1, 1):  # where it goes round the neck
            end = [
                (side * 11.0, -1.4),
                (side * 14.4, 0.4),
                (side * 14.9, 3.4),
                (side * 14.0, 6.2),
                (side * 11.0, 7.4),
            ]
            self.pen.blob(end, edge)
            for x in (12.6, 13.5, 14.2):
                self.pen.line(
                    [(side * x, 0.2), (side * (x + 0.3), 3.0), (side * x, 5.8)], shade(edge, 0.85), 0.3
                )
        self.pen.polygon(oval(0, 3.0, 13.3, 4.6, power=9.0), edge)
        self.pen.polygon(oval(0, 3.0, 12.9, 4.2, power=9.0), ground)
        self._pattern(ground, ink)

    def _pattern(self, ground: Color, ink: Color) -> None:
        """The code: whole pixels, so that neighbouring cells neither overlap nor leave a gap."""
        draw = ImageDraw.Draw(self.image)
        left = self.origin[0] - marker.FRAME_WIDTH / 2 * self.scale
        xs = [round(left + i * self.scale) for i in range(marker.FRAME_WIDTH + 1)]
        ys = [round(self.origin[1] + i * self.scale) for i in range(marker.FRAME_HEIGHT + 1)]
        draw.rectangle((xs[0], ys[0], xs[-1] - 1, ys[-1] - 1), fill=ink)
        cells = marker.encode(self.figure.code)
        for row, column in zip(*(~cells).nonzero(), strict=True):
            draw.rectangle((xs[column], ys[row], xs[column + 1] - 1, ys[row + 1] - 1), fill=ground)

    # -- head

    def _skull(self) -> None:
        look, turn = self.look, self.turn
        for side in (-1, 1):
            if side * turn > 1.5:
                continue
            x = side * (8.5 * look.width) - turn * 0.35
            size = 1.9 * look.ears
            self.head.ellipse(x, -13.6, size * 0.75, size * 1.15, self.skin)
            self.head.ellipse(x, -13.5, size * 0.4, size * 0.7, self.dark)
            if self.figure.person.earrings and self.age > 14:
                self.head.ellipse(x, -13.6 + size * 1.35, 0.55, 0.55, (240, 200, 90))
        outline = hair.skull(look, self.age, turn)
        self.head.polygon(outline, self.dark)
        self.head.polygon([(x * 0.965 - 0.28, (y + 14.5) * 0.98 - 14.6) for x, y in outline], self.skin)

    def _cheeks(self) -> None:
        strength = 90 if self.age < 16 else 52
        for side in (-1, 1):
            self.head.ellipse(
                side * 5.0 + self.turn, -9.6, 1.9, 1.35, (*mix(self.skin, (226, 84, 84), 0.6), strength)
            )
        if self.look.freckles:
            for x, y in (
                (-5.6, -10.6),
                (-4.6, -10.0),
                (-3.7, -10.7),
                (5.6, -10.6),
                (4.6, -10.0),
                (3.7, -10.7),
            ):
                self.head.ellipse(x + self.turn, y, 0.26, 0.26, (*shade(self.look.skin, 0.68), 200))
        if self.age > 55:
            self._wrinkles()

    def _wrinkles(self) -> None:
        ink = (*self.dark, 200)
        for side in (-1, 1):
            x = self.turn + side * 3.4
            self.head.line([(x, -10.4), (x + side * 1.0, -8.6), (x + side * 1.0, -7.4)], ink, 0.32)
            if self.age > 65:
                eye = self.turn + side * 6.6
                self.head.line([(eye, -15.8), (eye + side * 0.9, -16.3)], ink, 0.26)
                self.head.line([(eye, -15.0), (eye + side * 0.9, -14.7)], ink, 0.26)
        if self.age > 65:
            self.head.line(
                [(self.turn - 3.5, -21.0), (self.turn, -21.4), (self.turn + 3.5, -21.0)], ink, 0.26
            )

    def _nose(self) -> None:
        size, turn = self.look.nose, self.turn
        x = turn * 1.5
        lean = 0.9 if turn >= 0 else -0.9
        bridge = [
            (turn * 1.2 + lean * 0.2, -14.2),
            (x + lean * 0.95 * size, -11.2),
            (x + lean * 0.7 * size, -10.3),
        ]
        self.head.line([*bridge, (x - lean * 0.7 * size, -10.2)], self.dark, 0.42)

    def _eyes(self) -> None:
        for side in (-1, 1):
            self._eye(side)

    def _eye(self, side: int) -> None:
        child = 1.18 if self.age < 12 else 1.0
        rx, ry = 1.75 * self.look.eye_size * child, 1.25 * self.look.eye_size * child
        far = 1 - 0.055 * abs(self.turn) * (1 if side * self.turn > 0 else 0.2)
        x, y = side * 4.2 * (0.98 if far < 0.95 else 1) + self.turn, -15.3
        happy = self.figure.expression == "laugh"
        if happy:
            arc = [(x - rx * far, y + 0.4), (x, y - ry * 0.75), (x + rx * far, y + 0.4)]
            self.head.line(arc, INK, 0.5)
            return
        if self.figure.expression == "surprise":
            ry *= 1.2
        self.head.ellipse(x, y, rx * far, ry, WHITE)
        gaze = x + self.turn * 0.22
        self.head.ellipse(gaze, y, ry * 0.88 * far, ry * 0.9, self.look.eyes)
        self.head.ellipse(gaze, y, ry * 0.48 * far, ry * 0.5, (24, 18, 20))
        self.head.ellipse(gaze - ry * 0.3, y - ry * 0.35, ry * 0.24, ry * 0.24, (255, 255, 255))
        lid = [(x - rx * far * 1.06, y - 0.1), (x - rx * 0.4, y - ry * 0.98), (x + rx * 0.4, y - ry * 0.98)]
        weight = 0.55 if self.figure.person.sex == "f" and self.age > 12 else 0.38
        self.head.line([*lid, (x + rx * far * 1.06, y - 0.1)], INK, weight)

    def _brows(self) -> None:
        ink = mix(shade(self.hair, 0.8), INK, 0.2) if self.age < 60 else mix(self.hair, INK, 0.25)
        lift = {"surprise": 1.1, "laugh": 0.5}.get(self.figure.expression, 0.0)
        slim = 0.75 if self.figure.person.sex == "f" or self.age < 12 else 1.15
        for side in (-1, 1):
            x = side * 4.2 + self.turn
            inner, outer = (x - side * 1.9, -18.0 - lift), (x + side * 2.1, -17.8 - lift)
            self.head.line([inner, (x + side * 0.3, -18.8 - lift), outer], ink, 0.62 * self.look.brows * slim)

    def _mouth(self) -> None:
        x, wide, y = self.turn, 3.2 * self.look.mouth, -7.1
        lip = (
            mix(self.skin, (176, 48, 60), 0.62) if sum(self.skin) > 380 else mix(self.skin, (40, 8, 20), 0.62)
        )
        match self.figure.expression:
            case "laugh" | "grin":
                deep = 3.0 if self.figure.expression == "laugh" else 1.9
                shape = [
                    (x - wide, y),
                    (x, y + 0.5),
                    (x + wide, y),
                    (x + wide * 0.55, y + deep * 0.85),
                    (x, y + deep),
                ]
                self.head.blob([*shape, (x - wide * 0.55, y + deep * 0.85)], (128, 34, 44))
                teeth = [(x - wide * 0.78, y + 0.25), (x, y + 0.6), (x + wide * 0.78, y + 0.25)]
                self.head.blob(
                    [*teeth, (x + wide * 0.5, y + 1.1), (x, y + 1.4), (x - wide * 0.5, y + 1.1)], WHITE
                )
            case "surprise":
                self.head.ellipse(x, y + 0.6, 1.3, 1.7, (128, 34, 44))
            case "calm":
                self.head.line([(x - wide * 0.8, y), (x, y + 0.35), (x + wide * 0.8, y - 0.05)], lip, 0.6)
            case _:
                self.head.line([(x - wide, y - 0.5), (x, y + 1.0), (x + wide, y - 0.5)], lip, 0.65)

    def _beard(self) -> None:
        kind = self.figure.person.beard if self.age >= 22 else 0
        if not kind:
            return
        x, ink = self.turn, mix(self.hair, self.skin, 0.08)
        upper = [(x - 3.6, -7.4), (x - 2.2, -9.0), (x, -8.5), (x + 2.2, -9.0), (x + 3.6, -7.4), (x, -7.7)]
        if kind >= 2:
            self._full_beard(ink) if kind == 3 else self.head.ellipse(x, -3.2, 1.9, 1.6, ink)
        self.head.blob(upper, ink)

    def _full_beard(self, ink: Color) -> None:
        jaw = [p for p in hair.skull(self.look, self.age, self.turn, grow=0.15) if p[1] > -12.5]
        jaw.sort(key=lambda p: p[0])
        x = self.turn * 0.8
        inner = [(x + 5.6, -9.6), (x + 4.4, -7.9), (x + 3.9, -6.0), (x + 2.2, -4.2), (x, -3.8)]
        inner += [(2 * x - px, py) for px, py in reversed(inner[:-1])]
        outer = sorted(jaw, key=lambda p: (p[0] > 0, -p[1] if p[0] > 0 else p[1]))
        self.head.polygon([*outer, *inner], ink)

    def _glasses(self) -> None:
        kind = self.figure.person.glasses
        if not kind or self.age < 9:
            return
        frame = ((40, 36, 44), (120, 44, 40), (60, 84, 110))[kind - 1]
        rx, ry, power = ((2.9, 2.5, 2.6), (3.1, 2.1, 4.0), (2.7, 2.7, 2.0))[kind - 1]
        for side in (-1, 1):
            x = side * 4.2 + self.turn
            lens = oval(x, -15.0, rx, ry, power=power)
            self.head.polygon(lens, (255, 255, 255, 46))
            self.head.outline(lens, frame, 0.5)
            end = side * 8.4 * self.look.width - self.turn * 0.3
            self.head.line([(x + side * rx, -15.5), (end, -15.2)], frame, 0.42)
        self.head.line(
            [(self.turn - 4.2 + rx, -15.4), (self.turn, -15.9), (self.turn + 4.2 - rx, -15.4)], frame, 0.45
        )

    # -- hats

    def _party_hat(self) -> None:
        color = CLOTHES[(self.figure.clothes + 3) % len(CLOTHES)]
        self.head.polygon([(-5.6, -24.6), (0.6, -36.0), (5.6, -24.8)], color)
        self.head.polygon([(-3.8, -27.8), (-1.6, -31.9), (4.0, -27.6), (4.9, -26.0)], shade(color, 1.5))
        self.head.ellipse(0.6, -35.6, 1.3, 1.3, (250, 220, 110))

    def _sun_hat(self) -> None:
        straw, band = (236, 208, 146), CLOTHES[(self.figure.clothes + 1) % len(CLOTHES)]
        self.head.polygon(oval(0, -24.2, 14.2, 2.5), shade(straw, 0.88))
        self.head.polygon(oval(0, -26.6, 8.6, 5.4, power=2.6), straw)
        self.head.polygon([(-8.6, -26.6), (8.6, -26.6), (8.9, -24.4), (-8.9, -24.4)], band)
        self.head.polygon(oval(0, -23.8, 14.0, 1.5), straw)

    def _beanie(self) -> None:
        wool = CLOTHES[(self.figure.clothes + 2) % len(CLOTHES)]
        self.head.ellipse(0, -32.6, 2.2, 2.2, shade(wool, 1.5))
        self.head.polygon([p for p in oval(0, -22.5, 9.9, 9.0, power=2.3) if p[1] < -21.0], wool)
        self.head.polygon(oval(0, -22.4, 10.2, 1.9, power=5.0), shade(wool, 0.8))

    def _cap(self) -> None:
        cloth = CLOTHES[(self.figure.clothes + 4) % len(CLOTHES)]
        self.head.polygon([p for p in oval(0, -22.8, 9.7, 7.2, power=2.4) if p[1] < -21.4], cloth)
        x = self.turn * 1.2
        self.head.polygon(
            [p for p in oval(x, -21.2, 9.6, 3.0, power=2.2) if p[1] < -20.6], shade(cloth, 0.72)
        )
        self.head.ellipse(0, -29.8, 0.8, 0.6, shade(cloth, 0.72))


_HATS = {
    "": lambda _: None,
    "party": _Portrait._party_hat,
    "sun": _Portrait._sun_hat,
    "beanie": _Portrait._beanie,
    "cap": _Portrait._cap,
}
