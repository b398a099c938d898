"""An album: what families and friends photographed in thirty years. Pure, from a seed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count, cycle, pairwise
from random import Random

from image_search_service.demo.dice import dice
from image_search_service.demo.layout import Place, arrange, free_place
from image_search_service.demo.people import DrawnPerson, make_people, make_strangers
from image_search_service.demo.picture import (
    EXPRESSIONS,
    Moment,
    Picture,
    Plan,
    choose_outfit,
    pose,
    softness,
    throw_haze,
)  # fmt: skip
from image_search_service.demo.portrait import Figure
from image_search_service.demo.prints import copies_of, name_and_finish, spoil, with_one_enormous
from image_search_service.demo.scenes import SCENES

_FIRST_YEAR, _LAST_YEAR = 1994, 2024
_OUTDOORS = ("beach", "garden", "city", "snow", "wedding")
_SIZES = ((1280, 960), (1280, 960), (960, 1280), (1440, 960), (1200, 900))
_GROUPS = (1, 1, 1, 2, 2, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 6, 7, 8, 10, 12)
"""How many people one would like to have in a picture."""
_FEW_PICTURES = 10
"""An album of fewer pictures is for tests: it has no copies and no hard pictures."""
_HAS_ENORMOUS = 200
"""Faces from which on an album has a picture of 25 megapixels."""


def plan_album(faces: int, seed: int) -> Plan:
    """An album with exactly ``faces`` readable faces, one person for every fifteen of them."""
    return _Album(faces, seed).plan()


@dataclass(frozen=True, slots=True)
class _Event:
    scene: str
    backdrop: int
    start: datetime
    guests: list[DrawnPerson]


class _Album:
    """Keeps who was seen how often while the pictures are thought up."""

    def __init__(self, faces: int, seed: int) -> None:
        self.faces, self.seed = faces, seed
        self.rng = dice("album", seed)
        self.people = make_people(max(4, min(round(40 * (faces / 600) ** 0.8), faces)), seed)
        self.strangers = iter(make_strangers(faces, seed))
        self.seen_strangers: list[DrawnPerson] = []
        self.seen = dict.fromkeys((p.number for p in self.people), 0)
        self.moments: dict[int, Iterator[int]] = {}
        self.circles = self._circles()

    def plan(self) -> Plan:
        pictures: list[Picture] = []
        remaining = self.faces
        for scene in cycle(self.rng.sample(sorted(SCENES), len(SCENES))):
            for picture in self._photograph(self._event(scene), remaining):
                pictures.append(picture)
                remaining -= len(picture.figures)
            if not remaining:
                break
        pictures = name_and_finish(sorted(pictures, key=lambda p: p.taken), self.rng)
        pictures = with_one_enormous(pictures) if self.faces >= _HAS_ENORMOUS else pictures
        copies = copies_of(pictures, self.rng) if len(pictures) > _FEW_PICTURES else {}
        hard = self._hard_pictures() if len(pictures) > _FEW_PICTURES else []
        return Plan(self.people, self.seen_strangers, [*pictures, *hard], copies)

    def _circles(self) -> list[list[DrawnPerson]]:
        """Families, pairs of families who know each other, and friends."""
        families: dict[int, list[DrawnPerson]] = {}
        for person in self.people:
            families.setdefault(person.family, []).append(person)
        homes = [family for family in families.values() if len(family) > 1]
        related = [a + b for a, b in pairwise(homes)]
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
        haze = throw_haze(self.rng)
        figures = [
            self._figure(shown[i], ages[i], place, haze, event)
            for i, place in zip(order, places, strict=True)
        ]
        if event.scene in _OUTDOORS and len(shown) < most and self.rng.random() < 0.3:
            figures = [*self._passer_by(places, size, event), *figures]
        blur = softness(haze, min(figure.cell for figure in figures))
        return Picture("", size, event.scene, event.backdrop, taken, tuple(figures), blur=blur)

    def _figure(self, person: DrawnPerson, age: int, place: Place, haze: int, event: _Event) -> Figure:
        self.seen[person.number] = self.seen.get(person.number, 0) + 1
        moment = next(self.moments.setdefault(person.number, count())) % 256
        # One keeps one's clothes on for the whole event.
        outfit = choose_outfit(dice("outfit", self.seed, event.start, person.number), event.scene)
        return pose(self.rng, person, Moment(age, moment, haze), place, outfit)

    def _passer_by(self, places: Sequence[Place], size: tuple[int, int], event: _Event) -> list[Figure]:
        place = free_place(self.rng, places, size, self.rng.uniform(2.6, 3.4))
        if place is None:
            return []
        stranger = next(self.strangers)
        self.seen_strangers.append(stranger)
        age = max(14, event.start.year - stranger.born)
        return [self._figure(stranger, age, place, self.rng.randint(4, 11), event)]

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
            hard.append(spoil(picture, kind))
        return hard


def _height(age: int) -> float:
    """Size of somebody of that age beside an adult."""
    return 1.0 if age >= 15 else 0.78 + 0.22 * age / 15


def _again(picture: Picture, shot: int, rng: Random) -> Picture:
    """The same moment a second later: everybody looks a little different."""
    figures = tuple(
        replace(
            figure,
            x=figure.x + rng.uniform(-0.3, 0.3) * figure.cell,
            expression=rng.choice(EXPRESSIONS),
            code=replace(figure.code, shot=shot),
        )
        for figure in picture.figures
    )
    return replace(picture, figures=figures, taken=picture.taken + timedelta(seconds=shot))
