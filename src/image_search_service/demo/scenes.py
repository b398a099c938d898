"""Backgrounds: where a picture was taken. Each scene is a few flat shapes; coordinates are 100 units high."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from random import Random

from PIL import Image

from image_search_service.demo.dice import dice
from image_search_service.demo.pen import Pen, Point, mix, oval, shade
from image_search_service.demo.people import CLOTHES, Color

Scene = str
Size = tuple[int, int]
_Paint = Callable[["_Stage"], None]

_LARGEST = 1600
"""A larger background is drawn at this size and enlarged: flat shapes lose nothing by it."""

_SKIES: tuple[tuple[Color, Color], ...] = (
    ((118, 180, 228), (222, 240, 248)), ((92, 156, 214), (250, 232, 206)), ((150, 190, 214), (240, 240, 232)),
    ((240, 170, 130), (252, 226, 178)),
)  # fmt: skip


def draw_scene(name: Scene, size: Size, seed: int) -> Image.Image:
    """The background ``name`` as an RGB picture of ``size``, in one of four variants; yours to draw on."""
    shrink = max(1, -(-max(size) // _LARGEST))
    picture = _painted(name, (size[0] // shrink, size[1] // shrink), seed % 4)
    return picture.copy() if picture.size == size else picture.resize(size, Image.Resampling.BICUBIC)


@lru_cache(maxsize=24)
def _painted(name: Scene, size: Size, variant: int) -> Image.Image:
    large = Image.new("RGB", (size[0] * 2, size[1] * 2))
    SCENES[name](_Stage(large, dice(name, variant)))
    return large.reduce(2)


class _Stage:
    """A picture to paint a background on, 100 units high and ``wide`` units wide."""

    def __init__(self, image: Image.Image, rng: Random) -> None:
        self.image, self.rng = image, rng
        self.pen = Pen(image, (0.0, 0.0), image.height / 100)
        self.wide = image.width / image.height * 100

    def sky(self, top: Color, bottom: Color, horizon: float = 100.0) -> None:
        """A gradient from the top edge down to ``horizon``."""
        height = int(self.image.height * horizon / 100)
        ramp = Image.linear_gradient("L").resize((self.image.width, height))
        above, below = (Image.new("RGB", ramp.size, color) for color in (top, bottom))
        self.image.paste(Image.composite(below, above, ramp), (0, 0))

    def ground(self, color: Color, top: float, bottom: float = 100.0) -> None:
        self.pen.polygon([(0, top), (self.wide, top), (self.wide, bottom), (0, bottom)], color)

    def box(self, x: float, y: float, width: float, height: float, color: Color) -> None:
        self.pen.polygon([(x, y), (x + width, y), (x + width, y + height), (x, y + height)], color)

    def ridge(self, base: float, rise: float, color: Color, peaks: int) -> None:
        """A chain of hills; the more peaks, the smaller."""
        step = self.wide / peaks
        points: list[Point] = [(-5.0, base)]
        for i in range(peaks + 1):
            points += [
                (i * step, base - rise * self.rng.uniform(0.1, 0.4)),
                ((i + 0.5) * step, base - rise * self.rng.uniform(0.7, 1)),
            ]
        self.pen.blob([*points, (self.wide + 5, base), (self.wide + 5, 105), (-5, 105)], color)

    def cloud(self, x: float, y: float, size: float) -> None:
        for dx, dy, r in ((-1.2, 0.2, 0.7), (-0.4, -0.25, 1.0), (0.6, -0.1, 0.9), (1.4, 0.25, 0.6)):
            self.pen.ellipse(x + dx * size, y + dy * size, r * size, r * size * 0.62, (255, 255, 255, 215))

    def clouds(self, count: int) -> None:
        for _ in range(count):
            self.cloud(self.rng.uniform(0, self.wide), self.rng.uniform(5, 24), self.rng.uniform(4, 7))

    def tree(self, x: float, base: float, height: float, leaf: Color) -> None:
        self.box(x - height * 0.05, base - height * 0.5, height * 0.1, height * 0.5, (112, 82, 60))
        for dx, dy, r in ((-0.2, -0.55, 0.24), (0.2, -0.55, 0.24), (0, -0.78, 0.28), (0, -0.52, 0.26)):
            self.pen.ellipse(x + dx * height, base + dy * height, r * height, r * height, leaf)
        self.pen.ellipse(
            x - 0.07 * height, base - 0.82 * height, 0.15 * height, 0.13 * height, shade(leaf, 1.16)
        )

    def fir(self, x: float, base: float, height: float, leaf: Color) -> None:
        self.box(x - height * 0.04, base - height * 0.15, height * 0.08, height * 0.15, (100, 74, 56))
        for i in range(3):
            low, half = base - height * (0.1 + 0.26 * i), height * (0.3 - 0.07 * i)
            self.pen.polygon(
                [(x - half, low), (x + half, low), (x, low - height * 0.42)], shade(leaf, 1 + 0.08 * i)
            )

    def picket(self, x: float) -> None:
        post = [(x, 48.0), (x + 2.1, 45.0), (x + 4.2, 48.0), (x + 4.2, 66.0), (x, 66.0)]
        self.pen.polygon(post, (250, 248, 242))

    def flag_line(self, y: float) -> None:
        """Bunting from edge to edge."""
        count = int(self.wide // 8)
        for i in range(count):
            x, sag = (i + 0.5) * self.wide / count, 6.0 * (1 - abs(2 * i / count - 1) ** 2)
            color = CLOTHES[(i * 3) % len(CLOTHES)]
            self.pen.polygon([(x - 2.6, y + sag), (x + 2.6, y + sag), (x, y + sag + 5.5)], color)

    def daylight(self) -> tuple[Color, Color]:
        return self.rng.choice(_SKIES)


def _beach(stage: _Stage) -> None:
    stage.sky(*stage.daylight(), 46)
    stage.clouds(3)
    stage.ground((70, 150, 186), 42, 62)
    for y in (47, 52, 57):
        for start in range(0, int(stage.wide), 22):
            at = start + stage.rng.uniform(0, 14)
            stage.pen.line([(at, y), (at + 4, y - 0.7), (at + 8, y)], (162, 202, 222), 0.5)
    stage.ground((238, 216, 166), 60)
    stage.pen.blob(
        [
            (-5, 61),
            (stage.wide * 0.3, 59.5),
            (stage.wide * 0.7, 62.5),
            (stage.wide + 5, 60),
            (stage.wide + 5, 64),
            (-5, 64),
        ],
        (250, 238, 208),
    )
    x = stage.rng.choice((0.12, 0.86)) * stage.wide
    stage.pen.line([(x, 40), (x + 2, 88)], (250, 246, 238), 1.0)
    for i in range(6):
        left, right = x - 18 + 6 * i, x - 12 + 6 * i
        stage.pen.polygon([(left, 46), (x, 33), (right, 46)], (216, 82, 74) if i % 2 else (250, 244, 232))


def _mountains(stage: _Stage) -> None:
    stage.sky(*stage.daylight(), 70)
    stage.clouds(2)
    for i in range(4):
        x, peak = stage.wide * (0.1 + 0.28 * i) + stage.rng.uniform(-6, 6), stage.rng.uniform(14, 30)
        stage.pen.polygon(
            [(x - 34, 66), (x, peak), (x + 34, 66)], (128, 144, 168) if i % 2 else (144, 158, 180)
        )
        stage.pen.polygon(
            [
                (x - 7.5, peak + 10),
                (x, peak),
                (x + 7.5, peak + 10),
                (x + 3, peak + 8),
                (x, peak + 12),
                (x - 3, peak + 8),
            ],
            (246, 248, 252),
        )
    stage.ridge(68, 12, (112, 154, 112), 5)
    stage.ridge(82, 10, (138, 178, 108), 3)
    for _ in range(7):
        stage.fir(
            stage.rng.uniform(0, stage.wide),
            stage.rng.uniform(68, 80),
            stage.rng.uniform(9, 15),
            (62, 110, 82),
        )


def _living_room(stage: _Stage) -> None:
    wall = stage.rng.choice(((226, 214, 196), (206, 216, 208), (222, 204, 200), (204, 212, 226)))
    stage.ground(wall, 0, 74)
    stage.ground((176, 132, 94), 74)
    stage.box(0, 73, stage.wide, 1.6, (246, 242, 234))
    x = stage.wide * stage.rng.uniform(0.06, 0.14)
    stage.box(x, 14, 30, 34, (250, 248, 242))
    stage.box(x + 1.6, 15.6, 26.8, 30.8, (176, 212, 236))
    stage.box(x + 14.2, 15.6, 1.4, 30.8, (250, 248, 242))
    for side in (-4, 28):
        stage.box(x + side, 10, 6, 50, shade(CLOTHES[stage.rng.randrange(10)], 1.3))
    for i in range(2):
        px = stage.wide * (0.55 + 0.2 * i)
        stage.box(px, 16 + 3 * i, 16, 19 - 2 * i, (110, 80, 58))
        stage.box(px + 1.2, 17.2 + 3 * i, 13.6, 16.6 - 2 * i, (236, 228, 210))
        stage.pen.blob(
            [(px + 2, 32), (px + 6, 24 + 2 * i), (px + 10, 28), (px + 14, 31)],
            CLOTHES[stage.rng.randrange(10)],
        )
    sofa = CLOTHES[stage.rng.randrange(8)]
    stage.pen.polygon(oval(stage.wide * 0.5, 78, stage.wide * 0.42, 20, power=5), shade(sofa, 0.85))
    stage.pen.polygon(oval(stage.wide * 0.5, 92, stage.wide * 0.46, 12, power=6), sofa)
    lamp = stage.wide * 0.93
    stage.box(lamp - 0.5, 34, 1, 50, (96, 84, 76))
    stage.pen.polygon([(lamp - 7, 36), (lamp - 4, 22), (lamp + 4, 22), (lamp + 7, 36)], (252, 232, 180))


def _birthday(stage: _Stage) -> None:
    wall = stage.rng.choice(((250, 226, 206), (214, 230, 240), (238, 220, 238), (226, 240, 222)))
    stage.ground(wall, 0)
    for _ in range(60):
        x, y = stage.rng.uniform(0, stage.wide), stage.rng.uniform(0, 84)
        stage.pen.ellipse(x, y, 0.6, 0.6, (*CLOTHES[stage.rng.randrange(10)], 130))
    stage.flag_line(3)
    for i in range(5):
        x, y = stage.wide * (0.06 + 0.22 * i) + stage.rng.uniform(-3, 3), stage.rng.uniform(20, 34)
        color = CLOTHES[(i * 2 + 1) % len(CLOTHES)]
        stage.pen.line([(x, y + 8), (x + 1.5, y + 20), (x - 1, y + 34)], (120, 110, 110), 0.3)
        stage.pen.ellipse(x, y, 5.6, 7.0, color)
        stage.pen.ellipse(x - 1.8, y - 2.4, 1.3, 1.9, (255, 255, 255, 120))
    stage.ground((250, 248, 244), 86)
    stage.box(0, 86, stage.wide, 1.4, (226, 220, 214))


def _garden(stage: _Stage) -> None:
    stage.sky(*stage.daylight(), 60)
    stage.clouds(2)
    stage.ridge(56, 8, (120, 170, 110), 4)
    for i in range(int(stage.wide // 6) + 1):
        stage.picket(i * 6.0)
    stage.box(0, 52, stage.wide, 2, (240, 236, 228))
    stage.ground((140, 186, 96), 64)
    stage.tree(stage.wide * stage.rng.choice((0.1, 0.9)), 68, 52, (92, 146, 84))
    for _ in range(46):
        x, y = stage.rng.uniform(0, stage.wide), stage.rng.uniform(67, 99)
        stage.pen.line([(x, y), (x + 0.3, y - 2)], (96, 146, 70), 0.4)
        stage.pen.ellipse(
            x, y - 2.4, 0.9, 0.9, stage.rng.choice(((250, 240, 240), (244, 190, 70), (222, 110, 130)))
        )


def _city(stage: _Stage) -> None:
    stage.sky(*stage.daylight(), 80)
    stage.clouds(2)
    x = -4.0
    while x < stage.wide:
        width, top = stage.rng.uniform(13, 22), stage.rng.uniform(14, 44)
        wall = stage.rng.choice(
            ((206, 150, 124), (222, 196, 160), (166, 178, 192), (196, 176, 176), (232, 214, 186))
        )
        stage.box(x, top, width, 80 - top, wall)
        stage.box(x, top, width, 1.6, shade(wall, 0.8))
        for wy in range(int(top) + 5, 74, 9):
            for k in range(int(width // 5)):
                stage.box(
                    x + 1.8 + k * 5,
                    wy,
                    2.6,
                    4.6,
                    shade(wall, 0.62) if stage.rng.random() < 0.7 else (252, 236, 176),
                )
        x += width + 0.4
    stage.ground((172, 170, 168), 78)
    stage.ground((150, 148, 148), 84)
    for x in range(0, int(stage.wide), 16):
        stage.box(x, 91, 8, 1.4, (240, 238, 230))


def _snow(stage: _Stage) -> None:
    stage.sky((150, 176, 208), (232, 238, 246), 70)
    stage.ridge(62, 16, (206, 218, 232), 4)
    for _ in range(9):
        stage.fir(
            stage.rng.uniform(0, stage.wide),
            stage.rng.uniform(60, 72),
            stage.rng.uniform(12, 24),
            (84, 126, 112),
        )
    stage.ridge(72, 6, (240, 244, 250), 3)
    for _ in range(110):
        r = stage.rng.uniform(0.25, 0.7)
        stage.pen.ellipse(
            stage.rng.uniform(0, stage.wide), stage.rng.uniform(0, 100), r, r, (255, 255, 255, 220)
        )


def _forest(stage: _Stage) -> None:
    leaf = stage.rng.choice(((108, 152, 88), (206, 140, 62), (92, 140, 96), (190, 100, 60)))
    stage.sky((206, 226, 212), (240, 240, 214), 74)
    for i in range(12):
        x = stage.wide * (i + stage.rng.uniform(0.1, 0.9)) / 12
        stage.tree(x, stage.rng.uniform(62, 70), stage.rng.uniform(34, 54), mix(leaf, (235, 240, 225), 0.45))
    stage.ground(mix(leaf, (176, 160, 110), 0.5), 68)
    for i in range(6):
        x = stage.wide * (i + stage.rng.uniform(0.0, 1.0)) / 6
        stage.tree(
            x,
            stage.rng.uniform(74, 82),
            stage.rng.uniform(60, 84),
            shade(leaf, stage.rng.uniform(0.85, 1.05)),
        )


def _wedding(stage: _Stage) -> None:
    stage.sky((196, 220, 236), (250, 240, 228), 70)
    stage.ridge(66, 10, (150, 190, 140), 4)
    stage.ground((166, 202, 132), 66)
    middle = stage.wide / 2
    stage.pen.polygon(
        [(middle - 8, 66), (middle + 8, 66), (middle + 34, 100), (middle - 34, 100)], (246, 240, 230)
    )
    for side in (-1, 1):
        stage.box(middle + side * 34 - 1.5, 14, 3, 62, (250, 248, 244))
    stage.box(middle - 36, 12, 72, 3, (250, 248, 244))
    for i in range(19):
        x = middle - 36 + 4 * i
        y = 13.5 + stage.rng.uniform(-1.5, 1.5)
        stage.pen.ellipse(
            x,
            y,
            3,
            2.6,
            stage.rng.choice(((238, 170, 180), (250, 226, 226), (140, 180, 120), (226, 130, 150))),
        )
    stage.flag_line(24)


def _evening(stage: _Stage) -> None:
    stage.sky((44, 52, 92), (206, 116, 96), 72)
    for _ in range(50):
        r = stage.rng.uniform(0.12, 0.35)
        stage.pen.ellipse(stage.rng.uniform(0, stage.wide), stage.rng.uniform(0, 45), r, r, (255, 250, 226))
    stage.ridge(70, 14, (72, 66, 100), 4)
    stage.ground((62, 70, 78), 74)
    count = int(stage.wide // 9)
    for i in range(count + 1):
        x, y = i * stage.wide / count, 12 + 7 * abs(((i % 6) - 3) / 3) ** 2
        stage.pen.ellipse(x, y, 3.2, 3.2, (255, 226, 140, 60))
        stage.pen.ellipse(x, y, 1.2, 1.2, (255, 236, 170))


SCENES: dict[Scene, _Paint] = {
    "beach": _beach, "mountains": _mountains, "living room": _living_room, "birthday": _birthday,
    "garden": _garden, "city": _city, "snow": _snow, "forest": _forest, "wedding": _wedding,
    "evening": _evening,
}  # fmt: skip
"""Every scene by its name."""
