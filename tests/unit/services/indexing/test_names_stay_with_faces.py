"""Names stay with their faces when photos change: situations that people reported, on real faces."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageOps

from image_search_service.core.errors import NotFoundError
from image_search_service.services.decisions.history import HistoryService
from image_search_service.services.decisions.lost_faces import LostFaceService
from image_search_service.services.decisions.replay import RebuildService
from tests.unit.services.indexing.named_library import NamedLibrary, lfw


def cut(left: float, top: float, right: float, bottom: float) -> Callable[[Image.Image], Image.Image]:
    """Keep this part of a picture, in shares of it."""

    def crop(image: Image.Image) -> Image.Image:
        width, height = image.size
        box = (left * width, top * height, right * width, bottom * height)
        return image.crop((round(box[0]), round(box[1]), round(box[2]), round(box[3])))

    return crop


GROUP = "group.png"


@pytest.fixture
def group(named: NamedLibrary, photos: Path) -> NamedLibrary:
    """A photo of some twenty people, P01 and so on from left to right."""
    shutil.copy(photos / "groups" / "Obama_1.png", named.folder / GROUP)
    named.index()
    named.name_all(GROUP)
    return named


Point = tuple[float, float]
EDITS: dict[str, tuple[Callable[[Image.Image], Image.Image], Callable[[float, float, Point], Point]]] = {
    "a fifth cut off the left": (cut(0.2, 0, 1, 1), lambda x, y, size: (x + 0.2 * size[0], y)),
    "a seventh cut off the left": (cut(0.15, 0, 1, 1), lambda x, y, size: (x + 0.15 * size[0], y)),
    "a corner cut off": (cut(0.08, 0.08, 1, 1), lambda x, y, size: (x + 0.08 * size[0], y + 0.08 * size[1])),
    "mirrored": (ImageOps.mirror, lambda x, y, size: (size[0] - x, y)),
    "a border": (lambda image: ImageOps.expand(image, 80, "white"), lambda x, y, _: (x - 80, y - 80)),
    "half as large": (
        lambda image: image.resize((image.width // 2, image.height // 2)),
        lambda x, y, _: (2 * x, 2 * y),
    ),
    "larger": (
        lambda image: image.resize((image.width * 4 // 3, image.height * 4 // 3)),
        lambda x, y, _: (x * 3 / 4, y * 3 / 4),
    ),
    "grey": (lambda image: image.convert("L").convert("RGB"), lambda x, y, _: (x, y)),
}
"""What was done to a photo, and where a point of the result was before."""


QUICK = ("a fifth cut off the left", "mirrored", "half as large")


@pytest.mark.parametrize(
    "edit",
    [pytest.param(edit, marks=() if edit in QUICK else pytest.mark.depth) for edit in EDITS],
)
def test_f1_group_photo_edited_in_place(group: NamedLibrary, edit: str) -> None:
    """F1: each name is on its face or is reported as lost; none is on another."""
    change, back = EDITS[edit]
    with Image.open(group.folder / GROUP) as image:
        size = image.size
    boxes = {name: face.box for face, name in zip(group.faces(GROUP), group.names(GROUP), strict=True)}
    group.edit(GROUP, change)
    report = group.index()
    kept = []
    for face, name in zip(group.faces(GROUP), group.names(GROUP), strict=True):
        if name is not None:
            assert boxes[name].holds(back(*face.box.center, size)), f"{name} is on another face"
            kept.append(name)
    lost = [conflict.names[0] for conflict in group.lost()]
    assert sorted(kept + lost) == sorted(name for name in boxes if name)
    assert (report.names_kept, report.names_lost) == (len(kept), len(lost))
    assert len(kept) >= 15
    assert RebuildService(group.opened.database).check().wrong == 0


def test_f2_another_photo_at_the_same_path(named: NamedLibrary, photos: Path) -> None:
    """F2: she who is in the file now has no name, and that he has lost his face is said."""
    shutil.copy(lfw(photos, 2, "Tony_Blair"), named.folder / "IMG_0001.jpg")
    named.index()
    face = named.faces("IMG_0001.jpg")[0].id
    named.name(face, "Tony")
    shutil.copy(lfw(photos, 3, "Laura_Bush"), named.folder / "IMG_0001.jpg")
    named.touch("IMG_0001.jpg")
    report = named.index()
    assert named.names("IMG_0001.jpg") == [None]
    assert (report.names_kept, report.names_lost) == (0, 1)
    (lost,) = named.lost()
    assert (lost.names, lost.face_ids, lost.path) == (["Tony"], [face], named.folder / "IMG_0001.jpg")
    assert lost.candidate_ids == [named.faces("IMG_0001.jpg")[0].id]
    assert named.opened.paths.crop(face).is_file()
    assert named.opened.faces.get_embedding_by_point_id(face) is not None


def test_f2_another_photo_of_the_same_person_at_the_same_path(named: NamedLibrary, photos: Path) -> None:
    """F2: a file that holds another photo has nothing to inherit, whoever it shows."""
    shutil.copy(lfw(photos, 2, "Tony_Blair"), named.folder / "IMG_0001.jpg")
    named.index()
    named.name(named.faces("IMG_0001.jpg")[0].id, "Tony")
    shutil.copy(lfw(photos, 3, "Tony_Blair"), named.folder / "IMG_0001.jpg")
    named.touch("IMG_0001.jpg")
    named.index()
    assert named.names("IMG_0001.jpg") == [None]
    assert [conflict.names for conflict in named.lost()] == [["Tony"]]


def test_f3_a_new_photo_in_front_of_sixty_five_renamed_ones(named: NamedLibrary, photos: Path) -> None:
    """F3: only the file that holds her photo now shows her, however many were renamed."""
    files = sorted((photos / "lfw").glob("*/*_0001.jpg"))[:66]
    for number, file in enumerate(files[:65], 1):
        shutil.copy(file, named.folder / f"{number:04}.jpg")
    named.index()
    named.name(named.faces("0064.jpg")[0].id, "Ada")
    for number in range(65, 0, -1):
        (named.folder / f"{number:04}.jpg").rename(named.folder / f"{number + 1:04}.jpg")
    shutil.copy(files[65], named.folder / "0001.jpg")
    for number in range(1, 67):
        named.touch(f"{number:04}.jpg")
    report = named.index()
    shown = {f"{number:04}.jpg" for number in range(1, 67) if "Ada" in named.names(f"{number:04}.jpg")}
    assert shown == {"0065.jpg"}
    assert (report.names_lost, named.lost()) == (0, [])


def test_f3_two_photos_swap_their_names(named: NamedLibrary, photos: Path) -> None:
    """F3: each person is in the file that holds their photo."""
    for name, person in (("a.jpg", "Tony_Blair"), ("b.jpg", "Laura_Bush")):
        shutil.copy(lfw(photos, 2, person), named.folder / name)
    named.index()
    for name, person in (("a.jpg", "Tony"), ("b.jpg", "Laura")):
        named.name(named.faces(name)[0].id, person)
    for source, target in (("a.jpg", "c.jpg"), ("b.jpg", "a.jpg"), ("c.jpg", "b.jpg")):
        (named.folder / source).rename(named.folder / target)
    named.touch("a.jpg")
    named.index()
    assert (named.names_across("a.jpg"), named.names_across("b.jpg")) == (["Laura"], ["Tony"])
    assert named.lost() == []


def test_f6_one_of_two_equal_copies_is_edited(named: NamedLibrary, photos: Path) -> None:
    """F6: both keep the name: the one that was edited, and the one that was not."""
    for name in ("a.jpg", "b.jpg"):
        shutil.copy(lfw(photos, 2, "Tony_Blair"), named.folder / name)
    named.index()
    named.name(named.faces("a.jpg")[0].id, "Tony")
    named.edit("b.jpg", lambda image: image)
    named.index()
    assert named.faces("a.jpg")[0].id != named.faces("b.jpg")[0].id
    assert (named.names("a.jpg"), named.names("b.jpg")) == (["Tony"], ["Tony"])


def test_the_former_photo_is_put_back(named: NamedLibrary, photos: Path) -> None:
    """Its face has its name again, and nothing is lost any more."""
    shutil.copy(lfw(photos, 2, "Tony_Blair"), named.folder / "a.jpg")
    named.index()
    named.name(named.faces("a.jpg")[0].id, "Tony")
    for person in ("Laura_Bush", "Tony_Blair"):
        shutil.copy(lfw(photos, 2, person), named.folder / "a.jpg")
        named.touch("a.jpg")
        named.index()
    assert named.names("a.jpg") == ["Tony"]
    assert named.lost() == []


def test_a_name_lost_in_an_edit_is_found_in_the_next(named: NamedLibrary, photos: Path) -> None:
    """Turned by a quarter nobody is found; turned back by the same program, he is there with his name."""
    shutil.copy(lfw(photos, 2, "Tony_Blair"), named.folder / "a.jpg")
    named.index()
    named.name(named.faces("a.jpg")[0].id, "Tony")
    named.edit("a.jpg", lambda image: image.transpose(Image.Transpose.ROTATE_180))
    named.index()
    assert [conflict.names for conflict in named.lost()] == [["Tony"]]
    named.edit("a.jpg", lambda image: image.transpose(Image.Transpose.ROTATE_180))
    report = named.index()
    assert named.names("a.jpg") == ["Tony"]
    assert (report.names_kept, named.lost()) == (1, [])


def test_what_was_said_of_the_edited_photo_is_true_of_the_one_put_back(
    named: NamedLibrary, photos: Path
) -> None:
    """He was called Berta, which was corrected after an edit; the original does not say Berta again."""
    original = lfw(photos, 2, "Tony_Blair")
    shutil.copy(original, named.folder / "a.jpg")
    named.index()
    named.name(named.faces("a.jpg")[0].id, "Berta")
    named.edit("a.jpg", lambda image: image)
    named.index()
    named.name(named.faces("a.jpg")[0].id, "Tony")
    shutil.copy(original, named.folder / "a.jpg")
    named.touch("a.jpg")
    named.index()
    assert named.names("a.jpg") == ["Tony"]
    assert RebuildService(named.opened.database).check().wrong == 0


def lost_tony(named: NamedLibrary, photos: Path) -> LostFaceService:
    shutil.copy(lfw(photos, 2, "Tony_Blair"), named.folder / "a.jpg")
    named.index()
    named.name(named.faces("a.jpg")[0].id, "Tony")
    shutil.copy(lfw(photos, 3, "Tony_Blair"), named.folder / "a.jpg")
    named.touch("a.jpg")
    named.index()
    return LostFaceService(named.opened.database, "test")


def test_a_lost_face_is_shown_to_be_another(named: NamedLibrary, photos: Path) -> None:
    """The answer names that face, closes the finding, and can be taken back."""
    answers = lost_tony(named, photos)
    (lost,) = named.lost()
    made = answers.found(lost.face_ids[0], lost.candidate_ids[0])
    assert (named.names("a.jpg"), named.lost()) == (["Tony"], [])
    with pytest.raises(NotFoundError):
        answers.nowhere(lost.face_ids[0])
    assert made.id is not None
    named.review.undo(made.id)
    assert (named.names("a.jpg"), len(named.lost())) == ([None], 1)
    assert RebuildService(named.opened.database).check().wrong == 0


def test_a_lost_face_is_gone(named: NamedLibrary, photos: Path) -> None:
    """The answer closes the finding; the name is there again should the photo come back."""
    answers = lost_tony(named, photos)
    answers.nowhere(named.lost()[0].face_ids[0])
    assert (named.names("a.jpg"), named.lost()) == ([None], [])
    named.review.undo(HistoryService(named.opened.database).latest())
    assert len(named.lost()) == 1
    named.review.undo(HistoryService(named.opened.database).latest())
    assert named.lost() == []
    shutil.copy(lfw(photos, 2, "Tony_Blair"), named.folder / "a.jpg")
    named.touch("a.jpg")
    named.index()
    assert named.names("a.jpg") == ["Tony"]
