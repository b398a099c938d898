"""What was photographed: every picture of a demo library, before anything is drawn. Pure, from a seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from itertools import count, cycle
from random import Random
from typing import Literal

from image_search_service.demo.dice import dice
from image_search_service.demo.layout import Place, arrange, free_place
from image_search_service.demo.people import Person, make_people, make_strangers
from image_search_service.demo.portrait import Expression, Figure, Hat
from image_search_service.faces.engines.synthetic_code import FaceCode

Format = Literal["JPEG", "PNG", "WEBP", "TIFF", "GIF", "HEIF", "AVIF"]
Tone = Literal["color", "faded", "gray"]
SUFFIXES: dict[Format, str] = {
    "JPEG": ".jpg", "PNG": ".png", "WEBP": ".webp", "TIFF": ".tif", "GIF": ".gif", "HEIF": ".heic", "AVIF": ".avif",
}  # fmt: skip

RICH_LIMIT = 2_000
"""Up to so many faces a library is an album with events; beyond it is a load test of plain pictures."""

_FIRST_YEAR, _LAST_YEAR = 1994, 2024
_TITLES: dict[str, tuple[str, ...]] = {
    "beach": ("Été à la mer", "Strandurlaub", "海辺の日"),
    "mountains": ("Wanderung in den Bergen", "Tatry – wakacje"),
    "living room": ("Sonntag bei Oma", "At home", "Visita"),
    "birthday": ("Geburtstag", "Födelsedag", "¡Cumpleaños!"),
    "garden": ("Grillen im Garten", "Garden party"),
    "city": ("Łódź weekend", "Tokyo 東京", "Città"),
    "snow": ("Skiing", "Зима"),
    "forest": ("Herbstspaziergang", "In the woods"),
    "wedding": ("Hochzeit", "Düğün"),
    "evening": ("New Year's Eve 🎆", "Summer night"),
}
_OUTDOORS = ("beach", "garden", "city", "snow", "wedding")
_SIZES = ((1280, 960), (1280, 960), (960, 1280), (1440, 960), (1200, 900))
_GROUPS = (1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 6, 7, 8, 10, 12)
_HATS: dict[str, tuple[Hat, ...]] = {
    "beach": ("", "sun", "cap"), "birthday": ("party", "party", ""), "snow": ("beanie", "beanie", "cap"),
    "garden": ("", "", "", "sun"), "mountains": ("", "", "cap"), "evening": ("", "", "", "party"),
}  # fmt: skip
_EXPRESSIONS: tuple[Expression, ...] = (
    "smile",
    "smile",
    "smile",
    "grin",
    "grin",
    "laugh",
    "calm",
    "surprise",
)
_FORMATS: tuple[Format, ...] = (
    "JPEG", "JPEG", "JPEG", "WEBP", "JPEG", "JPEG", "PNG", "JPEG", "JPEG", "HEIF", "JPEG", "JPEG", "JPEG",
    "TIFF", "JPEG", "JPEG", "AVIF", "JPEG", "JPEG", "GIF", "JPEG", "JPEG", "JPEG",
)  # fmt: skip


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

    people: list[Person]
    strangers: list[Person]
    pictures: list[Picture]
    copies: dict[str, str] = field(default_factory=dict)


def plan_library(faces: int, seed: int) -> Plan:
    """The library with exactly ``faces`` readable faces, not counting copies of a picture."""
    return _Album(faces, seed).plan() if faces <= RICH_LIMIT else _load_test(faces, seed)


# -- an album: events of families and friends over thirty years


@dataclass(frozen=True, slots=True)
class _Event:
    scene: str
    backdrop: int
    start: datetime
    guests: list[Person]


class _Album:
    def __init__(self, faces: int, seed: int) -> None:
        self.faces, self.seed = faces, seed
        self.rng = dice("album", seed)
        self.people = make_people(max(4, min(round(40 * (faces / 600) ** 0.8), faces)), seed)
        self.strangers = iter(make_strangers(faces, seed))
        self.seen_strangers: list[Person] = []
        self.seen = dict.fromkeys((p.number for p in self.people), 0)
        self.moments: dict[int, Iterator[int]] = {}
        self.circles = self._circles()

    def plan(self) -> Plan:
        pictures: list[Picture] = []
        remaining = self.faces
        for scene in cycle(self.rng.sample(sorted(_TITLES), len(_TITLES))):
            for picture in self._photograph(self._event(scene), remaining):
                pictures.append(picture)
                remaining -= len(picture.figures)
            if not remaining:
                break
        pictures = _name_and_finish(sorted(pictures, key=lambda p: p.taken), self.rng)
        pictures = _with_one_enormous(pictures) if self.faces >= 200 else pictures
        copies = _copies(pictures, self.rng) if len(pictures) > 10 else {}
        hard = self._hard_pictures() if len(pictures) > 10 else []
        return Plan(self.people, self.seen_strangers, [*pictures, *hard], copies)

    def _circles(self) -> list[list[Person]]:
        """Families, pairs of families who know each other, and friends."""
        families: dict[int, list[Person]] = {}
        for person in self.people:
            families.setdefault(person.family, []).append(person)
        homes = [family for family in families.values() if len(family) > 1]
        related = [a + b for a, b in zip(homes, homes[1:], strict=False)]
        friends = [
            self.rng.sample(self.people, min(len(self.people), self.rng.randint(4, 14)))
            for _ in range(max(2, len(self.people) // 5))
        ]
        return homes * 2 + related + friends

    def _event(self, scene: str) -> _Event:
        start = datetime(  # noqa: DTZ001 - EXIF dates carry no time zone
            self.rng.randint(_FIRST_YEAR, _LAST_YEAR), self.rng.randint(1, 12), self.rng.randint(1, 28), 10
        )
        rarest = min(self.people, key=lambda p: (self.seen[p.number], p.number))
        with_rarest = [circle for circle in self.circles if rarest in circle] or [[rarest]]
        circle = self.rng.choice(self.circles if self.rng.random() < 0.6 else with_rarest)
        guests = [person for person in circle if person.born <= start.year]
        return _Event(
            scene, self.rng.randrange(4), start, guests or [p for p in self.people if p.born < 1990][:2]
        )

    def _photograph(self, event: _Event, remaining: int) -> Iterator[Picture]:
        moment = event.start
        for _ in range(self.rng.randint(3, 6)):
            moment += timedelta(minutes=self.rng.randint(2, 70), seconds=self.rng.randrange(60))
            if remaining <= 0:
                return
            picture = self._picture(event, moment, remaining)
            shots = self.rng.randint(2, 3) if self.rng.random() < 0.06 else 1
            for shot in range(shots):
                if len(picture.figures) <= remaining:
                    remaining -= len(picture.figures)
                    yield _again(picture, shot, self.rng) if shot else picture

    def _picture(self, event: _Event, taken: datetime, most: int) -> Picture:
        wanted = self.rng.choice(_GROUPS)
        shown = self.rng.sample(event.guests, min(wanted, len(event.guests), most))
        size = self.rng.choice(_SIZES)
        ages = [taken.year - person.born for person in shown]
        # The small stand in front: places come back rows first.
        order = sorted(range(len(shown)), key=lambda i: -_height(ages[i]))
        places = arrange(self.rng, [_height(ages[i]) for i in order], size)
        haze = min(15, int(self.rng.expovariate(1 / 3.0)))
        figures = [
            self._figure(shown[i], ages[i], place, haze, event.scene)
            for i, place in zip(order, places, strict=True)
        ]
        if event.scene in _OUTDOORS and len(shown) < most and self.rng.random() < 0.3:
            figures = [*self._passer_by(places, size, event), *figures]
        blur = 0.02 * haze * min(figure.cell for figure in figures)
        return Picture("", size, event.scene, event.backdrop, taken, tuple(figures), blur=blur)

    def _figure(self, person: Person, age: int, place: Place, haze: int, scene: str) -> Figure:
        self.seen[person.number] = self.seen.get(person.number, 0) + 1
        moment = next(self.moments.setdefault(person.number, count())) % 256
        return _figure(self.rng, person, (age, moment, haze), place, scene)

    def _passer_by(self, places: Sequence[Place], size: tuple[int, int], event: _Event) -> list[Figure]:
        place = free_place(self.rng, places, size, self.rng.uniform(2.6, 3.4))
        if place is None:
            return []
        stranger = next(self.strangers)
        self.seen_strangers.append(stranger)
        age = max(14, event.start.year - stranger.born)
        return [self._figure(stranger, age, place, self.rng.randint(4, 11), event.scene)]

    def _hard_pictures(self) -> list[Picture]:
        """Landscapes, and people whom no detector finds: too dark, too blurred, too far away."""
        hard: list[Picture] = []
        for i, scene in enumerate(("mountains", "beach", "forest", "evening")):
            taken = datetime(2003 + i, 6, 2, 18, 30)  # noqa: DTZ001 - EXIF dates carry no time zone
            hard.append(Picture(f"Landschaften/{scene} {i + 1}.jpg", (1280, 960), scene, i, taken))
        for i, kind in enumerate(("dark", "dark", "blurred", "blurred", "far away")):
            event = self._event("living room" if kind == "dark" else "mountains")
            picture = replace(
                self._picture(event, event.start, 4), path=f"misslungen/{kind} {i}.jpg", readable=False
            )
            hard.append(_spoilt(picture, kind))
        return hard


def _figure(rng: Random, person: Person, facts: tuple[int, int, int], place: Place, scene: str) -> Figure:
    """One person as seen at one moment; ``facts``: age, moment (0 to 255), blur (0 to 15)."""
    age, moment, blur = facts
    code = FaceCode(
        family=person.family,
        member=person.member,
        age=min(age, 127),
        variation=moment * 16,
        blur=blur,
        yaw=rng.choice((-3, -2, -1, -1, 0, 0, 0, 0, 1, 1, 2, 3)),
        tilt=rng.choice((-1, 0, 0, 0, 1)),
    )
    hat = rng.choice(_HATS.get(scene, ("", "", "", "", "", "", "cap")))
    return Figure(
        person, code, place.x, place.y, place.cell, rng.choice(_EXPRESSIONS), hat, rng.randrange(10)
    )


def _height(age: int) -> float:
    """Size of somebody of that age beside an adult."""
    return 1.0 if age >= 15 else 0.78 + 0.22 * age / 15


def _again(picture: Picture, shot: int, rng: Random) -> Picture:
    """The same moment a second later: everybody looks a little different."""
    figures = tuple(
        replace(
            figure,
            x=figure.x + rng.uniform(-0.3, 0.3) * figure.cell,
            expression=rng.choice(_EXPRESSIONS),
            code=replace(figure.code, variation=figure.code.variation + shot),
        )
        for figure in picture.figures
    )
    return replace(picture, figures=figures, taken=picture.taken + timedelta(seconds=shot))


def _spoilt(picture: Picture, kind: str) -> Picture:
    if kind == "dark":
        return replace(picture, light=0.16)
    if kind == "blurred":
        return replace(picture, blur=1.6 * max(figure.cell for figure in picture.figures))
    small = 1.2 / max(figure.cell for figure in picture.figures)
    width, height = picture.size
    figures = tuple(
        replace(f.scaled(small), x=width * 0.5 + (f.x - width * 0.5) * 0.4, y=height * 0.62)
        for f in picture.figures
    )
    return replace(picture, figures=figures, blur=0.0)


def _name_and_finish(pictures: list[Picture], rng: Random) -> list[Picture]:
    """Folders, file names, formats, orientations and tones, as they gather over thirty years."""
    done, numbers, oriented = [], count(rng.randrange(100, 4000)), cycle((1, 6, 8, 3, 2, 4, 5, 7))
    titles: dict[tuple[int, str, int], str] = {}
    for i, (picture, kind) in enumerate(zip(pictures, cycle(_FORMATS), strict=False)):
        year, month = picture.taken.year, picture.taken.month
        title = titles.setdefault((year, picture.scene, month), rng.choice(_TITLES[picture.scene]))
        orientation = next(oriented) if kind == "JPEG" and i % 3 == 0 else 1
        tone: Tone = "gray" if year < 2000 and i % 5 == 0 else "faded" if year < 2001 else "color"
        path = f"{year}/{year}-{month:02} {title}/{_file_name(year, next(numbers), kind)}"
        done.append(
            replace(picture, path=path, format=kind, orientation=orientation, tone=tone, dated=year > 1996)
        )
    return done


def _file_name(year: int, number: int, kind: Format) -> str:
    suffix = SUFFIXES[kind]
    if year < 2000:
        return f"Foto nº {number}{suffix}"
    return f"DSC{number:05}{suffix.upper()}" if year < 2010 else f"IMG_{number:04}{suffix}"


def _with_one_enormous(pictures: list[Picture]) -> list[Picture]:
    """The largest group was taken with a camera of 25 megapixels: detection needs a reduced copy."""
    landscape = [
        i for i, picture in enumerate(pictures) if picture.size == (1280, 960) and picture.format == "JPEG"
    ]
    chosen = max(landscape, key=lambda i: (len(pictures[i].figures), -i))
    picture, factor = pictures[chosen], 4.5
    figures = tuple(figure.scaled(factor) for figure in picture.figures)
    large = replace(picture, size=(5760, 4320), figures=figures, blur=picture.blur * factor, supersample=1)
    return [*pictures[:chosen], large, *pictures[chosen + 1 :]]


def _copies(pictures: list[Picture], rng: Random) -> dict[str, str]:
    originals = rng.sample(pictures, 5)
    return {f"Kopien/Kopie von {p.path.rsplit('/', 1)[1]}": p.path for p in originals}


# -- a load test: plain pictures of ten faces


def _load_test(faces: int, seed: int) -> Plan:
    """Ten faces a picture. Most people have a few photos, some hundreds; every twelfth face is a stranger."""
    people = make_people(max(40, faces // 14), seed)
    strangers = make_strangers(-(-faces // 12), seed)
    rng = dice("load test", seed)
    weights = [min(rng.paretovariate(1.1), 150.0) for _ in people]
    drawn = rng.choices(people, weights, k=faces)
    crowd = [strangers[i // 12] if i % 12 == 11 else drawn[i] for i in range(faces)]
    pictures = [
        _plain_picture(number, _once_each(crowd[start : start + 10], people, rng), seed)
        for number, start in enumerate(range(0, faces, 10))
    ]
    return Plan(people, strangers[: faces // 12], pictures)


def _once_each(shown: list[Person], people: list[Person], rng: Random) -> list[Person]:
    """Nobody is twice in one picture: whoever would be is replaced by somebody else."""
    group: dict[int, Person] = {}
    for person in shown:
        while person.number in group:
            person = rng.choice(people)
        group[person.number] = person
    return list(group.values())


def _plain_picture(number: int, shown: list[Person], seed: int) -> Picture:
    rng = dice("plain", seed, number)
    taken = datetime(_FIRST_YEAR, 1, 1, 12) + timedelta(minutes=number * 3 + rng.randrange(3))  # noqa: DTZ001
    scene, size = sorted(_TITLES)[number // 50 % len(_TITLES)], (640, 480)
    haze = min(15, int(rng.expovariate(1 / 3.0)))
    figures = tuple(
        _figure(rng, person, (max(3, taken.year - person.born), rng.randrange(256), haze), place, scene)
        for person, place in zip(shown, arrange(rng, [1.0] * len(shown), size), strict=True)
    )
    path = f"load test/{number // 1000:04}/{number:07}.jpg"
    blur = 0.02 * haze * figures[0].cell
    return Picture(path, size, scene, number // 500, taken, figures, blur=blur, supersample=2)
