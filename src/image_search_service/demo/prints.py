"""What happens to pictures after they were taken: names, folders, formats, fading, copies, mishaps."""

from __future__ import annotations

from dataclasses import replace
from itertools import count, cycle
from random import Random

from image_search_service.demo.picture import SUFFIXES, Format, Picture, Tone

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
_FORMATS: tuple[Format, ...] = (
    "JPEG", "JPEG", "JPEG", "WEBP", "JPEG", "JPEG", "PNG", "JPEG", "JPEG", "HEIF", "JPEG", "JPEG", "JPEG",
    "TIFF", "JPEG", "JPEG", "AVIF", "JPEG", "JPEG", "GIF", "JPEG", "JPEG", "JPEG",
)  # fmt: skip


def name_and_finish(pictures: list[Picture], rng: Random) -> list[Picture]:
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


def with_one_enormous(pictures: list[Picture]) -> list[Picture]:
    """The largest group was taken with a camera of 25 megapixels: detection needs a reduced copy."""
    landscape = [
        i for i, picture in enumerate(pictures) if picture.size == (1280, 960) and picture.format == "JPEG"
    ]
    chosen = max(landscape, key=lambda i: (len(pictures[i].figures), -i))
    picture, factor = pictures[chosen], 4.5
    figures = tuple(figure.scaled(factor) for figure in picture.figures)
    large = replace(picture, size=(5760, 4320), figures=figures, blur=picture.blur * factor, supersample=2)
    return [*pictures[:chosen], large, *pictures[chosen + 1 :]]


def copies_of(pictures: list[Picture], rng: Random) -> dict[str, str]:
    """Five pictures that lie in the library twice: path of the copy → path of the original."""
    originals = rng.sample(pictures, 5)
    return {f"Kopien/Kopie von {p.path.rsplit('/', 1)[1]}": p.path for p in originals}


def spoil(picture: Picture, kind: str) -> Picture:
    """Make it unreadable: ``dark``, ``blurred`` or, anything else, taken from too far away."""
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
