"""F4: regions that were measured in another picture are not believed of this one, on real faces."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image

from image_search_service.core.types import Box
from image_search_service.services.indexing.drawing import names_service
from image_search_service.services.metadata.report import ReadReport
from tests.conftest import SHARED
from tests.unit.services.indexing.named_library import NamedLibrary, lfw
from tests.unit.services.metadata.xmp_files import digikam

INPUTS = SHARED / "cases" / "inputs"
needs_cases = pytest.mark.skipif(not INPUTS.is_dir(), reason=f"there is no {INPUTS}")
GROUP = "group.jpg"


def read(named: NamedLibrary) -> ReadReport:
    named.index()
    return names_service(named.opened.stores, "test").read()


def write_sidecar(named: NamedLibrary, name: str, *people: str) -> Path:
    """The names of the first faces of a photo, left to right, as another program writes them."""
    with Image.open(named.folder / name) as image:
        width, height = image.size
    faces = sorted(named.faces(name), key=lambda face: face.box.center)
    regions = [
        (
            person,
            Box(face.box_x / width, face.box_y / height, face.box_width / width, face.box_height / height),
        )
        for person, face in zip(people, faces, strict=False)
    ]
    sidecar = named.folder / f"{name}.xmp"
    sidecar.write_bytes(digikam(regions, (width, height)))
    return sidecar


@needs_cases
def test_f4_a_part_of_a_picture_with_the_regions_of_the_whole(named: NamedLibrary) -> None:
    """F4: regions made for 450 × 150 are not believed of 150 × 150 pixels, with or without the whole."""
    shutil.copy(INPUTS / "stale_regions_after_crop.jpg", named.folder / "part.jpg")
    report = read(named)
    assert (report.named, report.outdated, named.names_across("part.jpg")) == (0, 3, [])
    shutil.copy(INPUTS / "trio_with_regions.jpg", named.folder / "whole.jpg")
    read(named)
    assert named.names_across("whole.jpg") == ["Left", "Middle", "Right"]
    assert named.names_across("part.jpg") == []


@needs_cases
@pytest.mark.parametrize("is_in_place", [True, False], ids=["in place", "beside it"])
@pytest.mark.parametrize("share", [0.12, 0.3])
def test_f4_a_part_of_the_same_proportions(named: NamedLibrary, share: float, *, is_in_place: bool) -> None:
    """F4: where the size cannot tell, no name goes to a face that is unlike the one that it was read for."""
    whole = named.folder / "whole.jpg"
    shutil.copy(INPUTS / "trio_with_regions.jpg", whole)
    read(named)
    part = whole if is_in_place else named.folder / "part.jpg"
    with Image.open(whole) as image:
        width, height = image.size
        box = (round(share * width), round(share * height), width, height)
        image.load()
        image.crop(box).save(part, xmp=image.info["xmp"], quality=95)
    named.touch(part.name)
    report = read(named)
    assert report.outdated >= 1
    people = {name: number for number, name in enumerate(("Left", "Middle", "Right"))}
    for face, name in zip(named.faces(part.name), named.names(part.name), strict=True):
        x = face.box.center[0] + box[0]
        assert name is None or people[name] == int(3 * x / width)


def test_f4_another_photo_whose_sidecar_stayed(named: NamedLibrary, photos: Path) -> None:
    """F2, F4: a sidecar that named him names nobody in the photo that the file holds now, until it is
    corrected."""
    shutil.copy(lfw(photos, 2, "Tony_Blair"), named.folder / "a.jpg")
    named.index()
    write_sidecar(named, "a.jpg", "Tony")
    read(named)
    assert named.names("a.jpg") == ["Tony"]
    shutil.copy(lfw(photos, 3, "Laura_Bush"), named.folder / "a.jpg")
    named.touch("a.jpg")
    for _ in range(2):
        report = read(named)
        assert (report.named, report.by_hand, report.outdated, named.names("a.jpg")) == (0, 0, 1, [None])
        assert "Tony was read there of another picture" in report.examples[0]
    write_sidecar(named, "a.jpg", "Laura")
    assert (read(named).named, named.names("a.jpg")) == (1, ["Laura"])


def test_f4_another_photo_of_the_same_person_whose_sidecar_stayed(named: NamedLibrary, photos: Path) -> None:
    """It is he: his face says so."""
    shutil.copy(lfw(photos, 2, "Tony_Blair"), named.folder / "a.jpg")
    named.index()
    write_sidecar(named, "a.jpg", "Tony")
    read(named)
    shutil.copy(lfw(photos, 3, "Tony_Blair"), named.folder / "a.jpg")
    named.touch("a.jpg")
    report = read(named)
    assert (report.outdated, named.names("a.jpg")) == (0, ["Tony"])


def test_f5_two_names_that_are_exchanged_elsewhere(named: NamedLibrary, photos: Path) -> None:
    """A correction that gives one's name to the other is taken: both are in this picture."""
    with Image.open(photos / "groups" / "Obama_1.png") as image:
        image.convert("RGB").save(named.folder / GROUP, quality=95)
    named.index()
    write_sidecar(named, GROUP, "Anna", "Berta")
    read(named)
    assert named.names_across(GROUP) == ["Anna", "Berta"]
    named.edit(GROUP, lambda image: image.crop((8, 8, image.width, image.height)))
    assert named.index().names_kept == 2
    write_sidecar(named, GROUP, "Berta", "Anna")
    assert (read(named).outdated, named.names_across(GROUP)) == (0, ["Berta", "Anna"])


@needs_cases
def test_f4_a_smaller_copy_keeps_the_names(named: NamedLibrary) -> None:
    """A copy of another size with the same metadata has the same names."""
    shutil.copy(INPUTS / "trio_with_regions.jpg", named.folder / "whole.jpg")
    read(named)
    with Image.open(named.folder / "whole.jpg") as image:
        image.load()
        smaller = image.resize((image.width * 3 // 4, image.height * 3 // 4))
        smaller.save(named.folder / "small.jpg", xmp=image.info["xmp"], quality=95)
    report = read(named)
    assert (report.outdated, named.names_across("small.jpg")) == (0, ["Left", "Middle", "Right"])
