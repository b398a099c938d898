"""Skulls and the hair on them: what grows behind the head, what grows in front of it, and how it greys."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from image_search_service.demo.pen import Pen, Point, mix, oval, shade, smooth
from image_search_service.demo.people import Color, DrawnPerson, Look

GRAY = (206, 204, 204)
_MIDDLE = -15.0


def color_at(color: Color, age: int) -> Color:
    """Hair turns grey between 42 and 74."""
    return mix(color, GRAY, max(0.0, min((age - 42) / 32, 0.92)))


def skull(look: Look, age: int, turn: float, grow: float = 0.0) -> list[Point]:
    """The face's outline: an egg whose lower half is squarer with a stronger jaw and rounder in a child."""
    child = max(0.0, 1 - age / 14)
    rx = 8.4 * (look.width + 0.05 * child) + grow
    jaw = look.jaw - 0.4 * child
    steps = 40  # the oval starts at the right and goes down first
    lower = oval(0, _MIDDLE, rx, 13.3 + grow, power=round(_jaw_power(jaw), 2), steps=steps)[: steps // 2 + 1]
    upper = oval(0, _MIDDLE, rx, 11.6 + grow, steps=steps)[steps // 2 + 1 :]
    return [(x + turn * 0.2, y) for x, y in lower] + [(x - turn * 0.12, y) for x, y in upper]


def _jaw_power(jaw: float) -> float:
    return 1.9 + (jaw - 1.8) * 0.45


class Cut:
    """One person's hair at one age, turned with the head."""

    def __init__(self, person: DrawnPerson, age: int, turn: float, color: Color, hat: str) -> None:
        self.look, self.age, self.turn, self.color = person.look, age, turn, color
        self.style = self._style_at(person, age)
        self.covered = hat in ("beanie", "cap", "sun")
        self.light = shade(color, 1.15)
        self.deep = shade(color, 0.72)

    @staticmethod
    def _style_at(person: DrawnPerson, age: int) -> str:
        """Nobody is bald as a child, and small children have a child's cut."""
        if age < 3:
            return "tuft"
        if person.style in ("bald", "receding") and age < 38:
            return "short"
        return person.style

    def back(self, pen: Pen) -> None:
        _BACK.get(self.style, _nothing)(self, pen)

    def front(self, pen: Pen) -> None:
        _FRONT[self.style](self, pen)

    # -- behind the head

    def _fall(self, pen: Pen, length: float, wave: float) -> None:
        wide = 10.2 * self.look.width
        right = [
            (wide * 0.98, -17.0),
            (wide + 1.0 + wave, -9.0),
            (wide + 0.6 - wave, -3.0),
            (wide + 1.4, length),
        ]
        left = [(-x, y) for x, y in reversed(right)]
        crown = [(-wide * 0.72, -26.0), (0.0, -29.0), (wide * 0.72, -26.0)]
        pen.blob([*crown, *right, (wide * 0.3, length + 1.2), (-wide * 0.3, length + 1.2), *left], self.deep)

    def _long_back(self, pen: Pen) -> None:
        self._fall(pen, 9.0, 0.0)

    def _wavy_back(self, pen: Pen) -> None:
        self._fall(pen, 10.0, 1.2)
        for side in (-1, 1):
            for y in (-12.0, -7.0, -2.0, 3.0, 8.0):
                pen.ellipse(side * 10.6 * self.look.width, y, 2.5, 3.0, self.deep)

    def _bob_back(self, pen: Pen) -> None:
        self._fall(pen, -3.4, 0.4)

    def _tail_back(self, pen: Pen) -> None:
        side = -1 if self.turn > 0 else 1
        swing = [
            (side * 6, -27),
            (side * 11.5, -27.5),
            (side * 14.4, -20),
            (side * 13.4, -10),
            (side * 12.2, -4),
        ]
        pen.blob([*swing, (side * 10.4, -11), (side * 9.6, -19)], self.deep)

    def _bun_back(self, pen: Pen) -> None:
        pen.ellipse(-self.turn * 0.8, -29.2, 4.6, 4.0, self.deep)
        pen.ellipse(-self.turn * 0.8 - 0.6, -29.8, 3.0, 2.4, self.color)

    def _curly_back(self, pen: Pen) -> None:
        for x, y in oval(0, -18.0, 10.0 * self.look.width, 10.0, steps=18):
            if y < -10:
                pen.ellipse(x, y, 3.3, 3.3, self.deep)

    # -- in front of the head

    def _cap_of_hair(
        self, pen: Pen, hairline: Sequence[Point], grow: float = 0.9, low: float = -14.0
    ) -> None:
        """Hair between the crown and ``hairline``, points from the left temple to the right one."""
        outer = [p for p in skull(self.look, self.age, self.turn, grow) if p[1] < low]
        outer.sort(key=lambda p: p[0])
        # The forehead turns with the head; the temples stay where the skull ends.
        line = [(x + self.turn * 0.55 * (1 - (x / 9.5) ** 2), y) for x, y in hairline]
        pen.polygon([*outer, *smooth(line[::-1], closed=False)], self.color)

    def _shine(self, pen: Pen) -> None:
        if not self.covered:
            x = -3.0 + self.turn * 0.3
            pen.line([(x - 2.6, -23.9), (x, -25.2), (x + 3.0, -25.4)], self.light, 0.8)

    def _short(self, pen: Pen) -> None:
        self._cap_of_hair(
            pen, [(-8.3, -15.5), (-7.2, -19.6), (-3.0, -21.6), (3.0, -21.8), (7.2, -19.6), (8.3, -15.5)]
        )
        self._shine(pen)

    def _parted(self, pen: Pen) -> None:
        line = [
            (-8.5, -15.0),
            (-7.4, -19.6),
            (-4.6, -22.6),
            (0.5, -20.4),
            (5.6, -19.2),
            (7.8, -18.0),
            (8.4, -15.0),
        ]
        self._cap_of_hair(pen, line, grow=1.3)
        pen.line([(-4.6 + self.turn * 0.5, -22.4), (-3.6 + self.turn * 0.4, -26.6)], self.deep, 0.35)
        self._shine(pen)

    def _fringe(self, pen: Pen) -> None:
        line = [
            (-8.8, -12.6),
            (-7.6, -17.6),
            (-4.0, -18.7),
            (0.0, -18.9),
            (4.0, -18.7),
            (7.6, -17.6),
            (8.8, -12.6),
        ]
        self._cap_of_hair(pen, line, grow=1.2, low=-12.0)
        for x in (-4.6, -1.4, 1.9, 5.0):
            pen.line([(x + self.turn * 0.5, -19.0), (x * 0.9 + self.turn * 0.4, -21.5)], self.deep, 0.3)
        self._shine(pen)

    def _swept(self, pen: Pen) -> None:
        line = [
            (-9.0, -10.5),
            (-7.9, -16.6),
            (-5.0, -20.0),
            (-1.4, -23.2),
            (3.6, -20.6),
            (7.6, -16.8),
            (9.0, -10.5),
        ]
        self._cap_of_hair(pen, line, grow=1.3, low=-10.0)
        self._shine(pen)

    def _back_combed(self, pen: Pen) -> None:
        line = [
            (-8.5, -14.5),
            (-7.4, -19.4),
            (-4.0, -22.2),
            (0.0, -22.9),
            (4.0, -22.2),
            (7.4, -19.4),
            (8.5, -14.5),
        ]
        self._cap_of_hair(pen, line, grow=0.8)
        for x in (-4.0, 0.0, 4.0):
            pen.line([(x + self.turn * 0.5, -22.4), (x * 0.6, -25.8)], self.deep, 0.28)
        self._shine(pen)

    def _curly(self, pen: Pen) -> None:
        self._cap_of_hair(
            pen, [(-8.4, -15.5), (-6.5, -19.8), (0, -21.6), (6.5, -19.8), (8.4, -15.5)], grow=1.0
        )
        if self.covered:
            return
        for i, (x, y) in enumerate(oval(0, -19.0, 8.6 * self.look.width, 7.6, steps=16)):
            if y < -17:
                pen.ellipse(x, y, 2.5, 2.5, self.color if i % 2 else shade(self.color, 1.08))
        for x in (-5.0, -1.7, 1.7, 5.0):
            pen.ellipse(x + self.turn * 0.4, -21.6, 2.1, 1.9, shade(self.color, 1.08 if x > 0 else 1.0))

    def _spiky(self, pen: Pen) -> None:
        self._cap_of_hair(
            pen, [(-8.3, -15.5), (-7.0, -19.8), (-3.0, -21.4), (3.0, -21.4), (7.0, -19.8), (8.3, -15.5)]
        )
        if not self.covered:
            for x in (-6.0, -3.2, 0.0, 3.2, 6.0):
                tip = (x * 1.18 + 0.8, -29.6 + abs(x) * 0.42)
                pen.polygon(
                    [(x - 2.2, -24.2 + abs(x) * 0.2), tip, (x + 2.2, -24.2 + abs(x) * 0.2)], self.color
                )

    def _shaggy(self, pen: Pen) -> None:
        line = [(-9.2, -11.5), (-7.8, -16.5), (-5.8, -18.2), (-3.6, -20.4), (-0.6, -18.4), (2.4, -20.6)]
        self._cap_of_hair(pen, [*line, (5.4, -18.0), (7.8, -16.5), (9.2, -11.5)], grow=1.5, low=-11.0)
        self._shine(pen)

    def _receding(self, pen: Pen) -> None:
        line = [(-8.4, -13.5), (-7.6, -18.0), (-6.2, -21.8), (-3.2, -22.6), (0.0, -24.4), (3.2, -22.6)]
        self._cap_of_hair(pen, [*line, (6.2, -21.8), (7.6, -18.0), (8.4, -13.5)], grow=0.6)

    def _bald(self, pen: Pen) -> None:
        for side in (-1, 1):
            x = side * 8.3 * self.look.width
            pen.blob(
                [(x, -18.4), (x + side * 0.7, -15.6), (x + side * 0.2, -12.6), (x - side * 0.9, -15.4)],
                self.color,
            )
        if not self.covered:
            pen.ellipse(-2.6 + self.turn * 0.3, -24.0, 2.0, 0.8, (255, 255, 255, 60))

    def _tuft(self, pen: Pen) -> None:
        pen.blob(
            [(-2.6, -26.2), (-0.8, -28.6), (0.4, -27.2), (2.0, -28.8), (2.8, -26.0), (0.2, -23.6)], self.color
        )


def _nothing(_cut: Cut, _pen: Pen) -> None:
    """Short hair has nothing behind the head."""


_Stroke = Callable[[Cut, Pen], None]

_BACK: dict[str, _Stroke] = {
    "long": Cut._long_back, "wavy": Cut._wavy_back, "bob": Cut._bob_back, "ponytail": Cut._tail_back,
    "bun": Cut._bun_back, "curly": Cut._curly_back,
}  # fmt: skip
_FRONT: dict[str, _Stroke] = {
    "long": Cut._swept, "wavy": Cut._swept, "bob": Cut._fringe, "ponytail": Cut._back_combed,
    "bun": Cut._back_combed, "curly": Cut._curly, "fringe": Cut._fringe, "pixie": Cut._shaggy,
    "short": Cut._short, "parted": Cut._parted, "spiky": Cut._spiky, "receding": Cut._receding,
    "bald": Cut._bald, "shaggy": Cut._shaggy, "tuft": Cut._tuft,
}  # fmt: skip
