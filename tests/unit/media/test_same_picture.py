"""Finding a picture in what an edit made of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from image_search_service.core.types import Box
from image_search_service.media.same_picture import find_placement

BOX = Box(0.5, 0.3, 0.1, 0.2)


@pytest.fixture
def picture(photos: Path) -> Image.Image:
    with Image.open(photos / "groups" / "Putin_0.jpg") as image:
        return ImageOps.contain(image.convert("RGB"), (640, 640))


def saved(image: Image.Image, path: Path) -> Path:
    ImageOps.contain(image, (320, 320)).save(path, quality=80)
    return path


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda image: image, BOX),
        (lambda image: image.convert("L").convert("RGB"), BOX),
        (ImageOps.mirror, Box(0.4, 0.3, 0.1, 0.2)),
        (ImageOps.flip, Box(0.5, 0.5, 0.1, 0.2)),
        (lambda image: image.transpose(Image.Transpose.ROTATE_90), Box(0.3, 0.4, 0.2, 0.1)),
        (
            lambda image: image.crop((image.width // 4, 0, image.width, image.height)),
            Box(1 / 3, 0.3, 0.4 / 3, 0.2),
        ),
        (lambda image: image.resize((image.width // 2, image.height // 2)), BOX),
        (lambda image: image.resize((image.width, image.height * 3 // 4)), BOX),
    ],
    ids=["encoded again", "grey", "mirrored", "upside down", "turned", "cut", "half size", "squeezed"],
)
def test_a_box_is_where_the_edit_put_it(
    picture: Image.Image, tmp_path: Path, change: Callable[[Image.Image], Image.Image], expected: Box
) -> None:
    """Its corners lie within two hundredths of the picture."""
    readable, placement = find_placement(
        saved(picture, tmp_path / "a.jpg"), saved(change(picture), tmp_path / "b.jpg")
    )
    assert readable
    assert placement is not None
    placed = placement.place(BOX)
    found = (placed.x, placed.y, placed.width, placed.height)
    assert np.allclose(found, (expected.x, expected.y, expected.width, expected.height), atol=0.02)


def test_another_picture_is_no_edit(picture: Image.Image, photos: Path, tmp_path: Path) -> None:
    """Another photo of the same people does not show this one."""
    with Image.open(photos / "groups" / "Putin_1.jpg") as image:
        other = saved(image.convert("RGB"), tmp_path / "b.jpg")
    assert find_placement(saved(picture, tmp_path / "a.jpg"), other) == (True, None)


def test_a_picture_that_is_missing_or_damaged_says_nothing(picture: Image.Image, tmp_path: Path) -> None:
    """Neither is taken for a picture that differs."""
    here, damaged = saved(picture, tmp_path / "a.jpg"), tmp_path / "b.jpg"
    assert find_placement(here, damaged) == (False, None)
    damaged.write_bytes(b"no picture")
    assert find_placement(here, damaged) == (False, None)
