"""A folder of photos that is edited at random, and what is known of it without the library's help.

Of each file: which photo of the pool it is made of, and where each of its points was there. Of each photo of
the pool: whose face is where.
"""

from __future__ import annotations

import hashlib
import os
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from image_search_service.core.types import Box

Matrix = npt.NDArray[np.float64]

SMALLEST = 90
"""Pixels; a photo whose shorter side has less is put back instead of cut again."""
MOST_FILES = 24
EXIF_TURN = {Image.Transpose.ROTATE_90: 8, Image.Transpose.ROTATE_180: 3, Image.Transpose.ROTATE_270: 6}
"""EXIF's orientation that shows a picture as these turn it."""


@dataclass
class Source:
    """A photo of the pool. named: whose face is where, in its pixels; nobody of those who were not named."""

    path: Path
    named: list[tuple[str, Box]] = field(default_factory=list)


@dataclass
class Content:
    """What a file holds. back: ``(2, 3)``, from its pixels to its source's."""

    source: Source
    back: Matrix
    digest: str

    def shows(self, name: str, point: tuple[float, float]) -> bool:
        """Whether the face at this point is of this name."""
        x, y = self.back @ np.array([*point, 1.0])
        return any(other == name and box.holds((float(x), float(y))) for other, box in self.source.named)


def whole(*rows: tuple[float, float, float]) -> Matrix:
    return np.array([*rows, (0, 0, 1)], dtype=np.float64)


class EditedAlbum:
    """The folder, and the edits of it. Each returns the names of the files that it touched."""

    def __init__(self, folder: Path, pool: list[Source], seed: int) -> None:
        self.folder = folder
        self.pool = pool
        self.random = random.Random(seed)  # noqa: S311 - picks edits
        self.files: dict[str, Content] = {}
        self.away: dict[str, Content] = {}
        """Files that were deleted, with what they held."""
        self._made = 0
        self._clock = 1_700_000_000
        self._whole = {source.path: self._digest(source.path) for source in pool}

    def begin(self, number: int) -> None:
        """Put the first photos of the pool into the folder."""
        for source in self.pool[:number]:
            self._put(self._new_name(), source)

    def edit(self) -> str:
        """One random edit; returns what it was."""
        names = sorted(self.files)
        pictures = [self.cut, self.turn, self.mirror, self.border, self.resize, self.compress, self.grey]
        whole_files = [self.replace, self.swap, self.cycle, self.copy, self.move, self.delete, self.put_back]
        edit = self.random.choice([*pictures, self.cut, self.turn, *whole_files])
        edit(self.random.choice(names))
        return edit.__name__

    # What happens to the picture of a file

    def cut(self, name: str) -> None:
        width, height = self._open(name).size
        if min(width, height) < SMALLEST:
            return self.put_back(name)
        left, right = sorted((self.random.uniform(0, 0.25), self.random.uniform(0.75, 1)))
        top, bottom = sorted((self.random.uniform(0, 0.25), self.random.uniform(0.75, 1)))
        box = (round(left * width), round(top * height), round(right * width), round(bottom * height))
        return self._change(name, lambda image: image.crop(box), whole((1, 0, box[0]), (0, 1, box[1])))

    def turn(self, name: str) -> None:
        """By a quarter or a half, of the pixels or by the tag."""
        width, height = self._open(name).size
        how = self.random.choice(list(EXIF_TURN))
        back = {
            Image.Transpose.ROTATE_90: whole((0, -1, width), (1, 0, 0)),
            Image.Transpose.ROTATE_180: whole((-1, 0, width), (0, -1, height)),
            Image.Transpose.ROTATE_270: whole((0, 1, 0), (-1, 0, height)),
        }[how]
        if self.random.random() < 0.5:
            self._change(name, lambda image: image.transpose(how), back)
        else:
            self._change(name, lambda image: image, back, orientation=EXIF_TURN[how])

    def mirror(self, name: str) -> None:
        width = self._open(name).width
        self._change(name, ImageOps.mirror, whole((-1, 0, width), (0, 1, 0)))

    def border(self, name: str) -> None:
        size = self.random.randint(5, 40)
        colour = self.random.choice(["white", "black", "brown"])
        back = whole((1, 0, -size), (0, 1, -size))
        self._change(name, lambda image: ImageOps.expand(image, size, colour), back)

    def resize(self, name: str) -> None:
        image = self._open(name)
        factor = self.random.uniform(0.6, 0.9) if min(image.size) > 200 else self.random.uniform(1.1, 1.5)
        size = (round(image.width * factor), round(image.height * factor))
        back = whole((image.width / size[0], 0, 0), (0, image.height / size[1], 0))
        self._change(name, lambda picture: picture.resize(size), back)

    def compress(self, name: str) -> None:
        self._change(name, lambda image: image, np.eye(3), quality=self.random.randint(40, 95))

    def grey(self, name: str) -> None:
        self._change(name, lambda image: image.convert("L").convert("RGB"), np.eye(3))

    # What happens to files

    def replace(self, name: str) -> None:
        self._put(name, self.random.choice(self.pool))

    def swap(self, name: str) -> None:
        self._rotate([name, self.random.choice(sorted(self.files))])

    def cycle(self, name: str) -> None:
        others = self.random.sample(sorted(self.files), min(4, len(self.files)))
        self._rotate([name, *others])

    def copy(self, name: str) -> None:
        if len(self.files) >= MOST_FILES:
            return self.delete(name)
        new = self._new_name()
        shutil.copy(self.folder / name, self.folder / new)
        self.files[new] = self.files[name]
        return self._touch(new)

    def move(self, name: str) -> None:
        """Under another name, and changed at once."""
        new = self._new_name()
        (self.folder / name).rename(self.folder / new)
        self.files[new] = self.away[name] = self.files.pop(name)
        self.random.choice([self.cut, self.mirror, self.border, self.resize, self.compress])(new)

    def delete(self, name: str) -> None:
        if len(self.files) > MOST_FILES // 2:
            (self.folder / name).unlink()
            self.away[name] = self.files.pop(name)

    def put_back(self, name: str) -> None:
        """The whole photo that the file was made of; sometimes in a file that was deleted."""
        if self.away and self.random.random() < 0.3:
            gone = self.random.choice(sorted(self.away))
            self._put(gone, self.away.pop(gone).source)
        else:
            self._put(name, self.files[name].source)

    def _rotate(self, names: list[str]) -> None:
        names = list(dict.fromkeys(names))
        for name in names:
            (self.folder / name).rename(self.folder / f"{name}.moving")
        for name, target in zip(names, [*names[1:], names[0]], strict=True):
            (self.folder / f"{name}.moving").rename(self.folder / target)
        contents = [self.files[name] for name in names]
        for content, target in zip(contents, [*names[1:], names[0]], strict=True):
            self.files[target] = content
            self._touch(target)

    def _put(self, name: str, source: Source) -> None:
        shutil.copy(source.path, self.folder / name)
        self.files[name] = Content(source, np.eye(3)[:2], self._whole[source.path])
        self._touch(name)

    def _open(self, name: str) -> Image.Image:
        with Image.open(self.folder / name) as image:
            return ImageOps.exif_transpose(image).convert("RGB")

    def _change(
        self,
        name: str,
        change: Callable[[Image.Image], Image.Image],
        back: Matrix,
        *,
        quality: int = 90,
        orientation: int | None = None,
    ) -> None:
        image = change(self._open(name))
        exif = Image.Exif()
        if orientation is not None:
            exif[0x0112] = orientation
        image.save(self.folder / name, "JPEG", quality=quality, exif=exif)
        former = self.files[name]
        together = (np.vstack([former.back, [0, 0, 1]]) @ back)[:2]
        self.files[name] = Content(former.source, together, self._digest(self.folder / name))
        self._touch(name)

    def _touch(self, name: str) -> None:
        """A time of its own for each change, so that no file looks unchanged."""
        self._clock += 2
        os.utime(self.folder / name, (self._clock, self._clock))

    def _new_name(self) -> str:
        self._made += 1
        return f"IMG_{self._made:04}.jpg"

    @staticmethod
    def _digest(path: Path) -> str:
        return hashlib.sha256(path.read_bytes()).hexdigest()
