"""A load test: plain pictures of ten faces, as many as wanted. Pure, from a seed."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random

from image_search_service.demo.dice import dice
from image_search_service.demo.layout import arrange
from image_search_service.demo.people import DrawnPerson, make_people, make_strangers
from image_search_service.demo.picture import (
    Moment,
    Picture,
    Plan,
    choose_outfit,
    pose,
    softness,
    throw_haze,
)  # fmt: skip
from image_search_service.demo.scenes import SCENES

_SIZE = (640, 480)
_CROWD = 10
_STRANGER_EVERY = 12
_START = datetime(1994, 1, 1, 12)  # noqa: DTZ001 - EXIF dates carry no time zone


def plan_load_test(faces: int, seed: int) -> Plan:
    """``faces`` faces. Most people have a few photos, some hundreds; every twelfth face is a stranger."""
    people = make_people(max(40, faces // 14), seed)
    strangers = make_strangers(faces // _STRANGER_EVERY, seed)
    rng = dice("load test", seed)
    weights = [min(rng.paretovariate(1.1), 150.0) for _ in people]
    crowd = rng.choices(people, weights, k=faces)
    crowd[_STRANGER_EVERY - 1 :: _STRANGER_EVERY] = strangers
    pictures = [
        _picture(number, _once_each(crowd[start : start + _CROWD], people, rng), seed)
        for number, start in enumerate(range(0, faces, _CROWD))
    ]
    return Plan(people, strangers, pictures)


def _once_each(shown: list[DrawnPerson], people: list[DrawnPerson], rng: Random) -> list[DrawnPerson]:
    """Nobody is twice in one picture: whoever would be is replaced by somebody else."""
    group: dict[int, DrawnPerson] = {}
    for person in shown:
        chosen = person
        while chosen.number in group:
            chosen = rng.choice(people)
        group[chosen.number] = chosen
    return list(group.values())


def _picture(number: int, shown: list[DrawnPerson], seed: int) -> Picture:
    rng = dice("plain", seed, number)
    taken = _START + timedelta(minutes=number * 3 + rng.randrange(3))
    # Neighbours share a background, so that it is painted once.
    scene = sorted(SCENES)[number // 50 % len(SCENES)]
    haze = throw_haze(rng)
    figures = tuple(
        pose(
            rng,
            person,
            Moment(max(3, taken.year - person.born), rng.randrange(256), haze),
            place,
            choose_outfit(rng, scene),
        )
        for person, place in zip(shown, arrange(rng, [1.0] * len(shown), _SIZE), strict=True)
    )
    path = f"load test/{number // 1000:04}/{number:07}.jpg"
    blur = softness(haze, figures[0].cell)
    return Picture(path, _SIZE, scene, number // 500, taken, figures, blur=blur, supersample=2)
