"""Who exists in the demo world: people with names, birthdays, looks and relatives. Pure, from a seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Literal

from image_search_service.demo.dice import dice

Sex = Literal["f", "m"]
Color = tuple[int, int, int]

SKINS: tuple[Color, ...] = (
    (255, 224, 196), (248, 208, 176), (240, 194, 158), (226, 174, 134),
    (208, 154, 112), (184, 128, 88), (154, 104, 70), (124, 82, 56),
)  # fmt: skip
HAIRS: tuple[Color, ...] = (
    (44, 34, 32), (70, 46, 34), (104, 66, 40), (146, 94, 54),
    (196, 146, 82), (232, 196, 120), (176, 76, 36), (206, 112, 52),
)  # fmt: skip
EYES: tuple[Color, ...] = ((86, 52, 30), (110, 74, 40), (72, 110, 150), (90, 136, 98), (104, 112, 122))
CLOTHES: tuple[Color, ...] = (
    (58, 98, 150), (176, 68, 70), (78, 128, 92), (222, 160, 66), (120, 86, 146),
    (66, 140, 150), (214, 120, 96), (96, 104, 116), (236, 222, 196), (188, 92, 132),
)  # fmt: skip

LONG_STYLES = ("long", "wavy", "bob", "ponytail", "bun", "curly", "fringe", "pixie")
SHORT_STYLES = ("short", "parted", "curly", "spiky", "receding", "bald", "fringe", "shaggy")

_WOMEN = (
    "Ada", "Beatriz", "Chloé", "Dagmar", "Elif", "Freya", "Grace", "Hana", "Ines", "Jorunn", "Keiko",
    "Lucía",
    "Maren", "Noor", "Olga", "Priya", "Renée", "Sofia", "Thandi", "Ursula", "Vera", "Wanjiru", "Yara",
)  # fmt: skip
_MEN = (
    "Anton", "Björn", "Carlos", "Dušan", "Emeka", "Farid", "Goran", "Henrik", "Ivo", "Jamal", "Kenji", "Luís",
    "Mateo", "Niels", "Omar", "Pavel", "Quentin", "Rafael", "Søren", "Tomasz", "Uwe", "Viktor", "Wei",
    "Zoltán",
)  # fmt: skip
_SURNAMES = (
    "Andersson", "Brandt", "Castillo", "Dvořák", "Eriksen", "Ferreira", "Güneş", "Haddad", "Ito", "Jansen",
    "Kowalski", "Lindqvist", "Müller", "Novak", "Okafor", "Petrov", "Quiroga", "Rossi", "Singh", "Tanaka",
    "Usman", "Virtanen", "Weber", "Yilmaz", "Zhang", "Acosta", "Bergström", "Chevalier", "Dimitrov", "Eze",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Look:
    """What a face keeps through life. Children inherit each line from one parent or from between both."""

    skin: Color
    hair: Color
    eyes: Color
    width: float
    jaw: float
    nose: float
    ears: float
    brows: float
    mouth: float
    eye_size: float
    freckles: bool


@dataclass(frozen=True, slots=True)
class DrawnPerson:
    """Somebody in the demo world. ``family`` and ``member`` are what the scarf says of them."""

    family: int
    member: int
    name: str
    sex: Sex
    born: int
    look: Look
    style: str
    glasses: int
    beard: int
    earrings: bool
    scarf: int

    @property
    def number(self) -> int:
        return self.family * 16 + self.member

    @property
    def parent(self) -> bool:
        return self.member < 2


def make_people(count: int, seed: int) -> list[DrawnPerson]:
    """``count`` people: about two thirds in families of three to five, the others on their own."""
    rng = dice("people", seed)
    people: list[DrawnPerson] = []
    families = _family_numbers(seed)
    while len(people) < count:
        make = _household if rng.random() < 0.36 else _single
        people += make(rng, next(families))
    return people[:count]


def make_strangers(count: int, seed: int) -> list[DrawnPerson]:
    """People who walk through the background of a single picture; unrelated to everybody."""
    rng = dice("strangers", seed)
    numbers = _family_numbers(seed + 500_009)
    return [replace(_single(rng, next(numbers))[0], name="Stranger") for _ in range(count)]


def _family_numbers(seed: int) -> Iterator[int]:
    """Each number once, in an order that the seed shifts; 2**20 of them."""
    start = dice("families", seed).randrange(1 << 20)
    return ((start + i) % (1 << 20) for i in range(1 << 20))


def _single(rng: Random, family: int) -> list[DrawnPerson]:
    sex: Sex = rng.choice(("f", "m"))
    born = rng.randrange(1935, 1995)
    return [_person(rng, family, 0, sex=sex, born=born, look=_look(rng), surname=rng.choice(_SURNAMES))]


def _household(rng: Random, family: int) -> list[DrawnPerson]:
    """Father, mother and one to three children, who have something of each."""
    surname, origin = rng.choice(_SURNAMES), rng.randrange(len(SKINS))
    year = rng.randrange(1940, 1978)
    father, mother = (_look(rng, origin) for _ in range(2))
    people = [
        _person(rng, family, 0, sex="m", born=year, look=father, surname=surname),
        _person(rng, family, 1, sex="f", born=year + rng.randint(-4, 4), look=mother, surname=surname),
    ]
    born = year + rng.randint(24, 31)
    for member in range(2, 3 + rng.randint(1, 3)):
        look = _inherit(rng, father, mother)
        sex: Sex = rng.choice(("f", "m"))
        people.append(_person(rng, family, member, sex=sex, born=born, look=look, surname=surname))
        born += rng.randint(1, 4)
    return people


def _person(
    rng: Random, family: int, member: int, *, sex: Sex, born: int, look: Look, surname: str
) -> DrawnPerson:
    first = rng.choice(_WOMEN if sex == "f" else _MEN)
    return DrawnPerson(
        family=family,
        member=member,
        name=f"{first} {surname}",
        sex=sex,
        born=born,
        look=look,
        style=rng.choice(LONG_STYLES if sex == "f" else SHORT_STYLES),
        glasses=rng.choice((0, 0, 0, 1, 2, 3)),
        beard=rng.choice((0, 0, 1, 2, 3)) if sex == "m" else 0,
        earrings=sex == "f" and rng.random() < 0.5,
        scarf=rng.randrange(8),
    )


def _look(rng: Random, origin: int | None = None) -> Look:
    skin = rng.randrange(len(SKINS)) if origin is None else origin + rng.randint(-1, 1)
    skin = max(0, min(skin, len(SKINS) - 1))
    dark = skin >= 4
    return Look(
        skin=SKINS[skin],
        hair=HAIRS[rng.randrange(3 if dark else len(HAIRS))],
        eyes=EYES[rng.randrange(2 if dark else len(EYES))],
        width=rng.uniform(0.88, 1.08),
        jaw=rng.uniform(1.8, 2.9),
        nose=rng.uniform(0.75, 1.4),
        ears=rng.uniform(0.8, 1.3),
        brows=rng.uniform(0.6, 1.5),
        mouth=rng.uniform(0.8, 1.2),
        eye_size=rng.uniform(0.85, 1.15),
        freckles=not dark and rng.random() < 0.2,
    )


def _inherit(rng: Random, father: Look, mother: Look) -> Look:
    """Colours from one parent, measures from between both with a little of one's own."""

    def measure(a: float, b: float) -> float:
        return a + (b - a) * rng.random() + rng.uniform(-0.04, 0.04)

    share = rng.random()
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(father.skin, mother.skin, strict=True))
    return Look(
        skin=(red, green, blue),
        hair=rng.choice((father.hair, mother.hair)),
        eyes=rng.choice((father.eyes, mother.eyes)),
        width=measure(father.width, mother.width),
        jaw=measure(father.jaw, mother.jaw),
        nose=measure(father.nose, mother.nose),
        ears=measure(father.ears, mother.ears),
        brows=measure(father.brows, mother.brows),
        mouth=measure(father.mouth, mother.mouth),
        eye_size=measure(father.eye_size, mother.eye_size),
        freckles=rng.choice((father.freckles, mother.freckles)),
    )
